"""HTML to plain text, for reading and classifying; the original is kept beside it."""

import re

from selectolax.lexbor import LexborHTMLParser

HTML_LENGTH_MAX = 1_048_576

_SKIPPED = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BLOCKS = frozenset(
    {
        "address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1", "h2",
        "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul",
    }
)  # fmt: skip
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_BLANKS = re.compile(r"\n{3,}")


def text_of_html(html: str) -> str:
    """The text a reader sees, one block a line; images by their alternative text."""
    tree = LexborHTMLParser(html[:HTML_LENGTH_MAX])
    for tag in _SKIPPED:
        for node in tree.css(tag):
            node.decompose()
    parts: list[str] = []
    root = tree.body or tree.root
    if root is None:
        return ""
    for node in root.traverse(include_text=True):
        if node.tag == "-text":
            parts.append((node.text_content or "").replace("\n", " "))
        elif node.tag in _BLOCKS:
            parts.append("\n")
        elif node.tag == "td":
            parts.append(" ")
        elif node.tag == "img" and (shown := node.attributes.get("alt")):
            parts.append(shown)
    lines = [_SPACES.sub(" ", line).strip() for line in "".join(parts).split("\n")]
    return _BLANKS.sub("\n\n", "\n".join(lines)).strip()
