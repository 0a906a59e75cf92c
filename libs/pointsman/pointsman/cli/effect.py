"""What a check of a document says, for people."""

from collections.abc import Mapping
from typing import Any

from pointsman.cli.document_file import DocumentFile
from pointsman.cli.findings import brief_lines
from pointsman.cli.output import print_table

COUNTED = (
    (("connectors",), "connector", "connectors"),
    (("queues",), "queue", "queues"),
    (("agents",), "agent", "agents"),
    (("teams",), "team", "teams"),
    (("skills",), "skill", "skills"),
    (("classify", "categories"), "category", "categories"),
    (("classify", "rules"), "rule", "rules"),
    (("calendars",), "calendar", "calendars"),
    (("sla", "policies"), "policy", "policies"),
    (("sla", "notify"), "notify target", "notify targets"),
    (("webhooks",), "webhook", "webhooks"),
)
"""Parts of a document → what one of them is called, and several."""


def print_changes(changes: list[dict[str, Any]]) -> None:
    """The differences between the document that stands and the one to come."""
    rows = [(change["pointer"], change["change"], change.get("old"), change.get("new")) for change in changes]
    print_table(("where", "what", "now", "then"), rows, none="No change.")


def print_check(answer: dict[str, Any], document: DocumentFile) -> None:
    """Differences, effect and findings of a dry run."""
    print_difference(answer, document)
    if answer["effect"] is not None:
        for said in effect_lines(answer["effect"]):
            print(said)
    for line in brief_lines(document.path, answer["findings"]):
        print(line)


def print_difference(answer: dict[str, Any], document: DocumentFile) -> None:
    """What a check found changed: of a new workspace not every key, but how much of what it has."""
    if answer["effect"] is None:
        print(f"New workspace {document.workspace}: {counted(document.written.value) or 'nothing in it yet'}.")
    else:
        print_changes(answer["diff"])


def counted(document: Mapping[str, Any]) -> str:
    """What a document has, in numbers: `4 connectors, 2 queues, 25 agents`. A document may be half written."""
    said = []
    for path, one, many in COUNTED:
        part: Any = document
        for step in path:
            part = part.get(step) if isinstance(part, Mapping) else None
        if isinstance(part, Mapping | list) and (count := len(part)):
            said.append(f"{count} {one if count == 1 else many}")
    return ", ".join(said)


def placed(answer: dict[str, Any], document: DocumentFile) -> dict[str, Any]:
    """The answer to a check, its findings at their lines of the file: what is sent may have other lines."""
    findings = [finding | {"line": document.line_of(finding["pointer"])} for finding in answer["findings"]]
    return answer | {"findings": findings}


def effect_lines(effect: dict[str, Any]) -> list[str]:
    """What the change would do now, a line for each thing that it would do."""
    if effect.get("refused"):
        return [f"It would be refused: {effect['refused']['detail']}"]
    said = []
    for name, one, many in (
        ("moved", "ticket goes to another queue", "tickets go to another queue"),
        ("requeued", "ticket loses its agent", "tickets lose their agent"),
        ("rescinded", "offer is taken back", "offers are taken back"),
        ("offered", "ticket is offered at once", "tickets are offered at once"),
    ):
        found = effect[name]
        if found["count"]:
            named = [_shown(item) for item in found["first"]]
            said.append(_counted(found["count"], one, many, named))
    if effect["reordered"]:
        said.append(
            _counted(effect["reordered"], "ticket stands elsewhere in its queue", "tickets stand elsewhere", [])
        )
    agents = effect["agents"]
    if agents["count"]:
        named = [f"{item['agent']} +{item['gains']} −{item['loses']}" for item in agents["first"]]
        said.append(_counted(agents["count"], "agent may take other tickets", "agents may take other tickets", named))
    unserved = effect["unserved"]
    if unserved["count"]:
        named = [item["ticket_id"] for item in unserved["first"]]
        before = f" (before the change {unserved['before']})"
        said.append(
            _counted(unserved["count"], "waiting ticket", "waiting tickets", named, f" nobody may take{before}")
        )
    waiting = effect["waiting"]
    return said or [f"No ticket or agent is concerned now ({waiting} waiting)."]


def _counted(count: int, one: str, many: str, named: list[str], end: str = "") -> str:
    more = count - len(named)
    listed = ", ".join(named) + (f" and {more} more" if named and more > 0 else "")
    return f"{count} {one if count == 1 else many}{end}{f': {listed}' if listed else ''}."


def _shown(item: dict[str, Any]) -> str:
    if "from" in item:
        return f"{item['ticket_id']} ({item['from']} → {item['to']})"
    return f"{item['ticket_id']} ({item['agent']})"
