"""A call with a text that PostgreSQL cannot hold ends at the door, and the lane goes on."""

from typing import Any

import pytest

from tests.integration.routing.service import RoutingService

pytestmark = pytest.mark.stack

BULK = b'{"ids": ["%s"], "action": {"resolve": {"outcome": "spam"}}}'
CALLS = (
    ("GET", "/v1/tickets/%00/explain", None, "path:id"),
    ("GET", "/v1/tickets/%ED%A0%80/explain", None, "path:id"),
    ("POST", "/v1/offers/%00/accept", None, "path:id"),
    ("POST", "/v1/tickets:bulk", BULK % rb"a\u0000b", "/ids/0"),
    ("POST", "/v1/tickets:bulk", BULK % rb"\ud800", "/ids/0"),
    ("PUT", "/v1/me/presence", rb'{"session": "\udfff", "lease_seconds": 60}', "/session"),
)


async def test_it_is_refused_and_the_lane_goes_on(routing: RoutingService) -> None:
    """Each ended the worker in `gather`, which read the same record again and died again, for every workspace."""
    app, supervisor = await routing.sign_in("anna"), await routing.as_("supervisor", "vera")
    for method, path, body, pointer in CALLS:
        caller = supervisor if "bulk" in path else app
        answer = await caller.request(method, path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    still: Any = await app.put("/v1/me/presence", json={"session": "s1", "lease_seconds": 60, "state": "away"})
    assert (still.status_code, still.json()["state"]) == (200, "away")
    operator = await routing.as_("operator", "root", "*")
    assert (await operator.get("/v1/dead-letters")).json()["items"] == []
