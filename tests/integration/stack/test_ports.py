"""The ports of a local stack: two of its processes never get the same one."""

import pytest

from pointsman.local import LocalStackError, process
from pointsman.local.process import free_port, port_is_free, take_port


def test_a_port_that_was_given_is_not_given_again_before_it_is_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The edge's is chosen before the broker starts, and bound after it."""
    port = free_port()
    assert port_is_free(port)
    monkeypatch.setattr(process, "_PORTS", range(port, port + 1))
    with pytest.raises(LocalStackError, match="no free port"):
        free_port()


def test_a_port_that_a_person_named_is_given_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    named = free_port()
    process._PORTS_TOLD.remove(named)
    assert take_port(named)
    monkeypatch.setattr(process, "_PORTS", range(named, named + 1))
    with pytest.raises(LocalStackError, match="no free port"):
        free_port()
