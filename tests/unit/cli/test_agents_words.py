"""What an agent types behind snooze, transfer and label."""

from datetime import UTC, datetime, timedelta

import pytest

from pointsman.cli.agent.words import NotPossible, labels, target, until

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "at"),
    [
        ("30m", NOW + timedelta(minutes=30)),
        ("2h", NOW + timedelta(hours=2)),
        ("1d", NOW + timedelta(days=1)),
        ("2026-12-02T10:00:00+01:00", datetime(2026, 12, 2, 9, 0, tzinfo=UTC)),
        ("2026-12-02T10:00", datetime(2026, 12, 2, 10, 0, tzinfo=UTC)),
    ],
)
def test_an_instant_is_so_far_ahead_or_named(word: str, at: datetime) -> None:
    assert until(word, NOW) == at


@pytest.mark.parametrize("word", [None, "", "soon", "30", "m", "-1h"])
def test_what_is_no_instant_says_how_one_looks(word: str | None) -> None:
    with pytest.raises(NotPossible, match="30m, 2h, 1d"):
        until(word, NOW)


def test_a_transfer_names_whom_to_and_why() -> None:
    assert target(["queue billing they know the bank"]) == ({"queue": "billing"}, "they know the bank")
    assert target(["agent boris  asked for"]) == ({"agent": "boris"}, "asked for")
    for words in ([], ["billing"], ["queue"], ["desk billing now"], ["queue billing"]):
        with pytest.raises(NotPossible):
            target(words)


def test_labels_are_set_and_tags_come_and_go() -> None:
    assert labels(["category=refund priority=high +vip -new"]) == {
        "category": "refund",
        "priority": "high",
        "tags": {"add": ["vip"], "remove": ["new"]},
    }
    assert labels(["language=it"]) == {"language": "it"}
    for words in ([], ["refund"], ["colour=red"], ["priority="], ["+"]):
        with pytest.raises(NotPossible):
            labels(words)
