"""Places in lists that begin with an instant."""

from pointsman.core.instant import Instant
from pointsman.runtime.http.problems import Problem
from pointsman_sla.micros import instant


def instant_of_cursor(at: int) -> Instant:
    """The instant of a cursor. Raises `Problem` for one that was not handed out."""
    try:
        return instant(at)
    except OverflowError as error:
        raise Problem(422, "invalid-cursor", "the cursor is not one of this list") from error
