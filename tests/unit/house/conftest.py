"""The trees of all files stay, and nothing in them is garbage: the collector does not look through them."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def the_collector_rests() -> Iterator[None]:
    """Nor does it later. What tests before left behind is collected first, so that no loss stays unseen."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()
    gc.freeze()
