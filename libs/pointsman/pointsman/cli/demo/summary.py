"""The demo's end: what a manager would like to know, as JSON and in the terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pointsman.cli.demo.checks import Check
from pointsman.cli.demo.evidence import Breach

AGENTS_SHOWN = 10
CATCH_ALL = "other"


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which that share lies, between neighbours; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def post_to_offer_ms(ledger: Sequence[Mapping[str, Any]], seen_at: Mapping[str, float]) -> dict[str, float | None]:
    """From the POST of a ticket's first message to the instant its first offer reached an agent's app."""
    posted: dict[str, float] = {}
    for entry in ledger:
        if not entry["duplicate"]:
            posted[entry["ticket_id"]] = min(entry["posted_at"], posted.get(entry["ticket_id"], entry["posted_at"]))
    waits = [(seen_at[ticket] - at) * 1000 for ticket, at in posted.items() if ticket in seen_at]
    p50, p99 = percentile(waits, 0.5), percentile(waits, 0.99)
    return {"p50": p50 if p50 is None else round(p50, 1), "p99": p99 if p99 is None else round(p99, 1)}


def shares_of(events: Sequence[Mapping[str, Any]], agents: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Per agent its share of all accepted offers, the largest first, and why: skills, room, the usual reason."""
    accepted = Counter(event["data"]["agent"] for event in events if event["type"] == "offer.accepted")
    declined = Counter(event["data"]["agent"] for event in events if event["type"] == "offer.rejected")
    expired = Counter(event["data"]["agent"] for event in events if event["type"] == "offer.expired")
    reasons: dict[str, Counter[str]] = {}
    for event in events:
        if event["type"] == "offer.made":
            reasons.setdefault(event["data"]["agent"], Counter())[event["data"]["reason"]] += 1
    total = sum(accepted.values()) or 1
    shares = []
    for agent, profile in agents.items():
        skills = ", ".join(f"{name} {level}" for name, level in profile["skills"].items())
        often = reasons.get(agent, Counter()).most_common(1)
        shares.append(
            {
                "agent": agent,
                "share": round(accepted[agent] / total, 4),
                "accepted": accepted[agent],
                "declined": declined[agent],
                "let_pass": expired[agent],
                "why": f"{profile['capacity']} units; {skills}" + (f"; most often: {often[0][0]}" if often else ""),
            }
        )
    return sorted(shares, key=lambda share: -share["accepted"])


def summarise(
    *,
    url: str,
    ledger: Sequence[Mapping[str, Any]],
    floor: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    agents: Mapping[str, Mapping[str, Any]],
    attainment: Mapping[str, int],
    breaches: Sequence[Breach],
    heard: Sequence[tuple[float, str]],
    acknowledged: int | None,
    dead_letters: int,
    quarantined: int,
    checks: Sequence[Check],
) -> dict[str, Any]:
    """The document of CLI.md, and beside it what explains the shares."""
    accepted = {(entry["connector"], entry["key"]): entry for entry in ledger if not entry["duplicate"]}
    classified = [event["data"] for event in events if event["type"] == "ticket.classified"]
    shares = shares_of(events, agents)
    late = [breach.lateness_seconds * 1000 for breach in breaches if not breach.withdrawn]
    return {
        "url": url,
        "accepted": len(accepted),
        "duplicates": sum(1 for entry in ledger if entry["duplicate"]),
        "by_channel": dict(Counter(entry["channel"] for entry in accepted.values()).most_common()),
        "by_language": dict(Counter(entry["language"] for entry in accepted.values()).most_common()),
        "tickets": len(classified),
        "classified": sum(1 for label in classified if label["category"] != CATCH_ALL),
        "as_written": _as_written(accepted.values(), classified),
        "post_to_offer_ms": post_to_offer_ms(ledger, floor["seen_at"]),
        "shares": {share["agent"]: share["share"] for share in shares},
        "why": {share["agent"]: share["why"] for share in shares},
        "agents": {**floor["counts"]} | {"vanished": len(floor["vanished"])},
        "sla": {
            "met": attainment["met"],
            "breached": attainment["breached"],
            "alert_late_ms_max": round(max(late), 1) if late else None,
            "messages": len(heard),
            "first_message_ms": _first_message_ms(breaches, heard),
            "acknowledged_by_link": acknowledged == 200,
        },
        "dead_letters": dead_letters,
        "quarantined": quarantined,
        "checks": [check.document() for check in checks],
        "ok": all(check.ok for check in checks),
    }


def _first_message_ms(breaches: Sequence[Breach], heard: Sequence[tuple[float, str]]) -> float | None:
    """From the first breach that was announced to the first message about one."""
    first = min((breach.fired_at for breach in breaches), default=None)
    return None if first is None or not heard else round((heard[0][0] - first) * 1000, 1)


def _as_written(accepted: Any, classified: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The shares of tickets whose language and category are those that the first message was written in and about."""
    written = {entry["ticket_id"]: entry for entry in accepted if entry["opens"]}
    pairs = [(label, written[label["ticket_id"]]) for label in classified if label["ticket_id"] in written]
    if not pairs:
        return {}
    language = sum(label["language"] == entry["language"] for label, entry in pairs) / len(pairs)
    topical = [(label, entry) for label, entry in pairs if entry["category"] != "question"] or pairs
    category = sum(label["category"] == entry["category"] for label, entry in topical) / len(topical)
    return {"language": round(language, 4), "category": round(category, 4)}


def print_summary(summary: Mapping[str, Any], console: Console) -> None:
    """The summary for a person."""
    console.print()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    waits = summary["post_to_offer_ms"]
    sla = summary["sla"]
    late = sla["alert_late_ms_max"]
    table.add_row("accepted", f"{summary['accepted']:,} messages, {summary['duplicates']:,} more were duplicates")
    table.add_row("by channel", _counted(summary["by_channel"]))
    table.add_row("by language", _counted(summary["by_language"]))
    table.add_row("classified", _classified(summary))
    table.add_row(
        "POST to offer",
        f"p50 {_ms(waits['p50'])}, p99 {_ms(waits['p99'])}; in the burst it waits for somebody with room",
    )
    table.add_row("agents", _counted(summary["agents"]))
    table.add_row(
        "SLA",
        f"{sla['met']:,} clocks met, {sla['breached']:,} breached"
        + ("" if late is None else f"; the latest alert came {late:,.1f} ms after its breach"),
    )
    if sla["messages"]:
        by_link = ", acknowledged by its link" if sla["acknowledged_by_link"] else ""
        first = sla["first_message_ms"]
        table.add_row(
            "on call",
            f"{sla['messages']:,} messages, the first {_ms(first)} after the first breach{by_link}",
        )
    table.add_row("set aside", f"{summary['dead_letters']} dead letters, {summary['quarantined']} in quarantine")
    console.print(table, highlight=False)
    console.print()
    _print_shares(summary, console)
    console.print()
    for check in summary["checks"]:
        mark = Text("ok   ", style="green") if check["ok"] else Text("FAIL ", style="bold red")
        console.print(Text.assemble(mark, check["name"]))
        if not check["ok"]:
            console.print(Text(f"     {check['counter_example']}", style="red"))


def _classified(summary: Mapping[str, Any]) -> str:
    right = summary["as_written"]
    line = f"{summary['classified']:,} of {summary['tickets']:,} tickets have a category"
    if right:
        line += f"; language right in {right['language']:.1%}, category in {right['category']:.1%}"
    return line


def _print_shares(summary: Mapping[str, Any], console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("who got what share")
    table.add_column("", justify="right")
    table.add_column("why", overflow="fold")
    ordered = list(summary["shares"].items())
    for agent, share in ordered[:AGENTS_SHOWN]:
        table.add_row(agent, f"{share:.1%}", summary["why"][agent])
    if len(ordered) > AGENTS_SHOWN:
        rest = sum(share for _, share in ordered[AGENTS_SHOWN:])
        table.add_row(f"{len(ordered) - AGENTS_SHOWN} more", f"{rest:.1%}", "the whole list: pointsman demo --json")
    console.print(table, highlight=False)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"
