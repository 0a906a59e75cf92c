"""What a batch's decisions need beyond the resident state is asked for once, for all its causes."""

from collections.abc import Sequence
from typing import Any

from pointsman.core.cause import Cause, TimerCause
from pointsman.core.envelope import Arrived
from pointsman.runtime import own_commands
from pointsman.runtime.deciding import Decider
from pointsman.runtime.logic import LaneLogic
from pointsman.runtime.transaction import open_dead_letters


async def gather(
    pool: Any, logic: LaneLogic[Any], decider: Decider, records: Sequence[Arrived], fires: Sequence[TimerCause]
) -> None:
    """Calls the logic's `gather` with the causes among these, and with the dead letters that are to be read again.
    What was found to be refused is left out. Raises whatever a cause makes raise."""
    causes: list[Cause] = [timer for timer in fires if decider.refusal_of(timer) is None]
    replayed: list[str] = []
    for record in records:
        if decider.refusal_of(record) is not None:
            continue
        if own_commands.is_own(record):
            letter = own_commands.replayed_letter(record, decider.service)
            replayed += [letter] if letter is not None else []
        elif decider.concerns(record):
            cause = decider.decoded_cause(record)
            causes += [cause] if cause is not None else []
    if replayed:
        decider.replays = await open_dead_letters(pool, decider.lane, replayed)
        again = [own_commands.cause_of(decider, letter) for letter in decider.replays.values()]
        causes += [cause for cause in again if cause is not None]
    if causes:
        await logic.gather(pool, decider.state, causes)
