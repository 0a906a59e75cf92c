"""Addresses as people write them, and what is called for them."""

import pytest

from pointsman.runtime.outbound import url_of


@pytest.mark.parametrize(
    ("address", "host", "target"),
    [
        ("http://müller.example/x", b"xn--mller-kva.example", b"/x"),
        ("https://straße.example/ä b?q=ü", b"xn--strae-oqa.example", b"/%C3%A4%20b?q=%C3%BC"),
        ("https://hooks.example/a%20b?x=1&y=%C3%BC", b"hooks.example", b"/a%20b?x=1&y=%C3%BC"),
        ("HTTPS://Hooks.Example:8443", b"hooks.example", b"/"),
        ("http://[::1]:8080/", b"::1", b"/"),
        (" http://localhost/x\n", b"localhost", b"/x"),
    ],
)
def test_a_name_in_any_script_is_called_by_its_ascii_form(address: str, host: bytes, target: bytes) -> None:
    """`http://müller.example/x` raised, and the event stayed queued for ever without a reason."""
    called = url_of(address)
    assert (called.host, called.target) == (host, target)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hooks.example",
        "ftp://hooks.example/",
        "http://",
        "http:///x",
        "http://a b/",
        "http://hooks.example:99999/",
        "http://hooks.example:²/",
        "http://[::1/",
        "http://\u2028/",
        "http://a\0b/",
        "http://" + "ü" * 100_000 + "/",
        "http://hooks.example/\ud800",
    ],
)
def test_an_address_that_is_none_is_a_value_error(address: str) -> None:
    with pytest.raises(ValueError) as refused:
        url_of(address)
    assert len(str(refused.value)) < 1_000
