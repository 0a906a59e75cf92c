"""Every snippet of the pages is of a language that is known here, and can be read as such.

What runs is run by tests/integration/docs.
"""

import json
import re
import subprocess

import pytest
import yaml

from pointsman.contracts.document import read_document
from pointsman.contracts.events import EVENT_TYPES
from pointsman_routing.simulation.scenario import Scenario
from tests.snippets import ALL, ROOT, Snippet, pages

LANGUAGES = {"", "sh", "python", "yaml", "json"}


def of(*languages: str) -> list[Snippet]:
    return [snippet for snippet in ALL if snippet.language in languages]


def test_every_fence_is_found_and_says_its_language() -> None:
    fences = sum(len(re.findall(r"^ *```", page.read_text(), re.MULTILINE)) for page in pages())
    assert fences == 2 * len(ALL)
    assert sorted(str(snippet) for snippet in ALL if snippet.language not in LANGUAGES) == []
    assert len(of("sh", "python", "yaml")) > 30


def test_what_does_not_run_says_why() -> None:
    assert [str(snippet) for snippet in ALL if snippet.not_run is not None and len(snippet.not_run) < 10] == []


@pytest.mark.parametrize("snippet", of("sh"), ids=str)
def test_a_shell_snippet_can_be_read(snippet: Snippet) -> None:
    read = subprocess.run(["bash", "-n"], input=snippet.text, text=True, capture_output=True, check=False)
    assert read.returncode == 0, read.stderr
    # `…` stands for what the reader puts in: nobody can run that as it stands.
    typed = [line for line in snippet.text.splitlines() if not line.lstrip().startswith("#")]
    assert snippet.not_run or not [line for line in typed if "…" in line.partition("  # ")[0]]


@pytest.mark.parametrize("snippet", of("python"), ids=str)
def test_a_program_can_be_read(snippet: Snippet) -> None:
    compile(snippet.text, str(snippet), "exec")


@pytest.mark.parametrize("snippet", of("yaml"), ids=str)
def test_a_piece_of_yaml_is_what_it_is_an_example_of(snippet: Snippet) -> None:
    value = yaml.safe_load(snippet.text)
    if snippet.example_of is None:
        read_document(json.dumps({"workspace": "acme", "queues": {"billing": {}, "general": {}}, **value}).encode())
    elif snippet.example_of == "scenario":
        Scenario.model_validate(value)
    else:
        raise AssertionError(f"nobody knows how to check {snippet.example_of}")


@pytest.mark.parametrize("snippet", of("json"), ids=str)
def test_a_piece_of_json_can_be_read(snippet: Snippet) -> None:
    json.loads(snippet.text)


def test_one_pair_of_names_says_where_the_server_is_and_who_asks() -> None:
    """`TOKEN`, `URL` and `POINTSMAN` had to be set besides the two that the command and the client read."""
    known = {"POINTSMAN_URL", "POINTSMAN_TOKEN", "SITE_TOKEN", "MAIL_TOKEN"}
    for snippet in of("sh", "python"):
        named = re.findall(r"[$\"]\{?([A-Z_]*(?:TOKEN|URL|POINTSMAN))\b", snippet.text)
        assert set(named) <= known, str(snippet)


def test_the_page_of_events_lists_every_type() -> None:
    """`alert.silenced` was told, and stood nowhere."""
    page = (ROOT / "docs" / "events.md").read_text()
    listed = page[page.index("The types:") : page.index("A change of a ticket")]
    told = set()
    for group in re.findall(r"`([^`]+)`", listed):
        first, *others = group.split()
        told |= {first, *(f"{first.partition('.')[0]}.{other}" for other in others)}
    assert told == set(EVENT_TYPES)
