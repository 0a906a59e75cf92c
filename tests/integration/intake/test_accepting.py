"""Accepting a group of arrivals: what is stored, which ticket it joins, what is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from pointsman.contracts.requests import MessageReceived
from pointsman.core.decision import Emission
from pointsman.core.instant import EPOCH, Instant
from pointsman.testing.installation import Installation
from pointsman_intake.accept import accept_group
from pointsman_intake.model import Accepted, Arrival, Inbound, Outcome, Person, Raw, Signal

pytestmark = pytest.mark.stack
NOW = EPOCH + timedelta(days=20_000)


def a_message(external_id: str = "m1", **changes: Any) -> Inbound:
    values: dict[str, Any] = {
        "workspace": "acme",
        "connector": "site-chat",
        "channel": "chat",
        "external_id": external_id,
        "thread": external_id,
        "person": Person(email="Ada@Example.com", name="Ada"),
        "content": {"text": "hello"},
        "received_at": NOW,
        "body_hash": "h1",
    }
    return Inbound(**values | changes)


def an_arrival(*messages: Inbound, **changes: Any) -> Arrival:
    values: dict[str, Any] = {"workspace": "acme", "connector": "site-chat", "at": NOW, "messages": messages}
    return Arrival(**values | {"raw": Raw(b"{}", "application/json")} | changes)


class Intake:
    """Two connections, as two API processes have them."""

    def __init__(self, one: Any, two: Any) -> None:
        self.one, self.two = one, two

    async def accept(
        self, *arrivals: Arrival, db: Any = None, now: Instant = NOW
    ) -> tuple[Sequence[Outcome], Sequence[Emission]]:
        connection = db or self.one
        async with connection.transaction():
            return await accept_group(connection, arrivals, now)

    async def accept_one(self, message: Inbound) -> tuple[Accepted, dict[str, Any] | None]:
        outcomes, emissions = await self.accept(an_arrival(message))
        accepted = outcomes[0].messages[0]
        assert accepted is not None
        return accepted, emissions[0].facts[0].wire() if emissions else None


@pytest.fixture
async def intake(installation: Installation) -> AsyncIterator[Intake]:
    connections = [await installation.connect("intake") for _ in range(2)]
    yield Intake(*connections)
    for connection in connections:
        await connection.close()


async def test_a_message_opens_a_ticket_and_is_told_whole(intake: Intake) -> None:
    accepted, fact = await intake.accept_one(a_message())
    assert fact is not None
    told = MessageReceived.model_validate(orjson.loads(orjson.dumps(fact)))
    assert (told.message_id, told.ticket_id) == (accepted.message_id, accepted.ticket_id)
    assert (told.thread_number, told.opens, told.text) == (1, True, "hello")
    assert (told.customer.email, told.author.id) == ("Ada@Example.com", told.customer.id)
    assert not accepted.duplicate
    assert told.wire().keys() >= fact.keys()


async def test_the_same_message_again_is_a_duplicate_and_says_nothing(intake: Intake) -> None:
    first, _ = await intake.accept_one(a_message())
    again, fact = await intake.accept_one(a_message())
    assert again == Accepted(first.message_id, first.ticket_id, duplicate=True, differs=False)
    assert fact is None
    assert await intake.one.fetchval("SELECT count(*) FROM raw") == 1


async def test_another_body_under_the_same_id_differs(intake: Intake) -> None:
    await intake.accept_one(a_message())
    again, _ = await intake.accept_one(a_message(body_hash="h2"))
    assert again.duplicate
    assert again.differs


async def test_a_repeat_within_one_group_is_a_duplicate(intake: Intake) -> None:
    outcomes, emissions = await intake.accept(an_arrival(a_message()), an_arrival(a_message()))
    assert [accepted and accepted.duplicate for outcome in outcomes for accepted in outcome.messages] == [False, True]
    assert len(emissions) == 1


async def test_messages_of_a_thread_share_its_ticket_and_count_up(intake: Intake) -> None:
    outcomes, emissions = await intake.accept(
        an_arrival(a_message("m1", thread="t"), a_message("m2", thread="t")), an_arrival(a_message("m3", thread="t"))
    )
    assert len({accepted and accepted.ticket_id for outcome in outcomes for accepted in outcome.messages}) == 1
    facts = [emission.facts[0].wire() for emission in emissions]
    assert [(fact["thread_number"], fact["opens"]) for fact in facts] == [(1, True), (2, False), (3, False)]


async def test_after_its_ticket_closed_a_thread_begins_a_new_one(intake: Intake) -> None:
    first, _ = await intake.accept_one(a_message("m1", thread="t"))
    await intake.one.execute("UPDATE thread SET closed = true")
    second, fact = await intake.accept_one(a_message("m2", thread="t", received_at=NOW + timedelta(seconds=1)))
    assert fact is not None
    assert second.ticket_id != first.ticket_id
    assert (fact["opens"], fact["follow_up_of"], fact["thread_number"]) == (True, first.ticket_id, 2)
    _, third = await intake.accept_one(a_message("m3", thread="t"))
    assert third is not None
    assert (third["opens"], third.get("follow_up_of"), third["ticket_id"]) == (False, None, second.ticket_id)


async def test_one_person_is_one_customer_however_they_write(intake: Intake) -> None:
    _, by_email = await intake.accept_one(a_message("m1", person=Person(email="ada@example.com", phone="+39 1")))
    _, by_phone = await intake.accept_one(a_message("m2", person=Person(phone="+39 1", name="Ada")))
    assert by_email is not None
    assert by_phone is not None
    assert by_email["customer"]["id"] == by_phone["customer"]["id"]
    assert by_phone["customer"]["name"] == "Ada"


async def test_a_nameless_customer_is_their_threads(intake: Intake) -> None:
    _, first = await intake.accept_one(a_message("m1", thread="t", person=Person()))
    _, second = await intake.accept_one(a_message("m2", thread="t", person=Person()))
    _, other = await intake.accept_one(a_message("m3", thread="u", person=Person()))
    assert first is not None
    assert second is not None
    assert other is not None
    assert first["customer"]["id"] == second["customer"]["id"] != other["customer"]["id"]


async def test_two_first_messages_of_a_thread_on_two_processes_make_one_ticket(intake: Intake) -> None:
    """chatwoot PR#13359: parallel webhooks of one conversation made two."""
    one, two = await _race(intake, a_message("m1", thread="t"), a_message("m2", thread="t"))
    assert one.ticket_id == two.ticket_id
    assert await intake.one.fetchval("SELECT array_agg(thread_number ORDER BY thread_number) FROM message") == [1, 2]
    assert await intake.one.fetchval("SELECT count(*) FROM customer") == 1


async def test_one_message_on_two_processes_at_once_is_stored_once(intake: Intake) -> None:
    """chatwoot#6046: duplicates under concurrency."""
    one, two = await _race(intake, a_message("m1", thread="t"), a_message("m1", thread="t"))
    assert sorted([one.duplicate, two.duplicate]) == [False, True]
    assert one.message_id == two.message_id
    assert await intake.one.fetchval("SELECT number FROM thread") == 1


async def test_numbers_have_no_hole_when_a_message_was_lost_to_another_process(intake: Intake) -> None:
    """The loser's number goes back, and what came with it moves up."""
    async with intake.one.transaction():
        await accept_group(intake.one, [an_arrival(a_message("m1", thread="t"))], NOW)
        racing = asyncio.create_task(
            intake.accept(an_arrival(a_message("m1", thread="t"), a_message("m2", thread="t")), db=intake.two)
        )
        await _until_waiting(intake.one)
    outcomes, emissions = await racing
    assert [accepted and accepted.duplicate for accepted in outcomes[0].messages] == [True, False]
    fact = emissions[0].facts[0].wire()
    assert (fact["external_id"], fact["thread_number"], fact["opens"]) == ("m2", 2, False)
    assert await intake.one.fetchval("SELECT number FROM thread") == 2
    assert await intake.one.fetchval("SELECT body->>'thread_number' FROM message WHERE external_id = 'm2'") == "2"


async def test_many_processes_and_many_threads_never_dead_lock(intake: Intake) -> None:
    async def post(db: Any, order: int) -> None:
        threads = [f"t{number}" for number in range(20)][::order]
        for round in range(10):
            messages = [
                a_message(f"{order}-{round}-{t}", thread=t, person=Person(email=f"{t}@example.com")) for t in threads
            ]
            await intake.accept(an_arrival(*messages), db=db)

    await asyncio.gather(post(intake.one, 1), post(intake.two, -1))
    assert await intake.one.fetchval("SELECT count(DISTINCT ticket_id) FROM message") == 20
    assert await intake.one.fetchval("SELECT count(*) FROM customer") == 20
    holes = "SELECT 1 FROM message GROUP BY thread HAVING count(*) <> max(thread_number)"
    assert not await intake.one.fetch(holes)


async def test_a_reaction_joins_what_it_cites_and_opens_nothing(intake: Intake) -> None:
    said, _ = await intake.accept_one(a_message("m1", thread="t", reference="C1:1"))
    reaction = a_message("r1", thread="C1:1", cites=("C1:1",), joins_only=True)
    joined, fact = await intake.accept_one(reaction)
    assert (joined.ticket_id, fact and fact["thread"]) == (said.ticket_id, "t")
    outcomes, emissions = await intake.accept(an_arrival(a_message("r2", cites=("C1:9",), joins_only=True)))
    assert outcomes[0].messages == (None,)
    assert not emissions


async def test_mails_find_their_conversation_by_any_known_reference(intake: Intake) -> None:
    """zammad#5064, osTicket#3607: In-Reply-To unknown, a known id only in References."""
    first, _ = await intake.accept_one(a_message("a", thread="a@x", reference="a@x"))
    second, _ = await intake.accept_one(a_message("b", thread="zzz@x", cites=("unknown@y", "a@x"), reference="b@x"))
    third, _ = await intake.accept_one(a_message("c", thread="yyy@x", cites=("b@x",), reference="c@x"))
    assert first.ticket_id == second.ticket_id == third.ticket_id


async def test_a_signal_finds_its_conversations_ticket(intake: Intake) -> None:
    accepted, _ = await intake.accept_one(a_message("m1", thread="t"))
    known = Signal("acme", "site-chat", "t", "left", NOW)
    unknown = Signal("acme", "site-chat", "elsewhere", "left", NOW)
    outcomes, emissions = await intake.accept(an_arrival(signals=(known, unknown), raw=None))
    assert outcomes[0].signals == (accepted.ticket_id, None)
    assert [emission.facts[0].type for emission in emissions] == ["customer.left"]


async def test_a_remembered_token_marks_a_replayed_request(intake: Intake) -> None:
    outcomes, _ = await intake.accept(an_arrival(a_message(), token="event-1"), an_arrival(token="event-1", raw=None))
    assert [outcome.replayed for outcome in outcomes] == [False, True]
    again, _ = await intake.accept(an_arrival(a_message(), token="event-1"))
    assert again[0].replayed
    assert again[0].messages[0] is not None
    assert again[0].messages[0].duplicate


async def _race(intake: Intake, first: Inbound, second: Inbound) -> tuple[Accepted, Accepted]:
    """The second is accepted while the first is written but not committed."""
    async with intake.one.transaction():
        outcomes, _ = await accept_group(intake.one, [an_arrival(first)], NOW)
        racing = asyncio.create_task(intake.accept(an_arrival(second), db=intake.two))
        await _until_waiting(intake.one)
    one, two = outcomes[0].messages[0], (await racing)[0][0].messages[0]
    assert one is not None
    assert two is not None
    return one, two


async def _until_waiting(db: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Until the other connection waits for a lock that this one holds."""
    waiting = "SELECT exists(SELECT 1 FROM pg_locks WHERE NOT granted) FROM pg_sleep(0.005)"
    while not await db.fetchval(waiting):
        continue


async def test_ids_of_one_commit_ascend_in_the_order_in_which_its_messages_came(intake: Intake) -> None:
    """They were of one millisecond and sorted at random, and so the desk served them."""
    batch = an_arrival(*(a_message(f"m{number}", person=Person(email=f"{number}@example.com")) for number in range(50)))
    alone = [an_arrival(a_message(f"n{number}", received_at=NOW - timedelta(seconds=number))) for number in range(50)]
    outcomes, emissions = await intake.accept(batch, *alone)
    messages = [one for outcome in outcomes for one in outcome.messages if one is not None]
    assert len(messages) == 100
    for ids in ([one.message_id for one in messages], [one.ticket_id for one in messages]):
        assert ids == sorted(set(ids))
    facts = [emission.facts[0].wire() for emission in emissions]
    assert [fact["message_id"] for fact in facts] == [one.message_id for one in messages]
    customers = [fact["customer"]["id"] for fact in facts[:50]]
    assert customers == sorted(set(customers))


async def test_two_strangers_on_two_processes_share_no_conversation(intake: Intake) -> None:
    one, two = (
        a_message(name, thread="news@x", person=Person(email=f"{name}@example.com"), joins_by_part=True)
        for name in ("ada", "bo")
    )
    first, second = await _race(intake, one, two)
    assert first.ticket_id != second.ticket_id


async def test_a_stranger_within_one_group_follows_up_the_ticket_that_begins_in_it(intake: Intake) -> None:
    ada = a_message("a", thread="a@x", reference="a@x", joins_by_part=True)
    bo = a_message(
        "b", thread="a@x", cites=("a@x",), reference="b@x", person=Person(email="bo@example.com"), joins_by_part=True
    )
    outcomes, emissions = await intake.accept(an_arrival(ada, bo))
    tickets = [accepted and accepted.ticket_id for accepted in outcomes[0].messages]
    facts = {emission.facts[0].wire()["external_id"]: emission.facts[0].wire() for emission in emissions}
    assert (facts["b"]["opens"], facts["b"]["follow_up_of"]) == (True, tickets[0])
    assert facts["b"]["ticket_id"] == tickets[1] != tickets[0]
