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
from pointsman.runtime.settings import AdministratorSettings
from pointsman_sla.settings import SlaSettings

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
    known = {
        f"{settings.model_config['env_prefix']}{name}".upper()
        for settings in (EdgeSettings, SlaSettings, AdministratorSettings)
        for name in settings.model_fields
    }
    told = {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}
    assert {name for name in told if name.startswith("POINTSMAN_")} - known == set()


def test_compose_puts_no_word_of_its_user_into_an_address() -> None:
    """A password there would have to be written as an address wants it."""
    told = [value for service in COMPOSE["services"].values() for value in service.get("environment", {}).values()]
    assert [value for value in map(str, told) if "://" in value and ("$" in value or "@" in value)] == []


def test_no_containers_log_grows_for_ever() -> None:
    assert [
        name for name, service in COMPOSE["services"].items() if "max-size" not in service["logging"]["options"]
    ] == []


def test_prometheus_reads_every_process_of_compose_and_our_rules() -> None:
    folder = ROOT / "deploy" / "prometheus"
    told = yaml.safe_load((folder / "prometheus.yml").read_text())
    port = re.search(r"POINTSMAN_OPS_PORT=(\d+)", DOCKERFILE)
    assert port is not None
    targets = [one for job in told["scrape_configs"] for group in job["static_configs"] for one in group["targets"]]
    assert sorted(targets) == sorted(f"{program.name}:{port[1]}" for program in installed_programs())
    assert [name for name in told["rule_files"] if not (folder / name).is_file()] == []


def test_the_broker_is_the_version_that_the_tests_run() -> None:
    pom = (ROOT / "deploy" / "kafka" / "pom.xml").read_text()
    version = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>(.*)</version>", pom)
    assert version is not None
    assert COMPOSE["services"]["kafka"]["image"].partition("@")[0] == f"apache/kafka:{version[1]}"


SERVICES: Mapping[str, Any] = COMPOSE["services"]


def test_no_container_may_more_than_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert {name for name, service in SERVICES.items() if "cap_add" in service} == {"postgres"}


def test_every_image_of_others_is_named_by_its_digest() -> None:
    images = [service["image"] for service in SERVICES.values() if "image" in service]
    images += re.findall(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.MULTILINE)
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert len(images) == 3
    assert [image for image in images if not re.fullmatch(r"\S+:\S+@sha256:[0-9a-f]{64}", image)] == []
    assert {base for base in bases if not re.fullmatch(r"build(-\w+)?|run", base)} == {"${PYTHON}"}


def _has(text: str) -> set[str]:
    """The services whose definition has this text somewhere."""
    return {name for name, service in SERVICES.items() if text in orjson.dumps(service).decode()}


def test_each_secret_is_only_where_it_is_needed() -> None:
    assert _has("POSTGRES_PASSWORD}") | _has("POSTGRES_PASSWORD:?") == {"postgres", "setup"}
    assert _has("tokens.jwk") == _has("signing:/keys/signing") == {"setup", "edge"}
    assert _has("secrets.key") == {"setup", "edge", "intake", "routing", "sla"}
    for service in ("intake", "routing", "sla", "metrics"):
        assert _has(f"password-{service}:") == {"setup", "edge", service}
    written = {name for name, service in SERVICES.items() for volume in service["volumes"] if volume[-3:] != ":ro"}
    assert written == {"postgres", "kafka", "setup"}


def test_an_image_takes_nothing_but_what_the_lock_names() -> None:
    """Its hashes verified as it is downloaded; everything after that has no index."""
    steps = re.split(r"&&|;|^RUN", re.sub(r"\\\n", " ", DOCKERFILE), flags=re.MULTILINE)
    taking = [step for step in steps if re.search(r"\b(pip (install|download)|uv build)\b", step)]
    assert len(taking) > 10
    (downloading,) = [step for step in taking if "--no-index" not in step]
    assert all(word in downloading for word in ("--require-hashes", "--only-binary :all:", "requirements.lock"))
    assert [step for step in taking if "uv build" in step and "--no-build-isolation" not in step] == []


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
