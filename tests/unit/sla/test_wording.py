"""What a template may name, and what is said without one."""

from datetime import UTC, datetime

from pointsman.contracts.document.templates import VARIABLES
from pointsman_sla.notify.still_due import Alerted, Line, StillDue
from pointsman_sla.notify.wording import variables

DUE = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


def test_the_variables_are_those_that_a_document_may_name() -> None:
    line = Line("tkt_1", "clk_1", "step", "why", "update", 1, "warning", "low", "q", "p", None, DUE)
    standing = StillDue(
        3, [line], [Alerted("alr_1", "warning", "q", "p", 2), Alerted("alr_2", "breach", "r", "p", 1)], []
    )
    given = variables(
        standing, id="ntf_1", workspace="acme", target="pager", zone="UTC", group="", links={"alr_2": "https://x/y"},
        test=False,
    )  # fmt: skip
    assert set(given) == VARIABLES
    assert given["default_title"] == "1 breach, 2 warnings (p)"
    assert given["default_body"].split("\n") == [
        "2 warnings in q (p)",
        "1 breach in r (p)",
        "",
        "tkt_1 (low): warning of update, due Wed 1 Jul 10:00 UTC, held by nobody",
        "… and 2 more.",
        "",
        "Why: why.",
        "",
        "Acknowledge 1 breach in r (p): https://x/y",
        "",
        "ntf_1, workspace acme",
    ]
