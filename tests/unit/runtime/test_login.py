"""Address, user and password of a database: no character of a password is taken for a part of the address."""

from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.runtime.login import Login, login

PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
ADDRESSES = st.sampled_from(
    [
        "postgresql://db:5432/pointsman",
        "postgresql://[::1]:5432/pointsman?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql://one:5432,two:5433/pointsman?target_session_attrs=read-write",
        "postgresql:///pointsman?host=/run/postgresql&application_name=a@b",
    ]
)


@given(ADDRESSES, PASSWORDS)
def test_a_password_beside_the_address_is_taken_as_it_is(address: str, password: str) -> None:
    assert login(address, user="boss", password=password) == Login(address, "boss", password)


@given(ADDRESSES, PASSWORDS)
def test_a_password_in_the_address_is_read_by_the_book(address: str, password: str) -> None:
    within = address.replace("//", f"//boss:{quote(password, safe='')}@", 1)
    assert login(within) == Login(address, "boss", password)


@given(st.binary(min_size=6))
def test_a_base64_password_in_the_address_is_read_as_it_was_typed(random: bytes) -> None:
    password = b64encode(random).decode()
    address = "postgresql://db:5432/pointsman"
    assert login(address.replace("//", f"//boss:{password}@", 1)) == Login(address, "boss", password)


@pytest.mark.parametrize("password", ["12/c", "a@b", "p#q?r", "[x]", "a/b%2Fc", "host:1/db", "ü /", "a\nb/"])
def test_what_an_address_cannot_hold_is_the_password(password: str) -> None:
    assert login(f"postgresql://boss:{password}@db/pointsman") == Login("postgresql://db/pointsman", "boss", password)


@pytest.mark.parametrize("address", ["", "db", "mysql://db/x", "postgresql:db", "postgresql://db:port/secret"])
def test_what_is_no_address_is_refused_without_telling_it(address: str) -> None:
    with pytest.raises(ValueError, match="postgresql://HOST:PORT/NAME") as refused:
        login(address)
    assert "secret" not in str(refused.value)


def test_a_password_is_in_no_log_line() -> None:
    assert "secret" not in repr(login("postgresql://boss:secret@db/pointsman"))
