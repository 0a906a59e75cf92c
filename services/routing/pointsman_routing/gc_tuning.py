"""Python's cyclic garbage collector, set for a process that keeps much and makes little garbage in cycles.

A desk of 100,000 tickets is a million containers that live for hours. With the default thresholds every few thousand
decisions would walk all of them, for hundreds of milliseconds. So young objects are collected less often, the old ones
rarely, and what was loaded from the database is not walked at all.
"""

import gc

YOUNG, MIDDLE, OLD = 20_000, 20, 100


def set_for_residents() -> None:
    """Sets the thresholds; once, when the process starts."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def keep_what_is_there() -> None:
    """Takes everything alive out of the collector's sight, after a lane was loaded."""
    gc.collect()
    gc.freeze()
