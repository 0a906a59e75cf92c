"""Wrong usage ends with exit code 2 and one line that says what and where, never a traceback."""

import pytest

from pointsman.cli.main import run


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-command"], "No such command 'no-such-command'"),
        (["up", "--no-such-option"], "No such option: --no-such-option"),
        (["up", "--port", "seventy"], "--port"),
        (["up", "--broker", "rabbit"], "--broker rabbit: it is tansu or kafka"),
        (["logs", "nobody"], "there is no log of 'nobody'"),
    ],
)
def test_wrong_usage(
    arguments: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Usage" in capsys.readouterr().out
