"""Reading raw mail: charsets, bombs, threading, automatic mail, attachments."""

import csv
import json
import os
import time
from pathlib import Path

import pytest

from pointsman_intake.mail.charsets import decode
from pointsman_intake.mail.html import text_of_html
from pointsman_intake.mail.message import read_mail
from pointsman_intake.mail.quotes import new_part
from pointsman_intake.parsed import NotUnderstood, ParsedMessage

SAMPLES = Path(os.environ.get("POINTSMAN_SAMPLES", "/nonexistent")) / "intake"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="POINTSMAN_SAMPLES is not set")


def a_mail(
    body: bytes = b"Hello", own: tuple[str, ...] = (), forms: tuple[str, ...] = (), **headers: str
) -> ParsedMessage:
    given = {"From": "Ada <Ada@Example.com>", "Subject": "x", "Message-ID": "<a@x>"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return read_mail(head.encode() + b"\r\n" + body, own, forms)


@pytest.mark.parametrize(
    ("content", "declared", "text"),
    [
        ("Grüße".encode("latin-1"), "utf-8", "Grüße"),
        ("a – b".encode(), "gb2312", "a – b"),
        (b"plain", "x-no-such-charset", "plain"),
        ("Ärger".encode("cp850"), "cp-850", "Ärger"),
        ("שלום".encode("iso-8859-8"), "iso-8859-8-i", "שלום"),
        ("你好".encode("gb18030"), "gb2312", "你好"),
        ("Привет, как дела? Где мой заказ?".encode("koi8-r"), "koi8-r", "Привет, как дела? Где мой заказ?"),
        ("curly “quotes”".encode("cp1252"), "iso-8859-1", "curly “quotes”"),
        ("naïve".encode(), None, "naïve"),
        ("Где мой заказ? Прошло уже две недели.".encode("cp1251"), None, "Где мой заказ? Прошло уже две недели."),
        (b"\xff\xfe\x00", "base64", "ÿþ\x00"),
    ],
)
def test_text_survives_its_charset(content: bytes, declared: str | None, text: str) -> None:
    """zammad#2224, #6054: a wrong or unknown charset lost the mail."""
    assert decode(content, declared) == text


def test_encoded_words_are_joined_before_they_are_decoded() -> None:
    assert a_mail(Subject="=?utf-8?B?w4Q=?= =?utf-8?Q?rger_?=\r\n =?utf-8?b?w6Q=?= end").subject == "Ärger ä end"
    half = "=?utf-8?b?4oI=?= =?utf-8?b?rA==?="
    assert a_mail(Subject=half).subject == "€"


def test_a_line_break_inside_an_encoded_word_makes_no_header() -> None:
    said = a_mail(Subject="=?utf-8?q?one=0D=0ABcc:_evil=40x?=")
    assert said.subject == "one Bcc: evil@x"
    assert said.cc == ()


def test_bombs_are_cut_or_refused_quickly() -> None:
    """freescout#4293, zammad#1877: one mail stopped the mailbox."""
    began = time.process_time()
    words = a_mail(Subject="=?utf-8?q?a?= " * 20_000)
    assert words.subject is not None
    assert len(words.subject) <= 998
    assert a_mail(To="(" * 3_000 + "x@y").text == "Hello"
    nested = (b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(1200))
    with pytest.raises(NotUnderstood, match="parts"):
        read_mail(b"From: a@x\r\n" + b"".join(nested))
    with pytest.raises(NotUnderstood, match="headers"):
        read_mail(b"X: " + b"a" * 3_000_000)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("raw", [b"", b"\x00\x01\x02", b"no headers at all"])
def test_what_is_no_mail_is_not_understood(raw: bytes) -> None:
    with pytest.raises(NotUnderstood):
        read_mail(raw)


def test_a_mail_cites_what_it_answers_the_nearest_first() -> None:
    said = a_mail(In_Reply_To="<foreign@y>", References="<root@x> <mid@x>")
    assert said.cites == ("foreign@y", "mid@x", "root@x")
    assert said.thread == "root@x"
    assert a_mail().thread == "a@x"


def test_the_same_mail_has_the_same_id_and_another_body_another() -> None:
    assert a_mail().external_id == a_mail(Received="by mx").external_id
    assert a_mail().external_id != a_mail(b"Something else").external_id
    assert a_mail(Message_ID="").external_id == a_mail(Message_ID="").external_id


def test_a_form_mail_from_ourselves_is_of_its_reply_to() -> None:
    said = a_mail(own=("help@acme.example",), From="help@acme.example", Reply_To="Ada <ada@example.com>")
    assert said.person.email == "ada@example.com"


@pytest.mark.parametrize("forms", [("forms@site.example",), ("@SITE.example",)])
def test_a_contact_forms_reply_to_is_the_customer(forms: tuple[str, ...]) -> None:
    form = {"From": "Contact form <forms@site.example>", "Reply_To": "Ada <ada@example.com>"}
    said = a_mail(b"Hello", (), forms, **form)
    assert (said.person.email, said.person.name) == ("ada@example.com", "Ada")
    assert a_mail(b"Hello", (), (), **form).person.email == "forms@site.example"
    assert a_mail(forms=forms, From="forms@site.example").person.email == "forms@site.example"
    assert a_mail(forms=forms, From="Ada <ada@example.com>", Reply_To="b@x").person.email == "ada@example.com"


@pytest.mark.parametrize("mark", [{"Auto_Submitted": "auto-generated"}, {"X_Loop": "us"}, {"In_Reply_To": "<b@x>"}])
def test_our_own_mail_that_came_back_is_a_loop_before_it_is_a_form(mark: dict[str, str]) -> None:
    own = {"From": "help@acme.example", "Reply_To": "Ada <ada@example.com>", **mark}
    said = a_mail(b"Hello", ("help@acme.example",), (), **own)
    assert (said.person.email, said.automatic) == ("help@acme.example", "notification")
    listed = a_mail(b"Hello", ("help@acme.example",), ("help@acme.example",), **own)
    assert listed.person.email == "ada@example.com"


def test_a_mail_without_an_id_is_named_by_its_date_too() -> None:
    monday, later = "Mon, 5 Jan 2026 10:00:00 +0000", "Mon, 2 Feb 2026 10:00:00 +0000"
    first, again, other = (a_mail(Message_ID="", Date=date) for date in (monday, monday, later))
    assert (first.external_id, first.reference) == (again.external_id, again.reference)
    assert first.external_id != other.external_id
    assert first.thread != other.thread


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Auto_Submitted": "auto-replied"}, "auto_reply"),
        ({"Auto_Submitted": "auto-replied", "Subject": "Abwesenheitsnotiz"}, "out_of_office"),
        ({"Auto_Submitted": "auto-generated", "Subject": "Automatic reply: Printer"}, "out_of_office"),
        ({"Precedence": "bulk", "Subject": "Out of Office: back on Monday"}, "out_of_office"),
        ({"Return_Path": "<>", "Subject": "Automatische Antwort: Drucker"}, "out_of_office"),
        ({"From": "MAILER-DAEMON@mx.example"}, "bounce"),
        ({"X_Failed_Recipients": "ada@example.com"}, "bounce"),
        ({"Content_Type": 'multipart/report; report-type=delivery-status; boundary="b"'}, "bounce"),
        ({"Content_Type": 'multipart/report; report-type=disposition-notification; boundary="b"'}, "notification"),
        ({"X_Autoreply": "yes"}, "auto_reply"),
    ],
)
def test_what_no_person_wrote_is_told_by_its_headers(headers: dict[str, str], kind: str) -> None:
    """zammad#1131, #4941, osTicket#1041: answers to answers."""
    said = a_mail(b"Hello", (), (), **headers)
    assert (said.automatic, said.unanswerable) == (kind, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"List_Id": "<support-team.customer.example>", "Precedence": "list"},
        {"List_Id": "<team.customer.example>", "Subject": "Out of office furniture"},
        {"Precedence": "bulk"},
        {"Precedence": "list", "Subject": "Absence of an invoice"},
        {"Auto_Submitted": "auto-generated"},
        {"Auto_Submitted": "auto-generated", "Subject": "Question about a vacation"},
        {"Return_Path": "<>"},
        {"From": "postmaster@customer.example"},
        {"X_Forwarded_To": "help@acme.example", "X_Forwarded_For": "old@acme.example help@acme.example"},
        {"X_Auto_Response_Suppress": "All"},
        {"From": "no-reply@forms.example", "Reply_To": "ada@example.com"},
    ],
)
def test_people_write_through_lists_forms_and_forwarders(headers: dict[str, str]) -> None:
    """An answer through a group of the customer's woke nobody."""
    said = a_mail(b"Hello", (), (), **headers)
    assert (said.automatic, said.unanswerable) == (None, True)


@pytest.mark.parametrize("headers", [{}, {"Auto_Submitted": "no"}, {"Subject": "Re: Automatic reply: Printer"}])
def test_a_persons_mail_has_no_mark(headers: dict[str, str]) -> None:
    said = a_mail(b"Hello", (), (), **headers)
    assert (said.automatic, said.unanswerable) == (None, False)


REPORT = b"""--b\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n
--b\r\nContent-Type: message/delivery-status\r\n
Reporting-MTA: dns; mx.example\r\n
Final-Recipient: rfc822; Ada@Example.com\r\nAction: %s\r\nStatus: 5.1.1\r
Diagnostic-Code: smtp; 550 no such user\r\n
--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <out@acme.example>\r\nSubject: Re\r\n\r\nHello\r\n--b--\r\n"""


@pytest.mark.parametrize(("action", "failed"), [(b"failed", True), (b"delayed", False), (b"delivered", False)])
def test_a_delivery_report_names_the_mail_its_recipient_and_the_reason(action: bytes, failed: bool) -> None:
    said = a_mail(REPORT % action, Content_Type='multipart/report; report-type=delivery-status; boundary="b"')
    bounced = said.bounced
    assert bounced is not None
    assert (bounced.failed, bounced.references, bounced.recipients) == (
        failed,
        ("out@acme.example",),
        ("ada@example.com",),
    )
    assert bounced.reason == "smtp; 550 no such user"


def test_a_report_in_prose_quotes_the_headers_and_a_return_path_may_name_the_recipient() -> None:
    prose = b"Your message could not be delivered.\r\n\r\n> Message-Id: <out@acme.example>\r\n"
    bounced = a_mail(prose, From="MAILER-DAEMON@mx.example", To="bounces+ada=example.com@acme.example").bounced
    assert bounced is not None
    assert (bounced.failed, bounced.references, bounced.recipients) == (
        True,
        ("out@acme.example",),
        ("ada@example.com",),
    )


def test_text_comes_of_html_where_there_is_no_plain_one() -> None:
    html = b"<html><head><style>p{}</style></head><body><p>One &amp; two</p><script>x()</script><div>three</div></body>"
    said = a_mail(html, Content_Type="text/html; charset=utf-8")
    assert said.text == "One & two\nthree"
    assert said.html is not None
    assert text_of_html("a<br>b") == "a\nb"


def test_attachments_come_with_their_bytes_and_names() -> None:
    body = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nSee below\r\n--b\r\nContent-Type: application/pdf\r\n"
        b"Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n"
    )
    said = a_mail(body, Content_Type='multipart/mixed; boundary="b"')
    assert said.text.strip() == "See below"
    assert [(file.name, file.content_type, file.content) for file in said.files] == [
        ("résumé.pdf", "application/pdf", b"%PDF")
    ]


def test_nul_is_removed() -> None:
    assert a_mail(b"a\x00b").text == "ab"


def test_a_trailing_quotation_is_cut_and_inline_answers_stay() -> None:
    """freescout#349: inline answers vanished."""
    assert new_part("New.\n\nOn Mon, 1 Jan 2026, Anna <a@x> wrote:\n> old\n> older\n") == "New."
    inline = "> first?\nyes\n> second?\nno\n"
    assert new_part(inline) is None
    assert new_part("> only a quotation") is None
    assert new_part("Just text") is None
    assert new_part("Ja.\n\n-----Ursprüngliche Nachricht-----\nVon: x\nText") == "Ja."


@needs_samples
def test_every_sample_is_read_or_refused_and_the_stated_facts_hold() -> None:
    csv.field_size_limit(10**9)
    wrong = []
    with (SAMPLES / "index.tsv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["path"].startswith(("email/", "bounce/"))]
    for row in rows:
        try:
            said = read_mail((SAMPLES / row["path"]).read_bytes())
        except NotUnderstood:
            continue
        expected = json.loads(row["expected_json"] or "{}")
        stated = expected.get("stated")
        id = stated.get("message_id") if isinstance(stated, dict) else None
        if isinstance(id, str) and said.reference != id.strip("<>"):
            wrong.append((row["path"], id, said.reference))
        policy = expected.get("policy")
        if isinstance(policy, dict) and policy.get("auto") is True and not said.unanswerable:
            wrong.append((row["path"], "automatic", None))
    assert wrong == []
