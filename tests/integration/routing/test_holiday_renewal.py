"""Public holidays end with no edit of the document: their horizon moves on by itself, as a version like any other."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from pointsman.core.instant import Instant
from pointsman_routing.api.holidays import HolidayRenewal
from tests.integration.routing.service import DOCUMENT, RoutingService

pytestmark = pytest.mark.stack

THIS_YEAR = datetime.now(UTC).year


def new_year(year: int) -> Instant:
    return datetime(year, 1, 1, 0, 0, 1, tzinfo=UTC)


async def put(routing: RoutingService, holidays_of: dict[str, Any]) -> Any:
    admin = await routing.as_("admin", "root")
    etag = (await admin.get("/v1/config")).headers["etag"]
    document = DOCUMENT | {"calendars": {"office": {"always": True, "holidays_of": holidays_of}}}
    answer = await admin.put("/v1/config", json=document, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.text
    return admin


def renewal(routing: RoutingService, at: Instant) -> HolidayRenewal:
    return HolidayRenewal(routing.app.state.process, now=lambda: at)


async def test_a_year_later_the_holidays_of_another_year_are_a_version_of_its_own(routing: RoutingService) -> None:
    admin = await put(routing, {"country": "IT"})
    assert await renewal(routing, new_year(THIS_YEAR)).look(), "nothing to do"
    assert len((await admin.get("/v1/config/versions")).json()["items"]) == 2
    assert await renewal(routing, new_year(THIS_YEAR + 1)).look()
    newest = (await admin.get("/v1/config/versions")).json()["items"][0]
    assert (newest["version"], newest["author"]["kind"], newest["open_clocks"]) == (3, "system", "keep")
    assert str(THIS_YEAR + 1) in newest["reason"]
    dates = (await admin.get("/v1/config/calendars/office")).json()["holidays_of"]["dates"]
    assert dates[-1] == f"{THIS_YEAR + 3}-12-26"


async def test_of_many_processes_one_moves_it_on(routing: RoutingService) -> None:
    admin = await put(routing, {"country": "IT"})
    await asyncio.gather(*(renewal(routing, new_year(THIS_YEAR + 1)).look() for _ in range(20)))
    assert [each["version"] for each in (await admin.get("/v1/config/versions")).json()["items"]] == [3, 2, 1]


async def test_an_alarm_comes_before_holidays_end_that_nothing_moves_on(routing: RoutingService) -> None:
    await put(routing, {"country": "IT", "years": [THIS_YEAR + 1]})
    with capture_logs() as logs:
        assert await renewal(routing, datetime(THIS_YEAR + 1, 6, 1, tzinfo=UTC)).look()
        assert not [line for line in logs if line.get("alarm")]
        assert await renewal(routing, datetime(THIS_YEAR + 1, 7, 15, tzinfo=UTC)).look()
    (said,) = [line for line in logs if line.get("alarm")]
    assert (said["alarm"], said["workspace"], said["until"]) == ("holidays-end", "acme", f"{THIS_YEAR + 1}-12-31")
    assert said["pointer"] == "/calendars/office/holidays_of"


async def test_what_cannot_be_moved_on_is_an_alarm_at_once(routing: RoutingService) -> None:
    await put(routing, {"country": "IT"})
    pool = routing.app.state.process.pool
    await pool.execute(
        """UPDATE config_version SET document = replace(document::text, '"IT"', '"XX"')::json WHERE version = 2"""
    )
    with capture_logs() as logs:
        assert await renewal(routing, new_year(THIS_YEAR + 1)).look()
    assert [line["alarm"] for line in logs if line.get("alarm")] == ["holidays-not-renewed"]


async def test_one_document_that_breaks_the_look_stops_nobody(
    routing: RoutingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(routing, {"country": "IT"})

    def broken(*_: Any) -> Any:
        raise NotImplementedError("no holidays of this part")

    monkeypatch.setattr("pointsman_routing.api.holidays.renewed", broken)
    with capture_logs() as logs:
        assert await renewal(routing, new_year(THIS_YEAR + 1)).look()
    assert [line["alarm"] for line in logs if line.get("alarm")] == ["holidays-not-renewed"]
