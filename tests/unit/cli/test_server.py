"""Which server a command speaks to: a profile, the environment, or the local stack that is up."""

from pathlib import Path

import pytest

from pointsman.cli.errors import CommandFailed, WrongInput
from pointsman.cli.server import command_error, find_server, remember_workspace
from pointsman.client.session import ApiError
from pointsman.local.folder import StackFolder, StackStatus
from pointsman.runtime.issuer_keys import IssuerKeys, generate_key_file


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("POINTSMAN_URL", "POINTSMAN_TOKEN", "POINTSMAN_STACK_FOLDER"):
        monkeypatch.delenv(name, raising=False)


def profiles(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".config" / "pointsman" / "profiles.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_a_profile_names_server_token_and_workspace(tmp_path: Path) -> None:
    profiles(tmp_path, '[live]\nurl = "https://desk.example"\ntoken = "t"\nworkspace = "acme"\n')
    server = find_server("live")
    assert (server.url, server.token, server.workspace) == ("https://desk.example", "t", "acme")
    assert find_server("live", "globex").workspace == "globex"


@pytest.mark.parametrize(
    ("text", "says"),
    [('[live]\nurl = "x"\n', "has no [live] with url and token"), ("[live", "profiles.toml"), ("", "has no [live]")],
)
def test_a_profile_that_does_not_do_is_wrong_input(tmp_path: Path, text: str, says: str) -> None:
    profiles(tmp_path, text)
    with pytest.raises(WrongInput) as raised:
        find_server("live")
    assert says in str(raised.value)


def test_an_address_elsewhere_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_URL", "https://desk.example")
    with pytest.raises(WrongInput, match=r"POINTSMAN_TOKEN is not set: who speaks to https://desk\.example"):
        find_server()
    monkeypatch.setenv("POINTSMAN_TOKEN", "t")
    assert find_server().url == "https://desk.example"


@pytest.mark.parametrize("end", ["", "/"])
def test_the_address_of_the_local_stack_needs_no_token(monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setenv("POINTSMAN_URL", f"http://127.0.0.1:1{end}")
    folder = StackFolder.here()
    folder.create()
    generate_key_file(folder.key_file)
    with folder.owned():
        folder.write_status(StackStatus("running", url="http://127.0.0.1:1", key_file=str(folder.key_file)))
        assert IssuerKeys.read(folder.key_file).verify(find_server().token)["role"] == "operator"
        monkeypatch.setenv("POINTSMAN_TOKEN", "annas")
        assert find_server().token == "annas"
        monkeypatch.delenv("POINTSMAN_URL")
        assert (find_server().url, find_server().token) == ("http://127.0.0.1:1", "annas")


def test_without_a_server_it_says_how_to_get_one() -> None:
    with pytest.raises(CommandFailed, match="pointsman up"):
        find_server()


def test_the_local_stack_is_spoken_to_as_its_operator() -> None:
    folder = StackFolder.here()
    folder.create()
    generate_key_file(folder.key_file)
    with folder.owned():
        folder.write_status(StackStatus("running", url="http://127.0.0.1:1", key_file=str(folder.key_file)))
        remember_workspace("acme")
        server = find_server()
    assert (server.url, server.workspace) == ("http://127.0.0.1:1", "acme")
    claims = IssuerKeys.read(folder.key_file).verify(server.token)
    assert (claims["role"], claims["workspace"]) == ("operator", "*")


def test_a_problem_is_one_line_with_the_place_of_each_mistake() -> None:
    problem = {
        "type": "/problems/invalid-document",
        "detail": "queues.billing.order: unknown",
        "errors": [{"pointer": "/queues/billing/order", "detail": "unknown", "line": 12}],
    }
    error = command_error(ApiError(422, problem))
    assert isinstance(error, WrongInput)
    assert str(error) == "/queues/billing/order (line 12): unknown"
    assert isinstance(command_error(ApiError(409, problem)), CommandFailed)


def test_a_problem_whose_detail_says_all_is_said_once() -> None:
    detail = "there is no queue 'biling'; did you mean billing?"
    problem = {
        "type": "/problems/invalid-request",
        "detail": detail,
        "errors": [{"pointer": "?queue", "detail": detail}],
    }
    assert str(command_error(ApiError(422, problem))) == detail
