"""What agents do: each call is one command, answered as the desk decided (rules 4, 12, 17, 19).

Only the holder replies publicly, sets aside, transfers and resolves (403 `not-holder`); the desk knows, not this page.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from pointsman.contracts.commands import (
    OfferAccept,
    OfferReject,
    TicketLabel,
    TicketMerge,
    TicketPend,
    TicketReopen,
    TicketReply,
    TicketResolve,
    TicketSnooze,
    TicketSplit,
    WrapUpFinish,
)
from pointsman.contracts.shapes import Actor, Outcome, Priority, WaitingOn
from pointsman.contracts.wire import actor
from pointsman.runtime.auth import Caller, require
from pointsman.runtime.commands import CommandBody
from pointsman.runtime.http.app import Body
from pointsman.runtime.http.idempotency import IdempotencyKey, IfMatch, answer_command
from pointsman.runtime.http.instants import GivenInstant
from pointsman.runtime.http.routes import routes_under
from pointsman_routing.api.attaching import described
from pointsman_routing.api.shapes import OfferShape, TicketShape

routes = routes_under("/v1", "actions")

Agent = Annotated[Caller, Depends(require("agent"))]
Answered = dict[str, Any]

TEXT_CHARACTERS_MAX = 65_536
Reason = Annotated[str | None, Field(max_length=500)]
Label = Annotated[str, Field(min_length=1, max_length=100)]


class Reject(Body):
    reason: Reason = None


class Write(Body):
    """A public reply, or a note: a note stops no clock and is never delivered."""

    text: Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX)]
    html: Annotated[str | None, Field(max_length=4 * TEXT_CHARACTERS_MAX)] = None
    public: bool
    attachment_ids: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    cc: Annotated[tuple[str, ...], Field(max_length=50)] = ()
    reply_to_message: Annotated[str | None, Field(max_length=100)] = None


class Unseen(Body):
    """`last_message_id`: the newest message seen; newer ones are a 409 `unseen-message`, unless `force`."""

    last_message_id: Annotated[str | None, Field(max_length=100)] = None
    force: bool = False


class Pend(Unseen):
    waiting_on: WaitingOn
    until: GivenInstant | None = None
    reason: Reason = None
    then: Literal["return", "resolve"] = "resolve"


class Snooze(Unseen):
    until: GivenInstant


class Resolve(Unseen):
    outcome: Outcome
    category: Annotated[str | None, Field(max_length=100)] = None
    wrap_up_seconds: Annotated[int | None, Field(ge=0, le=86_400)] = None


class Reopen(Body):
    reason: Reason = None


class Merge(Body):
    """`different_customers`: the tickets are of two customers, and that is meant."""

    into: Annotated[str, Field(min_length=1, max_length=100)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    different_customers: bool = False


class Split(Body):
    """`message_ids`: messages of the ticket, at least one of them the customer's; another of the customer's stays."""

    message_ids: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=100)], ...], Field(min_length=1, max_length=200)
    ]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Tags(Body):
    add: Annotated[tuple[Label, ...], Field(max_length=50)] = ()
    remove: Annotated[tuple[Label, ...], Field(max_length=50)] = ()


class Relabel(Body):
    category: Label | None = None
    priority: Priority | None = None
    language: Annotated[str | None, Field(min_length=2, max_length=35)] = None
    tags: Tags = Tags()
    reroute: bool = False


@dataclass(frozen=True, slots=True)
class AgentsCall:
    """A call of an agent about the offer or ticket `id`."""

    request: Request
    caller: Agent
    id: str
    key: IdempotencyKey

    @property
    def actor(self) -> Actor:
        return actor(self.caller.role, self.caller.sub)

    async def answer(self, command: CommandBody) -> Response:
        return await answer_command(self.request, self.caller, command, subject=self.id, key=self.key)


Call = Annotated[AgentsCall, Depends()]


@routes.post("/offers/{id}/accept", response_model=OfferShape)
async def accept(call: Call) -> Response:
    """Takes the offer. 409 `offer-gone` names the current holder when it is too late."""
    return await call.answer(OfferAccept(actor=call.actor, offer_id=call.id))


@routes.post("/offers/{id}/reject", response_model=OfferShape)
async def reject(call: Call, body: Reject | None = None) -> Response:
    """Declines the offer; the ticket goes on at once."""
    reason = body.reason if body is not None else None
    return await call.answer(OfferReject(actor=call.actor, offer_id=call.id, reason=reason))


@routes.post("/tickets/{id}/messages", response_model=Answered)
async def write(call: Call, body: Write, if_match: IfMatch) -> Response:
    """A public reply by the holder, or a note by anybody. 422 for an attachment that there is not."""
    files = await described(call.request, call.caller, body.attachment_ids)
    said = body.model_dump()
    return await call.answer(
        TicketReply(actor=call.actor, ticket_id=call.id, if_match=if_match, attachments=files, **said)
    )


@routes.post("/tickets/{id}/pend", response_model=TicketShape)
async def pend(call: Call, body: Pend, if_match: IfMatch) -> Response:
    """The ticket waits on somebody else, until a time or a message."""
    return await call.answer(TicketPend(actor=call.actor, ticket_id=call.id, if_match=if_match, **body.model_dump()))


@routes.post("/tickets/{id}/snooze", response_model=TicketShape)
async def snooze(call: Call, body: Snooze, if_match: IfMatch) -> Response:
    """Sets the ticket aside until an instant; it frees the charge unless the channel holds it. 422 when `until` is in
    the past. It wakes then, by the customer's message or by `/reopen`: with its holder if they are available with room,
    else in its queue."""
    return await call.answer(TicketSnooze(actor=call.actor, ticket_id=call.id, if_match=if_match, **body.model_dump()))


@routes.post("/tickets/{id}/resolve", response_model=TicketShape)
async def resolve(call: Call, body: Resolve, if_match: IfMatch) -> Response:
    """The matter is done; what follows is the wrap-up."""
    return await call.answer(TicketResolve(actor=call.actor, ticket_id=call.id, if_match=if_match, **body.model_dump()))


@routes.post("/tickets/{id}/wrap-up/finish", response_model=TicketShape)
async def finish_wrap_up(call: Call, if_match: IfMatch) -> Response:
    """The after-work is over: the charge is free."""
    return await call.answer(WrapUpFinish(actor=call.actor, ticket_id=call.id, if_match=if_match))


@routes.post("/tickets/{id}/reopen", response_model=TicketShape)
async def reopen(call: Call, if_match: IfMatch, body: Reopen | None = None) -> Response:
    """A resolved ticket is open again."""
    reason = body.reason if body is not None else None
    return await call.answer(TicketReopen(actor=call.actor, ticket_id=call.id, if_match=if_match, reason=reason))


@routes.post("/tickets/{id}/label", response_model=TicketShape)
async def label(call: Call, body: Relabel, if_match: IfMatch) -> Response:
    """Corrects labels; what a person set is never overwritten by the classifier."""
    return await call.answer(
        TicketLabel(
            actor=call.actor,
            ticket_id=call.id,
            if_match=if_match,
            category=body.category,
            priority=body.priority,
            language=body.language,
            add_tags=body.tags.add,
            remove_tags=body.tags.remove,
            reroute=body.reroute,
        )
    )


@routes.post("/tickets/{id}/merge", response_model=TicketShape)
async def merge(call: Call, body: Merge, if_match: IfMatch) -> Response:
    """Merges the ticket into another, open one: it closes with `merged_into`; later messages, and what nobody has
    answered, are the other's. By its holder or a supervisor; who holds the other one may too, if nobody holds this one.
    An agent who merges with a ticket that nobody holds holds the result (409 `no-room` when it is too much for them).
    403 `not-holder` for one that is offered to, or waits for, somebody else. 409 `different-customers` unless that is
    meant, 409 `wrong-state` when either is closed, 422 `invalid` into itself."""
    return await call.answer(TicketMerge(actor=call.actor, ticket_id=call.id, if_match=if_match, **body.model_dump()))


@routes.post("/tickets/{id}/split", response_model=TicketShape, status_code=201)
async def split(call: Call, body: Split, if_match: IfMatch) -> Response:
    """Makes messages of the ticket a new ticket of the same customer, classified and queued like any; the answer is
    the new one. By the holder or a supervisor. What the customer writes next still joins the first ticket. 422
    `invalid` for a message of another ticket, none of the customer's, or all of them."""
    return await call.answer(TicketSplit(actor=call.actor, ticket_id=call.id, if_match=if_match, **body.model_dump()))
