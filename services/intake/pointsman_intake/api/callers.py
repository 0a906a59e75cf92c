"""Who may call what, as FastAPI dependencies; and what a connector may see."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from pointsman.runtime.auth import Caller, require
from pointsman_intake.gate import Gate

OfConnector = Annotated[Caller, Depends(require("connector"))]
ConnectorOrSupervisor = Annotated[Caller, Depends(require("connector", "supervisor"))]
ConnectorOrAgent = Annotated[Caller, Depends(require("connector", "agent"))]
Supervisor = Annotated[Caller, Depends(require("supervisor"))]


def gate_of(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def seen_by(caller: Caller) -> str | None:
    """The only connector whose things the caller sees; None for those who see all of the workspace."""
    return caller.sub if caller.role == "connector" else None
