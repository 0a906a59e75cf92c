"""Calendars over HTTP: iCal files become dates of the version, and a wrong calendar changes nothing."""

from typing import Any

import pytest

from tests.integration.routing.service import DOCUMENT, RoutingService
from tests.unit.document.wrong_calendars import HEAD, WRONG

pytestmark = pytest.mark.stack

CLOSED = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20201224
RRULE:FREQ=YEARLY
SUMMARY:Christmas Eve
END:VEVENT
END:VCALENDAR
"""
OFFICE: dict[str, Any] = {"always": True, "ical": {"text": CLOSED}, "days": {"2026-12-24": [["09:00", "11:00"]]}}


async def test_the_events_of_a_file_are_dates_of_every_version(routing: RoutingService) -> None:
    admin, boss = await routing.as_("admin", "root"), await routing.as_("supervisor", "boss")
    etag = (await admin.get("/v1/config")).headers["etag"]
    document = DOCUMENT | {"calendars": {"office": OFFICE}}
    applied = await admin.put("/v1/config", json=document, headers={"If-Match": etag})
    assert (applied.status_code, applied.json()["inactive"]) == (200, [])
    ical = (await admin.get("/v1/config/calendars/office")).json()["ical"]
    assert ical["dates"]["2026-12-24"] == "Christmas Eve"
    assert ical["text"] == CLOSED
    day = {"date": "2026-12-31", "spans": [["09:00", "12:00"]], "reason": "New Year's Eve"}
    assert (await boss.post("/v1/calendars/office/days", json=day)).status_code == 200
    office = (await admin.get("/v1/config/calendars/office")).json()
    assert office["ical"] == ical
    assert sorted(office["days"]) == ["2026-12-24", "2026-12-31"]
    checked = await admin.post("/v1/config:check", json=document)
    assert [change["pointer"] for change in checked.json()["diff"]] == ["/calendars/office/days/2026-12-31"]


async def test_a_wrong_calendar_is_refused_with_its_place_and_changes_nothing(routing: RoutingService) -> None:
    admin = await routing.as_("admin", "root")
    etag = (await admin.get("/v1/config")).headers["etag"]
    for case, (text, pointer, line) in WRONG.items():
        headers = {"If-Match": etag, "Content-Type": "application/yaml"}
        refused = await admin.put("/v1/config", content=HEAD + text, headers=headers)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json"), case
        assert (pointer, line) in [(error["pointer"], error["line"]) for error in _errors(refused.json())], case
    assert (await admin.get("/v1/config")).headers["etag"] == etag


def _errors(problem: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = problem["errors"]
    assert all(error["detail"] for error in found)
    return found
