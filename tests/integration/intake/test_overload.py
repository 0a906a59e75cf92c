"""Ten times what one process serves: it answers with 2xx, 429 or 503, and nothing else. How fast is a benchmark's
business (`pointsman bench overload`)."""

from pathlib import Path

import pytest

from pointsman.runtime.settings import RuntimeSettings
from pointsman.testing.installation import Installation
from pointsman_intake.overload import figures
from tests.integration.http.serving import with_key

pytestmark = [pytest.mark.stack, pytest.mark.long]


async def test_a_process_that_is_asked_for_too_much_serves_some_and_refuses_the_rest(
    installation: Installation, tmp_path: Path
) -> None:
    limits = {
        name: RuntimeSettings.model_fields[name].default for name in ("calls_per_second_max", "calls_per_token_max")
    }
    settings = with_key(installation.settings, tmp_path).model_copy(update=limits)
    found = await figures(settings, seconds=5, rest_seconds=1, served_seconds=2)
    (admitted,), (offered,) = found["admitted_per_second"], found["offered_per_second"]
    assert 0 < admitted < offered
    assert found["other_answers"] == [0]
    assert found["refused_429"][0] + found["refused_503"][0] > 0
