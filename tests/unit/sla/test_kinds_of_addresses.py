"""The kinds of addresses that may be told are ones that apprise knows."""

from typing import Any

import pytest
from apprise.manager_plugins import NotificationManager

from pointsman_sla.notify.allowed import SCHEMAS


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_kind_that_is_allowed_is_one_of_apprise() -> None:
    manager: Any = NotificationManager
    known = set(manager().schemas())
    assert set() == SCHEMAS - known
