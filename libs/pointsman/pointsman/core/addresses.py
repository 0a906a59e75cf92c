"""Whether a text is a mail address: enough to tell one from a name, a number or a slip, and no more.

Which local parts a domain takes is its own business (RFC 5321 section 2.3.11): here they only have no blanks, brackets
or commas, unless they stand in quotes. Domains are names in any script, with or without a dot.
"""

import re

LOCAL_LENGTH_MAX, DOMAIN_LENGTH_MAX = 64, 253
_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]+|\"[^\"\\\x00-\x1f\x7f]+\"")
_LABEL = re.compile(r"\w([\w-]{0,61}\w)?")


def is_mail_address(text: str) -> bool:
    """Whether mail could be sent there, by its form alone. Linear in the text."""
    local, at, domain = text.rpartition("@")
    if not at or len(local) > LOCAL_LENGTH_MAX or len(domain) > DOMAIN_LENGTH_MAX:
        return False
    return _LOCAL.fullmatch(local) is not None and all(map(_LABEL.fullmatch, domain.removesuffix(".").split(".")))
