"""Mail that no person wrote, by its headers: it never wakes a ticket, never gets an answer.

Sources: RFC 3834 (Auto-Submitted), RFC 3462 (multipart/report), RFC 2919 (List-Id), and the headers of common
autoresponders.
"""

from dataclasses import dataclass
from email.message import Message

import re2

from pointsman.contracts.shapes import Automatic
from pointsman_intake.mail.headers import addresses_of, raw_header, text_of_header

_DAEMON = re2.compile(r"(?i)^(mailer-daemon|postmaster|mail-daemon|mailerdaemon)@")
_AWAY = re2.compile(
    r"(?i)out of (the )?office|automatic reply|auto(matic)?[- ]?(reply|response|antwort)|autoreply|abwesen|"
    r"fuori (sede|ufficio)|risposta automatica|absence|vacation|r[ée]ponse automatique|respuesta autom[áa]tica|"
    r"автоответ|вне офиса|自动回复|自動回覆"
)


@dataclass(frozen=True, slots=True)
class Marked:
    """What kind of automatic mail it is, and the header that says so."""

    kind: Automatic
    evidence: str


def automatic(message: Message) -> Marked | None:
    """None for a person's mail."""
    if message.get_content_type() == "multipart/report":
        kind = str(message.get_param("report-type") or "delivery-status").lower()
        return Marked("notification" if kind == "disposition-notification" else "bounce", "Content-Type")
    return _bounce(message) or _auto_submitted(message) or _autoresponder(message) or _list(message)


def _bounce(message: Message) -> Marked | None:
    path = message.get("return-path")
    if path is not None and str(path).strip() in ("<>", "< >", '""', ""):
        if _AWAY.search(text_of_header(raw_header(message, "subject"))):
            return Marked("out_of_office", "Return-Path")
        if message.get("auto-submitted") is None or _from_daemon(message):
            return Marked("bounce", "Return-Path")
    if _from_daemon(message):
        return Marked("bounce", "From")
    if message.get("x-failed-recipients") is not None:
        return Marked("bounce", "X-Failed-Recipients")
    return None


def _from_daemon(message: Message) -> bool:
    return any(_DAEMON.match(address) for _, address in addresses_of(message, "from"))


def _auto_submitted(message: Message) -> Marked | None:
    value = raw_header(message, "auto-submitted").partition(";")[0].strip().lower()
    if not value or value == "no":
        return None
    if value == "auto-replied":
        away = _AWAY.search(text_of_header(raw_header(message, "subject")))
        return Marked("out_of_office" if away else "auto_reply", "Auto-Submitted")
    return Marked("notification", "Auto-Submitted")


def _autoresponder(message: Message) -> Marked | None:
    for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-mail-autoreply"):
        if raw_header(message, name).strip().lower() not in ("", "no"):
            away = _AWAY.search(text_of_header(raw_header(message, "subject")))
            return Marked("out_of_office" if away else "auto_reply", name)
    if raw_header(message, "precedence").strip().lower() == "auto_reply":
        return Marked("auto_reply", "Precedence")
    return None


def _list(message: Message) -> Marked | None:
    if message.get("list-id") is not None:
        return Marked("list", "List-Id")
    if raw_header(message, "precedence").strip().lower() in ("bulk", "list", "junk"):
        return Marked("list", "Precedence")
    return None
