"""Work that nobody can do, or nobody at some hours, or only one person; and people for whom there is no work."""

from collections.abc import Iterator

from pointsman.contracts.document import CATCH_ALL
from pointsman_routing.lint.finding import Finding, some
from pointsman_routing.lint.view import DocumentView, WorkKind, in_languages, needed
from pointsman_routing.lint.week import EVERY_HOUR, first_span, week_of


def category_without_agent(view: DocumentView) -> Iterator[Finding]:
    """A category for whose tickets nobody is eligible when they come, at any shift."""
    if not view.staff.people:
        yield Finding(
            "category-without-agent",
            "error",
            ("workspace",),
            "The document has no agents who take tickets: every ticket waits for ever.",
            "Add `agents`.",
        )
        return
    lonely = [kind for kind in view.kinds if not kind.first and kind.work.path[:2] != ("classify", "rules")]
    for path, kinds, whole in view.by_path(lonely):
        later = [_helps_after(view, kind) for kind in kinds]
        helped = all(after is not None for after in later)
        waits = "for ever"
        if helped:
            waits = f"until relaxation after {max(filter(None, later))} s" if any(later) else "until it escalates"
        work, needs = kinds[0].work, _common_needs(kinds)
        yield Finding(
            "category-without-agent",
            "warning" if helped else "error",
            path,
            f"No agent serves {work.queue}{f' and has {needs}' if needs else ''}: a ticket of {work.category}"
            f"{in_languages(kinds, whole)} waits {waits}.",
            f"Give an agent {_what_lacks(view, kinds[0])}, or lower what is required.",
        )


def _common_needs(kinds: list[WorkKind]) -> str:
    """What tickets of all these languages need, in words."""
    first = kinds[0].work.requires
    common = {skill: level for skill, level in first.items() if all(kind.work.requires.get(skill) for kind in kinds)}
    own = " and the skill of the language" if common and common != first else "the skill of the language"
    return needed(common) + ("" if common == first else own)


def _helps_after(view: DocumentView, kind: WorkKind) -> int | None:
    """After how many seconds somebody is eligible (0: after escalation); None: never."""
    for stage in kind.stages[1:]:
        if view.staff.able(stage.queues, stage.requires):
            return stage.after_seconds or 0
    return None


def _what_lacks(view: DocumentView, kind: WorkKind) -> str:
    work = kind.work
    if not view.staff.serving(work.queue):
        return f"the queue {work.queue}"
    for skill, level in sorted(work.requires.items()):
        if not view.staff.able((work.queue,), {skill: level}):
            return f"of {work.queue} the skill {skill} at level {level}"
    return f"of {work.queue} {needed(work.requires)} together"


def never_met(view: DocumentView) -> Iterator[Finding]:
    """A requirement set that nobody meets, whatever is relaxed."""
    hopeless = [
        kind
        for kind in view.kinds
        if not kind.last and (kind.work.path[:2] == ("classify", "rules") or len(kind.stages) > 1)
    ]
    for path, kinds, whole in view.by_path(hopeless if view.staff.people else ()):
        kind = kinds[0]
        end = kind.stages[-1]
        relaxed = " even after everything in the queue is relaxed" if len(kind.stages) > 1 else ""
        needs = needed(end.requires)
        yield Finding(
            "never-met",
            "error",
            path,
            f"Nobody{f' who has {needs}' if needs else ''} serves {', '.join(sorted(end.queues))}{relaxed}: such a "
            f"ticket{in_languages(kinds, whole)} is never offered.",
            f"Relax further (`queues.{kind.work.queue}.relax` or `overflow`), or give an agent what it needs.",
        )


def shift_without_agent(view: DocumentView) -> Iterator[Finding]:
    """Hours at which the queue is open, or others work, and nobody who could take such a ticket does."""
    document, staff = view.document, view.staff
    open_hours = {
        slug: staff.on_shift(staff.everybody)
        if queue.hours is None
        else week_of(document.calendars[queue.hours], document)
        for slug, queue in document.queues.items()
    }
    gaps: list[tuple[WorkKind, int]] = []
    for kind in view.kinds:
        gap = open_hours[kind.work.queue] & ~staff.on_shift(kind.last) & EVERY_HOUR
        if kind.last and gap:
            gaps.append((kind, gap))
    gap_of = {id(kind): gap for kind, gap in gaps}
    for path, kinds, whole in view.by_path(kind for kind, _ in gaps):
        kind = kinds[0]
        hours = "the queue is open" if document.queues[kind.work.queue].hours else "others work"
        yield Finding(
            "shift-without-agent",
            "warning",
            path,
            f"{first_span(gap_of[id(kind)])} {hours}, and nobody who may take {kind.work.category}"
            f"{in_languages(kinds, whole)} does, only at other hours: {some(staff.names(kind.last))}.",
            "Add an agent of that shift with these skills, or give the queue the hours of those who can.",
        )


def single_holder(view: DocumentView) -> Iterator[Finding]:
    """A skill, or the level of it that work needs, that only one person has."""
    asked: dict[str, tuple[int, str]] = {}
    for kind in view.kinds:
        for skill, level in kind.work.requires.items():
            name = "everything else" if kind.work.category == CATCH_ALL else kind.work.category
            if level > asked.get(skill, (0, ""))[0]:
                asked[skill] = (level, name)
    for place, skill in enumerate(view.document.skills):
        level, name = asked.get(skill, (1, ""))
        for wanted in dict.fromkeys((1, level)):
            holders = view.staff.holding(skill, wanted)
            if holders.bit_count() == 1:
                at = f" at level {wanted}" if wanted > 1 else ""
                use = f" that {name} needs" if name else ""
                yield Finding(
                    "single-holder",
                    "warning",
                    ("skills", place),
                    f"Only {view.staff.names(holders)[0]} has {skill}{at}{use}: while they are away such tickets wait.",
                    "Teach it to a second person, or let a relaxation drop or lower it.",
                )
                break


def idle_agent(view: DocumentView) -> Iterator[Finding]:
    """An agent to whom no ticket can ever be offered."""
    document, staff = view.document, view.staff
    channels = {connector.channel for connector in document.connectors.values()} or set(document.channels)
    reached: dict[int, int] = {}
    for kind in view.kinds:
        for channel in channels:
            weight = document.weight_of(kind.work.category, channel)
            reached[weight] = reached.get(weight, 0) | _ever(view, kind)
    lightest = min(reached, default=1)
    for place, slug in enumerate(staff.people):
        agent, bit = document.agents[slug], 1 << place
        queues = document.places_of(slug)
        if queues and agent.capacity >= lightest and view.hinted:
            continue
        if any(mask & bit and weight <= agent.capacity for weight, mask in reached.items()):
            continue
        if agent.capacity < lightest:
            why, mend = f"a capacity of {agent.capacity}, and the lightest ticket weighs {lightest}", "Raise `capacity`"
        elif not queues:
            why, mend = "no queue", "Name a queue"
        elif any(mask & bit for mask in reached.values()):
            why, mend = "less capacity than any ticket weighs that they could take", "Raise `capacity`"
        else:
            why, mend = (
                f"in {some(list(queues))} no skills that any ticket there asks for",
                "Give them a skill that a category of these queues requires, or another queue",
            )
        yield Finding(
            "idle-agent",
            "warning",
            ("agents", slug),
            f"{slug} has {why}: no ticket is ever offered to them.",
            f"{mend}, or remove the agent.",
        )


def _ever(view: DocumentView, kind: WorkKind) -> int:
    """Those who may take it at the end, or when its language is not recognised."""
    end = kind.stages[-1]
    skill = view.document.language_skill(kind.work.language) if kind.work.language else None
    own = view.document.category(kind.work.category).requires
    unrecognised = {name: level for name, level in end.requires.items() if name != skill or name in own}
    return view.staff.able(end.queues, unrecognised)
