"""Sla's part of the `pointsman` command: `sla eval`, `ledger`, `due`, `predict`, `alerts`, `recompute`, `notify` and
`notifications`."""

import typer

from pointsman_sla.cli import alerts, notifications, recompute
from pointsman_sla.cli.clocks import due, eval_vectors, ledger
from pointsman_sla.cli.predict import predict


def register(app: typer.Typer) -> None:
    """Adds the commands of this service (entry point `pointsman.commands`)."""
    sla = typer.Typer(no_args_is_help=True, help="SLA arithmetic.")
    sla.command("eval", epilog="Example: pointsman sla eval vectors.json --json")(eval_vectors)
    app.add_typer(sla, name="sla")
    app.command(epilog="Example: pointsman ledger tkt_01k… --csv")(ledger)
    app.command(epilog="Example: pointsman predict history.jsonl")(predict)
    app.command(epilog="Example: pointsman due --queue billing --before 2026-11-30T18:00:00Z")(due)
    alerts.register(app)
    recompute.register(app)
    notifications.register(app)
