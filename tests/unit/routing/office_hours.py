"""A desk whose queue has opening hours, with the replies that it sends while it is shut."""

from typing import Any

from tests.unit.routing.desk_driver import a_workspace

HOUR = 3600.0
OPENS = 1800.0
REPLIES = {"closed": {"en": "We are closed.", "it": "Siamo chiusi."}, "received": {"en": "We have it."}}


def with_office_hours(closed: Any = None, **queue: Any) -> dict[str, Any]:
    """`general` opens half an hour from now and shuts at ten in the evening, on weekdays."""
    days = {day: [["12:30", "22:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    document = a_workspace(
        {"anna": {"capacity": 5}},
        {"general": {"hours": "office", "closed": closed or {}, **queue}, "night": {}},
        calendars={"office": {"tz": "UTC", "week": days}},
        replies=REPLIES,
        languages=["en", "it"],
    )
    document["connectors"]["site-chat"]["auto_reply"] = "received"
    return document
