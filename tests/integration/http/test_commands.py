"""Commands over the broker, their outcomes, and the truth about those that have none (DESIGN, §3 Commands)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pointsman.contracts.commands import TicketExplain, TicketReopen
from pointsman.core.ids import digest_of
from pointsman.core.instant import after
from pointsman.local import Tansu, create_topics
from pointsman.runtime.commands import Answer, Key, attempt_id
from pointsman.runtime.http.problems import Problem
from pointsman.runtime.process import ApiProcess
from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.installation import Installation
from pointsman.testing.waiting import until
from tests.integration.http.echo import ANNA, an_echo
from tests.integration.http.serving import a_process, with_key

pytestmark = pytest.mark.stack


@pytest.fixture
def settings(installation: Installation, tmp_path: Path) -> RuntimeSettings:
    return with_key(installation.settings, tmp_path)


@pytest.fixture
async def process(settings: RuntimeSettings) -> AsyncIterator[ApiProcess]:
    async with a_process(settings) as process:
        yield process


@pytest.fixture
async def other_process(settings: RuntimeSettings) -> AsyncIterator[ApiProcess]:
    async with a_process(settings) as process:
        yield process


@pytest.fixture
async def hasty_process(settings: RuntimeSettings) -> AsyncIterator[ApiProcess]:
    """One that waits a second for an outcome."""
    async with a_process(settings.model_copy(update={"command_timeout_seconds": 1.0})) as process:
        yield process


def a_key(key: str = "k-1", body: bytes = b"{}") -> Key:
    return Key(key, "tok_1", "acme", "POST /v1/tickets/t1/reopen", digest_of(body))


async def reopen(process: ApiProcess, ticket: str = "t1", reason: str | None = None, key: Key | None = None) -> Answer:
    command = TicketReopen(actor=ANNA, ticket_id=ticket, reason=reason)
    return await process.commander.ask(command, workspace="acme", subject=ticket, key=key)


async def problem_of(work: "asyncio.Future[Answer] | asyncio.Task[Answer]") -> Problem:
    with pytest.raises(Problem) as raised:
        await work
    return raised.value


async def test_a_command_is_answered_with_its_outcome(settings: RuntimeSettings, process: ApiProcess) -> None:
    async with an_echo(settings):
        assert await reopen(process) == Answer(200, {"ticket_id": "t1", "count": 1})


async def test_a_refusal_is_a_problem_with_its_members(settings: RuntimeSettings, process: ApiProcess) -> None:
    async with an_echo(settings):
        problem = await problem_of(asyncio.create_task(reopen(process, reason="no")))
    assert (problem.status, problem.code, problem.extra) == (409, "offer-gone", {"holder": "boris"})


async def test_a_question_is_answered_and_leaves_no_row(settings: RuntimeSettings, process: ApiProcess) -> None:
    async with an_echo(settings):
        question = TicketExplain(actor=ANNA, ticket_id="t1")
        answer = await process.commander.ask(question, workspace="acme", subject="t1")
    assert answer.body == {"why": "because"}
    assert await process.pool.fetchval("SELECT count(*) FROM outcome") == 0


async def test_an_outcome_that_was_not_heard_is_found_in_the_table(process: ApiProcess) -> None:
    asking = asyncio.create_task(reopen(process, key=a_key()))
    await until(lambda: process.pool.fetchval("SELECT count(*) FROM asked"))
    await process.pool.execute(
        "INSERT INTO outcome (id, status, body) VALUES ($1, 200, $2)", attempt_id(a_key(), 0), {"count": 7}
    )
    assert (await asking).body == {"count": 7}


async def test_a_repeat_with_the_key_on_another_process_gets_the_first_result(
    settings: RuntimeSettings, process: ApiProcess, other_process: ApiProcess
) -> None:
    async with an_echo(settings) as echo:
        first = await reopen(process, key=a_key())
        again = await reopen(other_process, key=a_key())
        refused = await problem_of(asyncio.create_task(reopen(other_process, key=a_key(body=b"other"))))
    assert (first.body, first.replayed) == ({"ticket_id": "t1", "count": 1}, False)
    assert (again.body, again.replayed) == (first.body, True)
    assert (refused.status, refused.code) == (422, "idempotency-key-reused")
    assert echo.applied == {"t1": 1}


async def test_a_refusal_is_replayed_too(settings: RuntimeSettings, process: ApiProcess) -> None:
    async with an_echo(settings):
        for replayed in (None, "true"):
            problem = await problem_of(asyncio.create_task(reopen(process, reason="no", key=a_key())))
            assert (problem.code, problem.headers.get("Idempotency-Replayed")) == ("offer-gone", replayed)


async def test_a_repeat_while_the_first_runs_is_told_so(
    settings: RuntimeSettings, process: ApiProcess, other_process: ApiProcess
) -> None:
    first = asyncio.create_task(reopen(process, key=a_key()))
    await until(lambda: process.pool.fetchval("SELECT count(*) FROM asked"))
    problem = await problem_of(asyncio.create_task(reopen(other_process, key=a_key())))
    assert (problem.status, problem.code, problem.headers["Retry-After"]) == (409, "still-running", "1")
    async with an_echo(settings) as echo:
        await first
    assert echo.applied == {"t1": 1}


async def test_a_command_without_outcome_is_503_and_never_applied_later(
    settings: RuntimeSettings, hasty_process: ApiProcess, other_process: ApiProcess
) -> None:
    for key in (None, a_key()):
        problem = await problem_of(asyncio.create_task(reopen(hasty_process, key=key)))
        assert (problem.status, problem.code, problem.headers["Retry-After"]) == (503, "not-applied", "1")
    async with an_echo(settings) as echo:
        await reopen(other_process, "t2")
        assert echo.applied == {"t2": 1}
        retried = await reopen(other_process, key=a_key())
        assert (retried.body["count"], retried.replayed) == (1, False)
        assert (await reopen(hasty_process, key=a_key())).replayed
        assert (await reopen(hasty_process)).body["count"] == 2
    assert echo.applied == {"t1": 2, "t2": 1}


async def test_a_key_whose_asker_died_is_settled_by_the_next(settings: RuntimeSettings, process: ApiProcess) -> None:
    await process.pool.execute(
        "INSERT INTO asked (id, body_hash, not_after) VALUES ($1, $2, $3)",
        a_key().id,
        a_key().body_hash,
        after(process.clock.now(), -60),
    )
    async with an_echo(settings) as echo:
        answer = await reopen(process, key=a_key())
    assert (answer.body["count"], answer.replayed) == (1, False)
    status = await process.pool.fetchval("SELECT status FROM outcome WHERE id = $1", attempt_id(a_key(), 0))
    assert (status, echo.applied) == (503, {"t1": 1})


async def test_with_the_broker_down_a_command_is_refused_soon_and_works_when_it_is_back(
    settings: RuntimeSettings, tmp_path: Path
) -> None:
    address = tmp_path / "broker"
    settings = settings.model_copy(update={"broker": f"file:{address}", **Tansu.settings})

    async def start(folder: str) -> Tansu:
        server = Tansu(tmp_path / folder)
        await server.start()
        await create_topics(server.address, settings.partitions, settings.topic_prefix)
        address.write_text(server.address)
        return server

    first = await start("first")
    async with a_process(settings) as process, an_echo(settings) as echo:
        await reopen(process)
        await first.stop()
        await until(lambda: process.hub.link.out_of_reach_seconds > 2)
        problem = await problem_of(asyncio.create_task(reopen(process, key=a_key())))
        assert problem.code == "not-applied"
        second = await start("second")
        try:
            await until(process.hub.broadcast.hearing.is_set)
            assert (await reopen(process, key=a_key())).body["count"] == 2
        finally:
            await second.stop()
        assert echo.applied == {"t1": 2}
