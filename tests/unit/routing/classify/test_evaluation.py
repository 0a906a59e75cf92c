"""`pointsman classify predict` and `eval` without a model."""

from pathlib import Path

import orjson
import pytest

from pointsman.cli.main import run


def _file(folder: Path, text: str) -> str:
    path = folder / "messages.csv"
    path.write_text(text, "utf-8")
    return str(path)


def test_predict_prints_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = _file(tmp_path, 'text\n"Where is my parcel, please?"\nVoglio un rimborso\n')
    assert run(["classify", "predict", "--data", data]) == 0
    first, second = map(orjson.loads, capsys.readouterr().out.splitlines())
    assert list(first) == [
        "text", "language", "category", "confidence", "top", "priority", "sentiment", "band", "evidence",
    ]  # fmt: skip
    assert (first["language"], first["category"]) == ("en", "delivery")
    assert (second["language"], second["category"], second["top"][0]["category"]) == ("it", "refund", "refund")


def test_eval_measures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = _file(
        tmp_path, "text,label\nI want a refund,refund\nWhere is my parcel?,delivery\nxyzzy,oos\nrefund,thanks\n"
    )
    assert run(["classify", "eval", "--data", data, "--json"]) == 0
    figures = orjson.loads(capsys.readouterr().out)
    assert (figures["n"], figures["accuracy"], figures["out_of_scope_recall"]) == (4, 0.75, 1.0)
    assert 0 <= figures["ece"] <= 1
    assert figures["messages_per_second"] > 0


@pytest.mark.parametrize(("text", "says"), [("a,b\n1,2\n", "no column 'text'"), ("text\nx\n", "no column 'label'")])
def test_a_file_that_cannot_be_used_is_one_line_and_exit_2(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["classify", "eval", "--data", _file(tmp_path, text)]) == 2
    error = capsys.readouterr().err.strip()
    assert says in error
    assert "\n" not in error


def test_an_absent_file_is_one_line_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", "predict", "--data", str(tmp_path / "none.csv")]) == 2
    assert capsys.readouterr().err.strip().count("\n") == 0
