"""A new version of the workspace document is a cause like any other: validated, ordered, recorded.

Eligibility is computed anew; no assignment is dropped. What waits keeps its labels and its place in time. Deleting an
agent or a queue that holds tickets is refused unless the change says where they go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointsman.contracts.base import made
from pointsman.contracts.commands import ConfigPut
from pointsman.contracts.document import Document, DocumentErrors, read_document
from pointsman.contracts.document.inactive import escaped
from pointsman.contracts.recomputing import recompute_job_id
from pointsman.contracts.shapes import SYSTEM, Actor
from pointsman.contracts.workspace import ConfigApplied
from pointsman.core.decision import Decision, refuse
from pointsman_routing.desk.rules import holding, moved_queues, offers, queue_hours, queueing, requeue, saving, wrap_up
from pointsman_routing.desk.state import timers as kinds
from pointsman_routing.desk.state.model import OPEN_STATES, Agent, Ticket
from pointsman_routing.desk.state.policy import Policy, Profile, compile_policy
from pointsman_routing.desk.state.result import Answer, Result, invalid
from pointsman_routing.desk.state.roster import Roster

if TYPE_CHECKING:
    from pointsman_routing.desk.state.desk import Desk


def put(desk: Desk, command: ConfigPut) -> Result:
    """Applies the next version, or refuses it: 412 when it replaces another than the caller saw, 422 with every
    mistake, 409 when it deletes what holds tickets. The first version creates the workspace; only an operator may."""
    current = desk.policy.version if desk.configured else 0
    if not current and command.actor.kind != "operator":
        return refuse(404, "not-found", f"there is no workspace {desk.workspace}")
    expected = (current or 1) if command.expects is None else command.expects
    if expected != current:
        return refuse(412, "version-mismatch", f"the current version is {current}", config_version=current)
    policy = admit(desk, command.document, command.moves)
    if isinstance(policy, Decision):
        return policy
    apply(desk, policy, Moves(command.moves), command.actor)
    at = desk.draft.at
    row = {
        "version": policy.version,
        "document": command.document,
        "author": command.actor.model_dump(),
        "reason": command.reason,
        "open_clocks": command.open_clocks,
        "applied_at": at,
    }
    desk.append(desk.changes.versions, row)
    desk.say_about(
        "config",
        at,
        made(
            ConfigApplied,
            config_version=policy.version,
            document=command.document,
            author=command.actor,
            reason=command.reason,
            open_clocks=command.open_clocks,
            applied_at=at,
        ),
    )
    answer = {"config_version": policy.version, "applied_at": at, "inactive": policy.document.inactive()}
    if command.open_clocks == "recompute":
        answer["recompute_job_id"] = recompute_job_id(desk.workspace, at, policy.version)
    return Answer(lambda: answer)


def admit(desk: Desk, plain: dict[str, Any], moves: dict[str, Any] | None) -> Policy | Decision:
    """The next version as the desk would decide by it, or the refusal: 422 with every mistake, 409 when the document
    deletes what holds tickets. Nothing changes."""
    try:
        document = read_document(plain, standing=plain)  # the API is the door of closed lists
    except DocumentErrors as errors:
        return refuse(422, "invalid-document", str(errors), errors=[error.plain() for error in errors.errors])
    if document.workspace != desk.workspace:
        return refuse(422, "invalid-document", f"the document is of the workspace {document.workspace}")
    policy = compile_policy(document, desk.policy.version + 1 if desk.configured else 1)
    return _held(desk, policy, Moves(moves)) or policy


class Moves:
    """Where the tickets of deleted agents and queues go: `{agents: {anna: requeue}, queues: {billing: general}}`."""

    def __init__(self, given: dict[str, Any] | None = None) -> None:
        given = given or {}
        self.agents: dict[str, str] = given.get("agents") or {}
        self.queues: dict[str, str] = given.get("queues") or {}

    def queues_gone(self, desk: Desk, policy: Policy) -> dict[str, str]:
        """Of the queues that the version deletes, those of which it is said where their tickets go."""
        before = desk.policy.queues if desk.configured else {}
        return {slug: to for slug, to in self.queues.items() if slug in before and slug not in policy.queues}


def _held(desk: Desk, policy: Policy, moves: Moves) -> Decision | None:
    """The refusal when something that is deleted holds tickets and nothing says where they go."""
    agents = sorted(
        agent.slug for agent in desk.agents.values() if agent.hand and not _takes_tickets(policy, agent.slug)
    )
    stuck = [slug for slug in agents if moves.agents.get(slug) != "requeue"]
    if stuck:
        said = f"{', '.join(stuck)} still hold tickets; say moves.agents: {{{stuck[0]}: requeue}}"
        return refuse(409, "holds-tickets", said, agents=stuck, errors=_unsaid("agents", stuck))
    queues = sorted({t.queue for t in desk.tickets.values() if t.state in OPEN_STATES and t.queue not in policy.queues})
    stuck = [slug for slug in queues if moves.queues.get(slug) not in policy.queues]
    if stuck:
        said = f"{', '.join(stuck)} still hold tickets; say moves.queues: {{{stuck[0]}: another queue}}"
        return refuse(409, "holds-tickets", said, queues=stuck, errors=_unsaid("queues", stuck))
    for slug, to in moves.queues_gone(desk, policy).items():
        if to not in policy.queues:
            return invalid(f"there is no queue {to[:100]}", f"/moves/queues/{escaped(slug)}")
    return None


def _unsaid(section: str, slugs: list[str]) -> list[dict[str, str]]:
    return [{"pointer": f"/moves/{section}/{slug}", "detail": "say where its tickets go"} for slug in slugs]


def _takes_tickets(policy: Policy, slug: str) -> bool:
    return slug in policy.profiles and policy.profiles[slug].takes_tickets


def apply(desk: Desk, policy: Policy, moves: Moves | None = None, by: Actor = SYSTEM) -> None:
    """Makes the version the one that holds. Linear in agents, offers, and the tickets of queues that changed; the
    others stand where they stood, and who may take them now is asked as an agent that got room."""
    gone = (moves or Moves()).queues_gone(desk, policy)
    renamed = {slug: to for slug, to in gone.items() if to not in desk.policy.queues} if gone else {}
    changed = _changed_queues(desk, policy)
    concerned = {ticket.id for ticket in desk.tickets.values() if ticket.queue in changed}
    concerned.update((offer.ticket_id for offer in desk.offers.values()), *desk.reserved.values())
    for queue in changed:
        desk.arm(kinds.RIPEN, queue, None)
    for id in concerned:
        ticket = desk.tickets[id]
        if ticket.place is not None:
            desk.journal.set(ticket, "place", None)
    desk.waiting.adopt(policy, changed)
    desk.adopt(policy, Roster(policy, desk.journal), desk.waiting, desk.classifier(policy.document))
    moved_queues.remember(desk, gone)
    for slug in sorted(desk.agents.keys() - policy.profiles.keys()):
        _dismiss(desk, desk.agents[slug], by)
    for profile in policy.profiles.values():
        _employ(desk, profile, by)
    moved_queues.widen_elsewhere(desk, gone)
    for id in sorted(concerned):
        _requeue(desk, desk.tickets[id])
    queue_hours.reconfigured(desk, gone, renamed)
    for slug, to in sorted(renamed.items()):
        last = desk.journal.pop(desk.round_robin, slug)
        if last is not None:
            desk.journal.put(desk.round_robin, to, last)
    saving.reconfigured(desk, renamed)
    for agent in sorted(desk.agents.values(), key=lambda agent: (agent.idle_since, agent.slug)):
        if agent.state == "available" and agent.pool is not None:
            desk.draft.agents[agent.slug] = agent
            desk.draft.pools[agent.pool] = None


def _changed_queues(desk: Desk, policy: Policy) -> frozenset[str]:
    """The queues that were and now are others, or are no more: all when a language asks for something else."""
    if not desk.configured:
        return frozenset()
    before = desk.policy
    if _language_skills(before.document) != _language_skills(policy.document):
        return frozenset(before.queues)
    return frozenset(slug for slug, queue in before.queues.items() if policy.queues.get(slug) != queue)


def _language_skills(document: Document) -> tuple[str | None, frozenset[str]]:
    template = document.classify.language_skill
    if not template:
        return None, frozenset()
    begin, _, end = template.partition("{language}")
    return template, frozenset(skill for skill in document.skills if skill.startswith(begin) and skill.endswith(end))


def _employ(desk: Desk, profile: Profile, by: Actor) -> None:
    """Takes an agent's new profile on; a new agent is offline until a person chooses (rule 12)."""
    agent = desk.agents.get(profile.slug)
    if agent is None:
        agent = Agent(profile.slug, profile, since=desk.draft.at, idle_since=desk.draft.at)
        desk.journal.put(desk.agents, profile.slug, agent)
    desk.edit_agent(agent)
    agent.profile = profile
    agent.pool = None
    if profile.takes_tickets:
        desk.roster.join(agent)
        desk.roster.place(agent)
    else:
        _let_go(desk, agent, by)


def _dismiss(desk: Desk, agent: Agent, by: Actor) -> None:
    """The configuration names the agent no more."""
    desk.edit_agent(agent)
    agent.pool, agent.state, agent.active = None, "offline", False
    _let_go(desk, agent, by)
    for session in list(agent.sessions):
        desk.journal.pop(agent.sessions, session)
        desk.journal.put(desk.changes.sessions, (agent.slug, session), None)
    for kind in (kinds.LEASE, kinds.HOLD):
        desk.arm(kind, agent.slug, None)
    desk.journal.pop(desk.agents, agent.slug)


def _let_go(desk: Desk, agent: Agent, by: Actor) -> None:
    """Every ticket of an agent who takes none any more goes back into its queue, what waits for them too; what waits on
    somebody else goes on doing so without them; after-work ends."""
    for ticket_id in desk.reserved.get(agent.slug, ()):
        desk.edit(desk.tickets[ticket_id])
        holding.end_reservation(desk, desk.tickets[ticket_id])
    for ticket_id in sorted(agent.hand):
        ticket = desk.tickets[ticket_id]
        desk.edit(ticket)
        if ticket.in_wrap_up:
            wrap_up.over(desk, ticket, SYSTEM)
        elif ticket.offer is not None:
            offers.rescind(desk, ticket, f"{agent.slug} takes no tickets any more")
            queueing.enqueue(desk, ticket, "rescinded", fresh=False)
        else:
            requeue.leave_holder(desk, ticket, ticket.queue, by, f"{agent.slug} takes no tickets any more")


def _requeue(desk: Desk, ticket: Ticket) -> None:
    """Enters a waiting ticket into the new index, in another queue if its own is gone; an offer that the new version
    does not allow is rescinded."""
    if ticket.queue not in desk.policy.queues and ticket.state != "closed":
        desk.edit(ticket)
    if ticket.offer is not None:
        if not desk.may_take(desk.agents[ticket.offer.agent], ticket):
            offers.rescind(desk, ticket, "the configuration changed")
            queueing.enqueue(desk, ticket, "rescinded", fresh=False)
    elif ticket.state == "queued" and ticket.place is None and not (ticket.held or ticket.reserved_for):
        desk.edit(ticket)
        queueing.wait(desk, ticket)


__all__ = ["Document", "Moves", "admit", "apply", "put"]
