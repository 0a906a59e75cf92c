"""Rule 19, a corrected label: where the ticket is queued, its needs and queue are computed anew and `waiting_since`
stands; an offer to an agent who may not take it any more is rescinded; an assignment stays unless `reroute`.

A value that a person set is kept in `by_person`: the classifier never overwrites it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pointsman.contracts.base import made
from pointsman.contracts.commands import TicketLabel
from pointsman.contracts.desk import TicketLabelled
from pointsman.core.decision import refuse
from pointsman_routing.desk.rules import offers, queueing
from pointsman_routing.desk.state.model import Labels, Ticket
from pointsman_routing.desk.state.policy import needs
from pointsman_routing.desk.state.result import Answer, Result, invalid
from pointsman_routing.desk.state.shapes import ticket_shape

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk

TAGS_MAX = 100


def label(desk: Desk, ticket: Ticket, command: TicketLabel) -> Result:
    """Any agent may correct a label."""
    if ticket.state == "closed":
        return refuse(409, "wrong-state", "the ticket is closed")
    if command.category is not None and command.category not in desk.policy.document.category_names:
        return invalid(f"there is no category {command.category!r}", "/category")
    old = ticket.labels
    new, changed = _changed(old, command)
    if len(new.tags) > TAGS_MAX:
        return invalid(f"a ticket has at most {TAGS_MAX} tags", "/tags/add")
    if not changed and not command.reroute:
        return Answer(lambda: ticket_shape(ticket))
    desk.edit(ticket)
    queue = ticket.queue
    if changed and {"category", "language"} & set(changed):
        new = _needs_of(desk, ticket, new)
        if "category" in changed:
            queue = desk.policy.document.queue_of(new.category)
    desk.renew(ticket)
    desk.say(
        ticket,
        made(
            TicketLabelled,
            ticket_id=ticket.id,
            language=new.language,
            category=new.category,
            priority=new.priority,
            tags=new.tags,
            requires=dict(sorted(new.requires)),
            prefers=dict(sorted(new.prefers)),
            changed=changed,
            queue=queue,
            by=command.actor,
        ),
        ticket.agent,
    )
    _go_on(desk, ticket, desk.shared(new), queue, reroute=command.reroute)
    return Answer(lambda: ticket_shape(ticket))


def with_category(desk: Desk, labels: Labels, category: str) -> Labels:
    """The same labels with another category, set by a person; what the ticket needs stays."""
    by_person = tuple(dict.fromkeys((*labels.by_person, "category")))
    return desk.shared(labels._replace(category=category, by_person=by_person))


def _go_on(desk: Desk, ticket: Ticket, labels: Labels, queue: str, *, reroute: bool) -> None:
    if ticket.state == "queued":
        moved = queue != ticket.queue
        desk.waiting.leave(ticket)
        ticket.labels, ticket.queue = labels, queue
        if moved:
            queueing.enqueue(desk, ticket, "labelled", fresh=False)
        else:
            queueing.wait(desk, ticket)
        return
    if ticket.offer is not None:
        if not desk.may_take(desk.agents[ticket.offer.agent], ticket, labels=labels, queue=queue):
            offers.rescind(desk, ticket, "the ticket was relabelled")
            ticket.labels, ticket.queue = labels, queue
            queueing.enqueue(desk, ticket, "labelled", fresh=False)
        else:
            ticket.labels, ticket.queue = labels._replace(weight=ticket.labels.weight), queue
        return
    if reroute and ticket.state == "assigned":
        offers.release(desk, ticket)
        ticket.labels, ticket.queue = labels, queue
        queueing.enqueue(desk, ticket, "rerouted", fresh=False)
        return
    ticket.labels = labels if not ticket.charged else desk.shared(labels._replace(weight=ticket.labels.weight))
    if ticket.queue != queue:
        ticket.queue, ticket.stage = queue, 0


def _changed(old: Labels, command: TicketLabel) -> tuple[Labels, tuple[str, ...]]:
    """The labels as asked for, and the names of those that differ."""
    tags = tuple(tag for tag in dict.fromkeys((*old.tags, *command.add_tags)) if tag not in command.remove_tags)
    new = old._replace(
        category=command.category or old.category,
        priority=command.priority or old.priority,
        language=command.language or old.language,
        tags=tags,
    )
    names = ("category", "priority", "language", "tags")
    changed = tuple(name for name in names if getattr(new, name) != getattr(old, name))
    asked = tuple(name for name in names[:3] if getattr(command, name) is not None)
    return new._replace(by_person=tuple(dict.fromkeys((*old.by_person, *asked)))), changed


def _needs_of(desk: Desk, ticket: Ticket, labels: Labels) -> Labels:
    """What a ticket of this category and language needs, and its weight, as configured."""
    document = desk.policy.document
    category = document.category(labels.category)
    requires = dict(category.requires)
    skill = document.language_skill(labels.language)
    if skill is not None:
        requires.setdefault(skill, 1)
    return labels._replace(
        requires=needs(requires),
        prefers=needs(dict(category.prefers)),
        weight=document.weight_of(labels.category, ticket.channel),
    )
