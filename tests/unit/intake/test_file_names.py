"""Files' names and forms, whatever somebody gives for one."""

import random
from urllib.parse import unquote

import pytest

from pointsman.runtime.http.problems import Problem
from pointsman_intake.api.forms import upload_of
from pointsman_intake.file_names import NAME_LENGTH_MAX, disposition, file_name, named_by

TYPE = 'multipart/form-data; boundary="b"'
NAMES = [
    "plain.txt",
    "Rechnung März.pdf",
    "請求書.pdf",
    'a"b\\c.txt',
    "a\r\nSet-Cookie: x=1.txt",
    "a\0b.txt",
    "half \ud800 a character.txt",
    "invoice\u202efdp.exe",
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "percent%22%0d%0a.txt",
    "semi;colon=1.txt",
    "x" * 1_000_000 + ".pdf",
    "ж" * 1_000_000 + ".pdf",
    "." * 1000,
    " ",
    "",
]


def form(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(b"--b\r\n%b\r\n\r\n%b\r\n" % (head.encode(), content) for head, content in parts) + b"--b--\r\n"


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_leaves_as_one_header_and_comes_back_as_it_is(name: str) -> None:
    header = disposition(name)
    header.encode("ascii")
    assert header.isprintable()
    assert len(header) < 4_000
    kept = file_name(name)
    if kept is None:
        assert header == "attachment"
        return
    assert len(kept) <= NAME_LENGTH_MAX
    assert not set("/\\\0\r\n\u202e") & set(kept)
    plain = header.partition('filename="')[2].partition('"')[0]
    _, encoded, exact = header.partition("filename*=UTF-8''")
    assert (unquote(exact) if encoded else plain) == kept
    assert file_name(kept) == kept


def test_a_long_name_keeps_its_ending() -> None:
    assert str(file_name("x" * 300 + ".pdf")).endswith("x.pdf")
    assert str(file_name("x" * 1_000_000 + ".pdf")).endswith("x.pdf")


def test_any_random_name_can_be_kept_and_sent() -> None:
    chance = random.Random(7)
    for _ in range(2_000):
        name = "".join(chr(chance.choice((chance.randrange(128), chance.randrange(0x11_0000)))) for _ in range(20))
        kept = file_name(name)
        assert kept is None or (kept.encode() and file_name(kept) == kept), ascii(name)
        assert disposition(name).encode("ascii").isascii(), ascii(name)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://x.example/a/b%20c.pdf?token=1", "b c.pdf"),
        ("https://x.example/", None),
        ("http://[", None),
        ("https://x.example/%ff%00.pdf", "\ufffd.pdf"),
    ],
)
def test_an_address_names_its_file_or_it_has_none(url: str, name: str | None) -> None:
    assert named_by(url) == name


def test_a_form_is_its_file_and_not_the_envelope() -> None:
    head = 'Content-Disposition: form-data; name="file"; filename="März.pdf"\r\nContent-Type: application/pdf'
    upload = upload_of(TYPE, form((head, b"%PDF\r\n--not the boundary\r\n")))
    assert (upload.name, upload.content_type) == ("März.pdf", "application/pdf")
    assert upload.content == b"%PDF\r\n--not the boundary\r\n"


def test_a_form_may_name_its_file_itself() -> None:
    file = ('Content-Disposition: form-data; name="upload"; filename="IMG_0001.JPG"', b"\xff\xd8")
    named = ('Content-Disposition: form-data; name="name"', b"Quittung.jpg")
    assert upload_of(TYPE, form(file, named)).name == "Quittung.jpg"
    encoded = ("Content-Disposition: form-data; name=f; filename*=UTF-8''M%C3%A4rz.pdf", b"x")
    assert upload_of(TYPE, form(encoded)).name == "März.pdf"


FILE = ('Content-Disposition: form-data; name="file"; filename="a"', b"x")


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("multipart/form-data", form(FILE), 400),
        ("multipart/form-data; boundary=other", form(FILE), 400),
        (TYPE, b"", 400),
        (TYPE, form(FILE)[:-8], 400),
        (TYPE, form((FILE[0] * 400, b"x")), 400),
        (TYPE, form(("Content-Type: text/plain", b"x")), 400),
        (TYPE, form(*[FILE] * 40), 400),
        (TYPE, form(), 422),
        (TYPE, form(FILE, FILE), 422),
        (TYPE, form(FILE, ('Content-Disposition: form-data; name="nmae"', b"x")), 422),
    ],
)
def test_what_is_no_form_with_one_file_is_refused(kind: str, body: bytes, status: int) -> None:
    with pytest.raises(Problem) as refused:
        upload_of(kind, body)
    assert refused.value.status == status


def test_a_form_that_is_broken_anyhow_is_read_or_refused() -> None:
    chance = random.Random(11)
    whole = form(FILE, ('Content-Disposition: form-data; name="name"', b"b"))
    for _ in range(3_000):
        body = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(body))
            body[place : place + chance.randrange(3)] = chance.choice(
                (b"", b"\r\n", b"--b", b'"', b";", b"\0", b"\xff")
            )
        assert _status_of(bytes(body)) in (200, 400, 422)


def _status_of(body: bytes) -> int:
    try:
        upload_of(TYPE, body)
    except Problem as refused:
        return refused.status
    return 200
