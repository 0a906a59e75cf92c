"""The guide for agents' apps names every problem that the routing API can answer."""

from pointsman.runtime.http.problems import HTTP_CODES
from tests.unit.http.test_problem_pages import CHECKOUT, codes_in

ANSWERING = ("services/routing", "libs/pointsman/pointsman/runtime")


def test_the_guide_names_every_problem_of_the_routing_api() -> None:
    guide = (CHECKOUT / "docs/agent-apps.md").read_text()
    codes = {code for folder in ANSWERING for path in (CHECKOUT / folder).rglob("*.py") for code in codes_in(path)}
    codes |= set(HTTP_CODES.values())
    codes.discard("abandoned")  # kept with outcomes, answered as not-applied
    assert sorted(code for code in codes if f"(problems/{code}.md)" not in guide) == []
