"""Images and compose run what the local stack, and so the tests, run."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import orjson
import yaml
from tests.unit.house.checkout import ROOT

from pointsman.edge.settings import EdgeSettings
from pointsman.local.supervisor import installed_programs

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def _commands() -> dict[str, list[str]]:
    """Target → its command."""
    targets = re.split(r"^FROM \S+ AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)[1:]
    commands = {}
    for name, body in zip(targets[::2], targets[1::2], strict=True):
        command = re.search(r"^CMD (\[.*\])$", body, flags=re.MULTILINE)
        if command is not None:
            commands[name] = orjson.loads(command[1])
    return commands


def test_there_is_a_target_for_each_process_and_it_runs_the_same() -> None:
    local = {program.name: ["python", *program.argv[1:]] for program in installed_programs()}
    assert _commands() == local


def test_compose_runs_each_process_and_builds_its_target() -> None:
    for program in installed_programs():
        assert COMPOSE["services"][program.name]["build"]["target"] == program.name


def test_compose_sets_only_settings_that_exist() -> None:
    known = {f"POINTSMAN_{name.upper()}" for name in EdgeSettings.model_fields} | {"POINTSMAN_ADMIN_DSN"}
    told = {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}
    assert {name for name in told if name.startswith("POINTSMAN_")} - known == set()


def test_the_broker_is_the_version_that_the_tests_run() -> None:
    pom = (ROOT / "deploy" / "kafka" / "pom.xml").read_text()
    version = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>(.*)</version>", pom)
    assert version is not None
    assert COMPOSE["services"]["kafka"]["image"] == f"apache/kafka:{version[1]}"


def test_every_dependency_is_explained_and_pinned() -> None:
    explained = (ROOT / "docs" / "dependencies.md").read_text()
    pinned = (ROOT / "requirements.lock").read_text()
    names = [line.partition("[")[0] for line in (ROOT / "requirements.in").read_text().split()]
    assert [name for name in names if not re.search(rf"^\| [^|]*\b{re.escape(name)}\b", explained, re.MULTILINE)] == []
    locked = set(re.findall(r"^([a-z0-9-]+)==", pinned, re.MULTILINE))
    assert {name.replace(".", "-") for name in names} - locked == set()


def test_every_distribution_depends_only_on_what_is_pinned() -> None:
    names = {re.split(r"\[", line)[0] for line in (ROOT / "requirements.in").read_text().split()}
    for file in [ROOT / "libs/pointsman/pyproject.toml", *sorted(ROOT.glob("services/*/pyproject.toml"))]:
        project = tomllib.loads(file.read_text())["project"]
        wanted = project["dependencies"] + project.get("optional-dependencies", {}).get("local", [])
        assert {re.split(r"[\[<>=!~ ]", one)[0] for one in wanted} - names - {"pointsman"} == set(), file
