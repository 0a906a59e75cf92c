"""Mail that programs sent or passed on, by its headers. There are three verdicts, not one.

- *Never answer automatically*: lists, forwarding rules, web forms, an empty Return-Path, a postmaster. People write
  through all of these, so such mail opens, wakes and starts clocks like any other.
- *Does not open or wake*: out-of-office notes and other automatic answers. Kept and shown on its ticket.
- *Delivery report*: about a mail of ours (pointsman_intake.mail.reports).

Sources: RFC 3834 (Auto-Submitted), RFC 3462 (multipart/report), RFC 2919 (List-Id), RFC 2369 (List-*), and the headers
of common autoresponders and forwarders.
"""

from dataclasses import dataclass
from email.message import Message
from typing import Any

import re2

from pointsman.contracts.shapes import Automatic
from pointsman_intake.mail.headers import addresses_of, raw_header, text_of_header

_DAEMON = re2.compile(r"(?i)^(mailer-daemon|mail-daemon|mailerdaemon)@")
_POSTMASTER = re2.compile(r"(?i)^(postmaster|mailer|mta|mail-?delivery[^@]*)@")
_UNANSWERED = re2.compile(r"(?i)^(postmaster|no-?reply|do-?not-?reply)@")
_AWAY = re2.compile(
    r"(?i)out of (the )?office|automatic reply|auto(matic)?[- ]?(reply|response|antwort)|autoreply|abwesen|"
    r"fuori (sede|ufficio)|risposta automatica|absence|vacation|r[ée]ponse automatique|respuesta autom[áa]tica|"
    r"автоответ|вне офиса|自动回复|自動回覆"
)
"""Of mail that says itself to be an automatic answer: whether its writer is away."""
_BEGINS_AWAY = re2.compile(
    r"(?i)^[\s\[\](){}*!:-]*(out of (the )?office|auto(matic)?[- ]?(reply|response)|automatische antwort|abwesenheit|"
    r"fuori (sede|ufficio)|risposta automatica|r[ée]ponse automatique|respuesta autom[áa]tica|"
    r"автоответ|вне офиса|自动回复|自動回覆)"
)
"""Of mail that only a program passed on: a person may well write about a vacation."""
_UNDELIVERED = re2.compile(
    r"(?i)undeliver|not be delivered|delivery (status|has failed|failed|failure|incomplete|notification)|returned mail|"
    r"returned to sender|failure notice|mail delivery|unzustellbar|non remis|mancato recapito|no entregado"
)
_AUTORESPONDERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-mail-autoreply")
_PASSED_ON = (
    "list-id", "list-post", "list-unsubscribe", "list-help", "x-auto-response-suppress", "x-loop", "x-forwarded-to",
    "x-forwarded-for", "resent-from", "x-google-group-id", "feedback-id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """`automatic`: it neither opens nor wakes, as this kind (`bounce`: a delivery report). `unanswerable`: no automatic
    reply answers it. `evidence` is the header that says so. `reports`: it may be a delivery report, and is one if it is
    about a mail of ours."""

    automatic: Automatic | None = None
    unanswerable: bool = False
    evidence: str = ""
    reports: bool = False


PERSON = Verdict()


def automatic(message: Message) -> Verdict:
    """The verdict on a mail; `PERSON` where nothing marks it."""
    return _report(message) or _answer(message) or _passed_on(message) or PERSON


def _report(message: Message) -> Verdict | None:
    if message.get_content_type() == "multipart/report":
        kind = str(message.get_param("report-type") or "delivery-status").lower()
        bounce = kind == "delivery-status"
        return Verdict("bounce" if bounce else "notification", True, "Content-Type", reports=bounce)
    if message.get("x-failed-recipients") is not None:
        return Verdict("bounce", True, "X-Failed-Recipients", reports=True)
    if _auto_submitted(message) == "auto-replied" and not _from(message, _DAEMON):
        return None
    if _from(message, _DAEMON):
        return Verdict("bounce", True, "From", reports=True)
    if (_no_return_path(message) or _from(message, _POSTMASTER)) and _UNDELIVERED.search(_subject(message)):
        return Verdict(None, True, "Subject", reports=True)
    return None


def _answer(message: Message) -> Verdict | None:
    away = _AWAY.search(_subject(message))
    if _auto_submitted(message) == "auto-replied":
        return Verdict("out_of_office" if away else "auto_reply", True, "Auto-Submitted")
    for name in _AUTORESPONDERS:
        if raw_header(message, name).strip().lower() not in ("", "no"):
            return Verdict("out_of_office" if away else "auto_reply", True, name)
    if _precedence(message) == "auto_reply":
        return Verdict("auto_reply", True, "Precedence")
    return None


def _passed_on(message: Message) -> Verdict | None:
    evidence = _mark(message)
    if evidence is None:
        return None
    if evidence != "list-id" and _BEGINS_AWAY.search(_subject(message)):
        return Verdict("out_of_office", True, "Subject")
    return Verdict(None, True, evidence)


def _mark(message: Message) -> str | None:
    """The header by which a program had its hands on it."""
    for name in _PASSED_ON:
        if message.get(name) is not None:
            return name
    if _precedence(message) in ("bulk", "list", "junk"):
        return "precedence"
    if _auto_submitted(message) not in ("", "no"):
        return "auto-submitted"
    if _no_return_path(message):
        return "return-path"
    return "from" if _from(message, _UNANSWERED) else None


def _from(message: Message, who: Any) -> bool:
    return any(who.match(address) for _, address in addresses_of(message, "from"))


def _subject(message: Message) -> str:
    return text_of_header(raw_header(message, "subject"))


def _precedence(message: Message) -> str:
    return raw_header(message, "precedence").strip().lower()


def _auto_submitted(message: Message) -> str:
    return raw_header(message, "auto-submitted").partition(";")[0].strip().lower()


def _no_return_path(message: Message) -> bool:
    path = message.get("return-path")
    return path is not None and str(path).strip() in ("<>", "< >", '""', "")
