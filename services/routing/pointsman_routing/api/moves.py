"""Who gets a ticket by a person's word: started tickets, transfers, takes, assignments, handovers (rules 3 and 14)."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import (
    AgentHandover,
    AgentRequeue,
    TicketAssign,
    TicketStart,
    TicketTake,
    TicketTransfer,
)
from pointsman.contracts.shapes import Actor, Channel, Recipient, TicketState
from pointsman.contracts.wire import actor
from pointsman.core.addresses import is_mail_address
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.commands import CommandBody
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import IdempotencyKey, IfMatch, answer_command
from pointsman.runtime.http.routes import routes_under
from pointsman_routing.api.actions import TEXT_CHARACTERS_MAX, Call
from pointsman_routing.api.attaching import described
from pointsman_routing.api.shapes import TicketShape

routes = routes_under("/v1", "moves")

Supervisor = Annotated[Caller, Depends(require("supervisor"))]
Personal = Annotated[Caller, Depends(require("agent", personal=True))]
Slug = Annotated[str, Field(min_length=1, max_length=63)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
TicketIds = Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=10_000)]


def _levels(given: object) -> object:
    """Names alone ask for the lowest level."""
    return dict.fromkeys(given, 1) if isinstance(given, list) and all(isinstance(one, str) for one in given) else given


Skills = Annotated[dict[Slug, Annotated[int, Field(ge=1, le=10)]], Field(max_length=100), BeforeValidator(_levels)]


class Target(Body):
    """One of the three. `skills` with the levels that they need, or their names alone: then any level will do."""

    queue: Slug | None = None
    agent: Slug | None = None
    skills: Skills | None = None

    @model_validator(mode="after")
    def _one(self) -> "Target":
        if [self.queue, self.agent, self.skills].count(None) != 2:
            raise ValueError("name one of queue, agent and skills")
        return self


class Transfer(Body):
    """`wait_seconds`: how long the ticket may wait for an agent who is absent or full."""

    to: Target
    reason: Reason
    wait_seconds: Annotated[int | None, Field(ge=1, le=604_800)] = None


class Assign(Body):
    """`override` puts the agent above capacity."""

    agent: Slug
    override: bool = False
    reason: Reason


class Handover(Body):
    """Without `ticket_ids`: everything the agent holds."""

    ticket_ids: TicketIds | None = None
    reason: Reason


class ToQueue(Body):
    queue: Slug


class Requeue(Handover):
    """`channels`: only tickets of these. `to`: another queue than their own, as a slug or `{queue}`."""

    channels: tuple[Channel, ...] | None = None
    to: Slug | ToQueue | None = None


class Customer(Body):
    """By an id, ours or the connector's own, or by an address."""

    id: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    name: Annotated[str | None, Field(max_length=200)] = None
    email: Annotated[str | None, Field(min_length=3, max_length=320)] = None
    phone: Annotated[str | None, Field(min_length=1, max_length=50)] = None
    handle: Annotated[str | None, Field(min_length=1, max_length=200)] = None

    @field_validator("email")
    @classmethod
    def _mail_address(cls, given: str | None) -> str | None:
        if given is not None and not is_mail_address(given.strip()):
            raise PydanticCustomError("mail_address", "is no mail address; e.g. ada@example.com")
        return given

    @model_validator(mode="after")
    def _known_by(self) -> "Customer":
        if not Recipient(**self.model_dump()).identities(""):
            raise ValueError("name the customer by id, email, phone or handle")
        return self


class Start(Body):
    """`public`: the text is the conversation's first message, delivered by the connector; else it is a note. A customer
    who is only a text is meant by id."""

    connector: Slug
    customer: Customer | Annotated[str, Field(min_length=1, max_length=200)]
    subject: Annotated[str | None, Field(max_length=500)] = None
    text: Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX)]
    html: Annotated[str | None, Field(max_length=4 * TEXT_CHARACTERS_MAX)] = None
    public: bool
    attachment_ids: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    cc: Annotated[tuple[str, ...], Field(max_length=50)] = ()


class GivenBack(BaseModel):
    """A ticket that its holder gave back: queued, or still pending or snoozed, without a holder."""

    ticket_id: str
    state: TicketState
    queue: str
    agent: str | None


class GivenBackList(BaseModel):
    items: list[GivenBack]


@dataclass(frozen=True, slots=True)
class SupervisorsCall:
    """A call of a supervisor."""

    request: Request
    caller: Supervisor
    key: IdempotencyKey

    @property
    def actor(self) -> Actor:
        return actor(self.caller.role, self.caller.sub)

    async def answer(self, command: CommandBody, subject: str) -> Response:
        return await answer_command(self.request, self.caller, command, subject=subject, key=self.key)


Supervising = Annotated[SupervisorsCall, Depends()]


@routes.post("/tickets", response_model=TicketShape, status_code=201)
async def start(request: Request, caller: Personal, body: Start, key: IdempotencyKey) -> Response:
    """The caller starts a ticket: theirs at once and charged (409 `no-room`), classified by what they write. Response
    clocks run only once the customer has written. The customer's answer joins it. 422 for an unknown connector or
    attachment, 403
    `not-eligible` when the caller is no agent who takes tickets. `customer.id` in the answer is final for a customer
    named by our id; else once the first message was delivered or the customer wrote."""
    to = body.customer
    recipient = Recipient(id=to) if isinstance(to, str) else Recipient(**to.model_dump())
    given = body.model_dump(exclude={"customer"}) | {
        "attachments": await described(request, caller, body.attachment_ids)
    }
    command = TicketStart(actor=actor(caller.role, caller.sub), customer=recipient, **given)
    return await answer_command(request, caller, command, subject="tickets", key=key)


@routes.post("/tickets/{id}/transfer", response_model=TicketShape)
async def transfer(call: Call, body: Transfer, if_match: IfMatch) -> Response:
    """Hands the ticket on: to a queue, to whoever has certain skills, or to an agent, whose it is at once when they are
    available with room. An absent or full agent is 409 `no-room`, which says why, unless `wait_seconds`: then it waits
    so long for that agent alone, afterwards in its queue. Only the holder or a supervisor (403 `not-holder`). An
    unknown queue, agent or skill is 422 with its place."""
    return await call.answer(
        TicketTransfer(
            actor=call.actor,
            ticket_id=call.id,
            if_match=if_match,
            to_queue=body.to.queue,
            to_agent=body.to.agent,
            to_skills=body.to.skills,
            reason=body.reason,
            wait_seconds=body.wait_seconds,
        )
    )


@routes.post("/tickets/{id}/take", response_model=TicketShape)
async def take(call: Call, if_match: IfMatch) -> Response:
    """The caller takes a waiting ticket of a queue that says `pull: true` (else 403 `no-pull`), within what they may
    take (403 `not-eligible`) and have room for (409 `no-room`). 409 `already-taken` names who has it. Taking what is
    offered to the caller accepts the offer. A queue that is closed or outside its hours offers nothing, and still lets
    agents take, also what it holds."""
    return await call.answer(TicketTake(actor=call.actor, ticket_id=call.id, if_match=if_match))


@routes.post("/tickets/{id}/assign", response_model=TicketShape)
async def assign(call: Supervising, id: str, body: Assign, if_match: IfMatch) -> Response:
    """Gives the ticket to an agent, from any open state, present or not, whatever their queues and skills. Above
    capacity 409 `no-room` unless `override`; who did it and why is recorded."""
    command = TicketAssign(
        actor=call.actor, ticket_id=id, if_match=if_match, agent=body.agent, override=body.override, reason=body.reason
    )
    return await call.answer(command, id)


@routes.post("/me/handover", response_model=GivenBackList, tags=["me"])
async def handover(request: Request, caller: Personal, body: Handover, key: IdempotencyKey) -> Response:
    """The caller gives tickets back to their queues, and others are asked first. What is pending or snoozed stays so,
    without a holder. 409 `not-holder` when the caller does not hold one that is named; then nothing is given back."""
    command = AgentHandover(
        actor=actor(caller.role, caller.sub), agent=caller.sub, ticket_ids=body.ticket_ids, reason=body.reason
    )
    return await answer_command(request, caller, command, subject=f"agent:{caller.sub}", key=key)


@routes.post("/agents/{a}/requeue", response_model=GivenBackList, tags=["floor"])
async def requeue(call: Supervising, a: Slug, body: Requeue) -> Response:
    """Gives an agent's tickets back to their queues, or to one: all, those named, or those of some channels."""
    command = AgentRequeue(
        actor=call.actor,
        agent=a,
        ticket_ids=body.ticket_ids,
        channels=body.channels,
        to_queue=body.to.queue if isinstance(body.to, ToQueue) else body.to,
        reason=body.reason,
    )
    return await call.answer(command, f"agent:{a}")
