"""`/v1/directory`: whom and what an agent may name: colleagues with their presence, queues, the document's words."""

import asyncio
from collections import Counter, OrderedDict
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.document.reading import read_document
from pointsman.contracts.document.workspace import Document
from pointsman.contracts.shapes import PresenceState
from pointsman.runtime.http.json import Json
from pointsman.runtime.http.problems import not_found
from pointsman.runtime.http.routes import routes_under
from pointsman.runtime.process import ApiProcess
from pointsman.runtime.tasks import awaited
from pointsman_routing.api.config_document import config_version_of, stored
from pointsman_routing.api.tickets import Reader

KEPT = 64
"""So many workspaces' documents are kept in read form."""


class Colleague(BaseModel):
    """An agent as another sees it: where to transfer to, and whether somebody is there."""

    agent: str = Field(description="The agent's slug, as in `transfer {to: {agent}}`.")
    name: str | None = Field(description="What people call them.")
    kind: Literal["human", "bot"]
    team: str | None = Field(description="Their team's slug.")
    state: PresenceState = Field(description="Their presence now.")
    reason: str | None = Field(description="Why they are away, in their own word or a supervisor's.")
    has_room: bool = Field(description="Whether their work in hand is below their capacity.")
    skills: dict[str, int] = Field(description="Skill → level, 1 to 5.")
    queues: list[str] = Field(description="The queues that they serve.")


class DirectoryQueue(BaseModel):
    """A queue that work may be transferred to."""

    queue: str = Field(description="The queue's slug.")
    pull: bool = Field(description="Whether agents may take waiting tickets by themselves.")
    agents_available: int = Field(description="How many of those who serve it are available now.")


class DirectoryShape(BaseModel):
    """Whom and what an agent may name, of the version of the document that routing has."""

    config_version: int
    agents: list[Colleague]
    queues: list[DirectoryQueue]
    teams: dict[str, str | None] = Field(description="Slug → name.")
    reasons: list[str] = Field(description="For being away; any word when there is none.")
    categories: list[str]
    skills: list[str]
    languages: list[str]


class Directory:
    """The route, with the documents that it has read."""

    def __init__(self, process: ApiProcess) -> None:
        self._process = process
        self._read: OrderedDict[tuple[str, int], asyncio.Task[Document]] = OrderedDict()

    def router(self) -> APIRouter:
        routes = routes_under("/v1", "me")
        routes.add_api_route("/directory", self.directory, methods=["GET"], response_model=DirectoryShape)
        return routes

    async def directory(self, request: Request, caller: Reader) -> Response:
        """Colleagues with presence, queues, reasons, categories, skills: what an app offers to choose from."""
        version = await config_version_of(self._process.pool, caller.workspace)
        if version is None:
            raise not_found("workspace")
        document = await self._document(request, caller.workspace, version)
        rows = await self._process.pool.fetch(
            """
            SELECT agent, state, reason, load < capacity AS has_room FROM agent
            WHERE workspace = $1 AND active ORDER BY agent
            """,
            caller.workspace,
        )
        colleagues = [_colleague(row, document) for row in rows if row["agent"] in document.agents]
        available = Counter(queue for each in colleagues if each["state"] == "available" for queue in each["queues"])
        return Json(
            {
                "config_version": version,
                "agents": colleagues,
                "queues": [
                    {"queue": slug, "pull": queue.pull, "agents_available": available[slug]}
                    for slug, queue in document.queues.items()
                ],
                "teams": {slug: team.name for slug, team in document.teams.items()},
                "reasons": list(document.presence.reasons),
                "categories": list(document.classify.categories),
                "skills": list(document.skills),
                "languages": list(document.languages),
            }
        )

    async def _document(self, request: Request, workspace: str, version: int) -> Document:
        """Read once, however many ask at the same time: a document of a thousand rules takes a second."""
        key = workspace, version
        reading = self._read.get(key)
        if reading is None:
            reading = self._read[key] = awaited(self._read_once(request, workspace, version))
            if len(self._read) > KEPT:
                self._read.popitem(last=False)
        self._read.move_to_end(key)
        return await asyncio.shield(reading)

    async def _read_once(self, request: Request, workspace: str, version: int) -> Document:
        try:
            _, plain = await stored(request, workspace, version)
            return await run_in_threadpool(read_document, plain)
        except BaseException:
            self._read.pop((workspace, version), None)  # who asks next tries again
            raise


def _colleague(row: Any, document: Document) -> dict[str, Any]:
    agent = document.agents[row["agent"]]
    return {
        **dict(row),
        "name": agent.name,
        "kind": agent.kind,
        "team": agent.team,
        "skills": dict(agent.skills),
        "queues": list(document.places_of(row["agent"])),
    }
