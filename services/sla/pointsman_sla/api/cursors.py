"""Places in lists that begin with an instant."""

from pointsman.core.instant import EPOCH, FOREVER, Instant
from pointsman.runtime.http.pages import invalid_cursor
from pointsman_sla.micros import instant, micros


def instant_of_cursor(at: int) -> Instant:
    """The instant of a cursor. Raises `Problem` for one that was not handed out."""
    if not micros(EPOCH) <= at <= micros(FOREVER):
        raise invalid_cursor()
    return instant(at)
