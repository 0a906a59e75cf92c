"""Secrets at rest: only the installation's keys open them, and only in their place."""

import os
from pathlib import Path

import pytest

from pointsman.runtime.sealing import KEY_BYTES, NotOpened, SealingKeys, generate_sealing_key


def test_a_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secrets.key"
    generate_sealing_key(path)
    assert os.stat(path).st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        generate_sealing_key(path)
    keys = SealingKeys.read(path)
    assert keys.open(keys.seal(b"s3cret", "here"), "here") == b"s3cret"


@pytest.mark.parametrize("content", ["", "c2hvcnQ=\n", "not base64: é\n"])
def test_a_file_without_a_key_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(ValueError, match="holds no sealing key"):
        SealingKeys.read(tmp_path / "key")


def test_the_same_value_is_sealed_differently_each_time_and_does_not_show() -> None:
    keys = SealingKeys([b"k" * KEY_BYTES])
    first, second = keys.seal(b"s3cret", "here"), keys.seal(b"s3cret", "here")
    assert first != second
    assert b"s3cret" not in first


def test_a_value_moved_elsewhere_or_changed_does_not_open() -> None:
    keys = SealingKeys([b"k" * KEY_BYTES])
    sealed = keys.seal(b"s3cret", "intake/acme/crm")
    with pytest.raises(NotOpened, match="moved"):
        keys.open(sealed, "intake/other/crm")
    with pytest.raises(NotOpened, match="changed"):
        keys.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "intake/acme/crm")
    with pytest.raises(NotOpened):
        keys.open(sealed[:4], "intake/acme/crm")


def test_a_new_first_key_seals_while_the_old_one_still_opens() -> None:
    old, new = b"o" * KEY_BYTES, b"n" * KEY_BYTES
    sealed = SealingKeys([old]).seal(b"s3cret", "here")
    both = SealingKeys([new, old])
    assert both.open(sealed, "here") == b"s3cret"
    again = both.seal(b"s3cret", "here")
    assert SealingKeys([new]).open(again, "here") == b"s3cret"
    with pytest.raises(NotOpened, match="not in the key file"):
        SealingKeys([new]).open(sealed, "here")
