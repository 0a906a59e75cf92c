"""Mail that was made to be slow to read: named after what it is made of. Each is at most a few megabytes."""

import random

_HEAD = b"From: a@x\r\nSubject: s\r\n"


def _of(kind: bytes, body: bytes) -> bytes:
    return _HEAD + b"Content-Type: " + kind + b"\r\n\r\n" + body


def _bytes(seed: int, count: int) -> bytes:
    """Bytes beyond ASCII, which look like no charset."""
    return bytes(random.Random(seed).choices(range(128, 256), k=count))


def bombs() -> dict[str, bytes]:
    """Name → raw mail."""
    return {
        "spaces": _HEAD + b"\r\n" + b" " * 1_000_000 + b"x",
        "div": _of(b"text/html", b"<div>" * 80000),
        "attrs": _of(b"text/html", b"<a " + b" ".join(b"a%d=1" % i for i in range(24000)) + b">x"),
        "param": _of(b'text/plain; a="' + b'\\";' * 6000 + b'"', b"x"),
        "param2": _of(b"text/plain; " + b"a=b;" * 6000, b"x"),
        "puny": _of(b"text/plain; charset=punycode", b"a-" * 100000),
        "bia": _of(b"text/html", b"<b><i><a>" * 20000),
        "idna": _of(b"text/plain; charset=idna", b"a.\xff" * 100000),
        "nl": _HEAD + b"\r\n" + b"\n" * 1_000_000,
        "cr": _HEAD + b"\r\n" + b"\r" * 1_000_000,
        "crnl": _HEAD + b"\r\n" + b"a\r\n" * 300_000,
        "onwrote": _HEAD + b"\r\n" + b"On Monday someone wrote:\n" * 40_000,
        "onwrote2": _HEAD + b"\r\n" + b"On Monday someone wrote:\n> a\nb\n" * 30_000,
        "on": _HEAD + b"\r\n" + b"On a " * 200_000,
        "dash": _HEAD + b"\r\n" + b"-" * 1_000_000,
        "us": _HEAD + b"\r\n" + b"_" * 1_000_000,
        "from": _HEAD + b"\r\n" + b"From: x\n" * 100_000,
        "fromsent": _HEAD + b"\r\n" + b"From: x\nSent" * 80_000,
        "gt": _HEAD + b"\r\n" + b">\n" * 400_000,
        "hdrs": b"a:\n" * 300000 + b"\n",
        "hdrs2": _HEAD + b"X-A: b\r\n" * 100000 + b"\r\n",
        "fold": b"Subject: a\r\n" + b" a\r\n" * 300000 + b"\r\n",
        "words": b"From: a@x\r\nSubject: " + b"=?utf-8?q?a?= " * 60000 + b"\r\n\r\n",
        "eqq": b"From: a@x\r\nSubject: " + b"=?" * 400000 + b"\r\n\r\n",
        "paren": b"From: " + b"(" * 500000 + b"\r\n\r\n",
        "paren2": b"From: <" + b"()" * 4000 + b"x@y>\r\n" * 10 + b"\r\n",
        "angles": b"From: " + b"<" * 8000 + b"\r\n\r\n",
        "comma": b"".join(b"To: " + b"a@b," * 2000 + b"\r\n" for _ in range(30)) + b"\r\n",
        "refs": _HEAD + b"References: " + b"<a@b> " * 100000 + b"\r\n\r\n",
        "mid": _HEAD + b"Message-ID: " + b"<" * 500000 + b"\r\n\r\n",
        "bound": _of(b"multipart/mixed; boundary=b", b"--b\n" * 200000),
        "boundx": _of(b"multipart/mixed; boundary=b", b"--bx\n" * 200000),
        "bounddash": _of(b"multipart/mixed; boundary=" + b"-" * 70, b"-" * 1_000_000),
        "nested": b"From: a@x\r\n"
        + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(1200)),
        "nested30": b"From: a@x\r\n"
        + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(29))
        + b"\r\n"
        + b"\n--b" * 200000,
        "rfc822": b"From: a@x\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 20000,
        "digest": _of(b"multipart/digest; boundary=b", b"--b\n\nSubject: x\n\nhi\n" * 5000),
        "dsn": _of(b"message/delivery-status", b"A: b\n\n" * 100000),
        "b64": _of(b"text/plain\r\nContent-Transfer-Encoding: base64", b"=" * 1_000_000),
        "b64b": _of(b"text/plain\r\nContent-Transfer-Encoding: base64", b"A=B" * 330_000),
        "qp": _of(b"text/plain\r\nContent-Transfer-Encoding: quoted-printable", b"=\r" * 500_000),
        "qp2": _of(b"text/plain\r\nContent-Transfer-Encoding: quoted-printable", b" \t" * 500_000),
        "uu": _of(b"text/plain\r\nContent-Transfer-Encoding: x-uuencode", b"!\n" * 500_000),
        "rnd": _of(b"text/plain", _bytes(1, 1_000_000)),
        "rndparts": _of(
            b"multipart/mixed; boundary=b", b"".join(b"--b\n\n" + _bytes(i, 1500) + b"\n" for i in range(490))
        ),
        "utf7": _of(b"text/plain; charset=utf-7", b"+2AA-" * 200000),
        "zip": _of(b"text/html", b"&" * 1_000_000),
        "num": _of(b"text/html", b"&#" + b"9" * 500_000),
        "cmt": _of(b"text/html", b"<!--<b>" * 140_000),
        "quote": _of(b"text/html", b'<a "' * 250_000),
        "style": _of(b"text/html", b"<p style='display:none'>" * 40_000),
        "style2": _of(b"text/html", b"<td style='opacity:0.5'>" * 40_000),
        "styleun": _of(b"text/html", b"<style>" * 140_000),
        "alt": _of(b"text/html", b"<img alt=x>" * 90_000),
        "altalt": _of(b"text/html", (b"<img " + b"xalt " * 800 + b">") * 250),
        "sp": _of(b"text/html", b"<p>" + b" " * 1_000_000 + b"x"),
        "pre": _of(b"text/html", b"<pre>" + b"\n" * 1_000_000),
        "names": _of(
            b"multipart/mixed; boundary=b",
            b"".join(
                b"--b\nContent-Disposition: attachment; " + b"filename*0*=a; " * 140 + b"\n\nx\n" for i in range(450)
            ),
        ),
        "names2": _of(
            b"multipart/mixed; boundary=b",
            b"".join(
                b'--b\nContent-Disposition: attachment; filename="' + b"=?utf-8?q?a?= " * 150 + b'"\n\nx\n'
                for i in range(450)
            ),
        ),
        "parts8k": _of(
            b"multipart/mixed; boundary=b",
            b"".join(b"--b\nContent-Type: text/plain; " + b'a="\\"";' * 250 + b"\n\nx\n" for i in range(450)),
        ),
        "htmlparts": _of(
            b"multipart/mixed; boundary=b",
            b"".join(b"--b\nContent-Type: text/html\n\n" + b"<b>" * 600 + b"\n" for i in range(450)),
        ),
        "altparts": _of(
            b"multipart/mixed; boundary=b",
            b"".join(
                b"--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nx\n--c\nContent-Type: text/html\n\n"
                + b"<b>" * 600
                + b"\n--c--\n"
                for i in range(150)
            ),
        ),
        "date": _HEAD + b"Date: " + b"(" * 500000 + b"\r\n\r\n",
        "away": _HEAD + b"Return-Path: <>\r\nSubject: " + b"auto " * 200000 + b"\r\n\r\n",
        "xheaders": b"".join(b"X-%d: " % i + b"=?utf-8?q?a?= " * 600 + b"\r\n" for i in range(50)) + b"\r\n",
        "xheaders8": b"".join(b"X-%d: " % i + _bytes(i, 2000) + b"\r\n" for i in range(50)) + b"\r\n",
    }
