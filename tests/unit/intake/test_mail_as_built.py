"""Mail as people and programs build it: bodies side by side, names on texts, forwards, odd boundaries and addresses."""

import pytest

from pointsman_intake.mail.html import text_of_html
from pointsman_intake.mail.mailboxes import mailboxes_in
from pointsman_intake.mail.quotes import is_forward, new_part
from tests.unit.intake.test_mail import a_mail


def mixed(*parts: str, kind: str = "mixed") -> tuple[bytes, str]:
    """(body, content type) of parts that each begin with their headers."""
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    return body.encode(), f'multipart/{kind}; boundary="b"'


HTML = "Content-Type: text/html\r\n\r\n<p>My printer burns.</p>"
FOOTER = "Content-Type: text/plain\r\n\r\n-- \r\nscanned for viruses"


def test_an_html_body_beside_a_plain_footer_gives_both() -> None:
    body, kind = mixed(HTML, FOOTER)
    said = a_mail(body, Content_Type=kind)
    assert said.text == "My printer burns.\n-- \nscanned for viruses"
    assert said.html is not None
    assert "scanned for viruses" in said.html


def test_of_alternatives_the_plain_text_is_read_once() -> None:
    body, kind = mixed("Content-Type: text/plain\r\n\r\nMy printer burns.", HTML, kind="alternative")
    said = a_mail(body, Content_Type=kind)
    assert (said.text, said.html) == ("My printer burns.", "<p>My printer burns.</p>")


def test_an_empty_alternative_is_no_text() -> None:
    body, kind = mixed("Content-Type: text/plain\r\n\r\n \r\n", HTML, kind="alternative")
    assert a_mail(body, Content_Type=kind).text == "My printer burns."


@pytest.mark.parametrize("disposition", ["", "inline; filename=body.txt", "attachment; filename=body.txt"])
def test_a_single_part_is_the_text_whatever_it_is_called(disposition: str) -> None:
    said = a_mail(b"Hello", Content_Type='text/plain; name="body.txt"', Content_Disposition=disposition)
    assert said.text == "Hello"


def test_a_named_text_beside_another_is_attached() -> None:
    log = 'Content-Type: text/plain; name="log.txt"\r\n\r\n12:00 smoke'
    body, kind = mixed("Content-Type: text/plain\r\n\r\nSee the log.", log)
    said = a_mail(body, Content_Type=kind)
    assert said.text == "See the log."
    assert [file.name for file in said.files] == ["log.txt"]


@pytest.mark.parametrize("kind", ["multipart/mixed", 'multipart/mixed; boundary="other"'])
def test_a_multipart_without_its_boundary_keeps_its_text(kind: str) -> None:
    said = a_mail(b"Hello there", Content_Type=kind)
    assert (said.text, said.files) == ("Hello there", ())
    body, _ = mixed("Content-Type: text/plain\r\n\r\nHello", HTML)
    assert a_mail(body, Content_Type=kind).text == "Hello\nMy printer burns."


def test_what_is_beyond_the_hundredth_file_is_marked() -> None:
    files = [f"Content-Disposition: attachment; filename={number}\r\n\r\nx" for number in range(101)]
    body, kind = mixed("Content-Type: text/plain\r\n\r\nHello", *files)
    said = a_mail(body, Content_Type=kind)
    assert (len(said.files), said.truncated) == (100, True)
    body, kind = mixed("Content-Type: text/plain\r\n\r\nHello", *files[:100])
    assert a_mail(body, Content_Type=kind).truncated is False


def test_six_thousand_lines_stay_six_thousand() -> None:
    lines = "\n".join(f"line {number}" for number in range(6_000))
    assert a_mail(lines.encode()).text == lines
    assert new_part(lines + "\n\nOn Mon, 1 Jan 2026, Anna <a@x> wrote:\n> old\n") == lines


def test_a_forward_is_read_whole() -> None:
    """A forward's `FYI` was all that the classifier saw."""
    outlook = "FYI\r\n\r\nFrom: Ada\r\nSent: Monday\r\nTo: us\r\n\r\nMy printer burns."
    assert a_mail(outlook.encode(), Subject="FW: Printer").reply_text is None
    assert a_mail(outlook.encode(), Subject="Re: FW: Printer").reply_text == "FYI"
    assert new_part("FYI\n\n---------- Forwarded message ---------\nFrom: Ada <a@x>\n\nMy printer burns.") is None
    assert new_part("FYI\n\nBegin forwarded message:\n\nFrom: Ada <a@x>\nDate: today\n\nMy printer burns.") is None
    assert [subject for subject in ("Fwd: x", "WG: x", "fw: x", "Re: Fwd: x", "Forward: x") if is_forward(subject)] == [
        "Fwd: x",
        "WG: x",
        "fw: x",
    ]


def test_preformatted_text_keeps_its_lines() -> None:
    html = "<p>Trace:</p><pre>\nfor x in y:\n    print(x)\n</pre><p>Thanks  a\n lot</p>"
    assert text_of_html(html) == "Trace:\nfor x in y:\n    print(x)\n\nThanks a lot".replace("\n\n", "\n")


@pytest.mark.parametrize(
    "attributes",
    [
        'style="display:none"',
        "style='DISPLAY : NONE !important'",
        'style="color:#fff;visibility:hidden"',
        'style="mso-hide:all"',
        'style="max-height:0px;overflow:hidden"',
        'style="opacity:0"',
        "hidden",
        'class="preheader" hidden=""',
    ],
)
def test_what_is_hidden_is_not_shown(attributes: str) -> None:
    inner = "<div>Buy <b>now</b></div>"
    assert text_of_html(f"<div {attributes}>{inner}Save 50 %</div><p>Hello</p>") == "Hello"


@pytest.mark.parametrize(
    "html",
    [
        '<td style="font-size:0px;padding:0">Hello</td>',
        '<p style="opacity:0.9">Hello</p>',
        '<p class="hidden md:block" title="hidden">Hello</p>',
        '<input type="hidden">Hello',
        '<div style="display:none">Hello</div>',
        '<p title="a > b">Hello</p>',
        "<!-- <p>old</p> --><STYLE>p {}</STYLE>Hello",
    ],
)
def test_what_is_shown_is_read(html: str) -> None:
    """The last resort of a mail of which all is hidden is to show it."""
    assert text_of_html(html) == "Hello"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ceo@victim.example <mallory@evil.example>", [("ceo@victim.example", "mallory@evil.example")]),
        ("Joe Foo, PhD <joe@x>", [("Joe Foo, PhD", "joe@x")]),
        ('"Foo, Joe" <joe@x>, b@y', [("Foo, Joe", "joe@x"), ("", "b@y")]),
        ("a@x (Ada (the first))", [("Ada (the first)", "a@x")]),
        ("Team: a@x, Bo <b@y>; c@z", [("", "a@x"), ("Bo", "b@y"), ("", "c@z")]),
        ("<@relay.example:joe@x>", [("", "joe@x")]),
        ('<"Sys Admin"@x>', [("", '"Sys Admin"@x')]),
        ("undisclosed-recipients:;", []),
        ("John <jdoe@machine(comment). example>", [("John", "jdoe@machine.example")]),
        ("<>", []),
    ],
)
def test_the_address_in_angles_wins_and_a_comma_may_be_of_a_name(value: str, found: list[tuple[str, str]]) -> None:
    assert [(one.name, one.address) for one in mailboxes_in(value)] == found


def test_a_sender_in_angles_wins_over_one_that_is_not() -> None:
    said = a_mail(From="ceo@victim.example, Mallory <mallory@evil.example>")
    assert (said.person.email, said.person.name) == ("mallory@evil.example", "Mallory")
