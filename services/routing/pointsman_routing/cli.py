"""The routing part of the `pointsman` command."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from pointsman.cli.errors import WrongInput
from pointsman.cli.output import print_fields, print_json
from pointsman_routing import classify_evaluation
from pointsman_routing.lint.command import lint_file
from pointsman_routing.replay.command import replay
from pointsman_routing.simulation.command import simulate

classify = typer.Typer(no_args_is_help=True, help="Classification: predict labels, and measure how good they are.")


def register(app: typer.Typer) -> None:
    """Adds the commands of this service (entry point `pointsman.commands`)."""
    app.add_typer(classify, name="classify")
    app.command("lint", epilog="Example: pointsman lint acme.yaml --rates rates.csv")(lint_file)
    app.command(epilog="Example: pointsman simulate scenario.yaml --json")(simulate)
    app.command(epilog="Example: pointsman replay history.jsonl --config tried.yaml")(replay)


Data = Annotated[Path, typer.Option("--data", help="A CSV file with the column `text` (eval: also `label`).")]


@classify.command()
def predict(data: Data) -> None:
    """Predict with the shipped rules and lexicon: one JSON object a line.

    Example: pointsman classify predict --data messages.csv
    """
    classifier = classify_evaluation.shipped_classifier()
    for prediction in classify_evaluation.predictions(_samples(data, labelled=False), classifier):
        typer.echo(orjson.dumps(prediction).decode())


@classify.command("eval")
def evaluate(
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure the shipped rules and lexicon on labelled messages.

    Example: pointsman classify eval --data labelled.csv --json
    """
    figures = classify_evaluation.evaluate(_samples(data, labelled=True), classify_evaluation.shipped_classifier())
    if as_json:
        print_json(figures)
    else:
        print_fields({name: "–" if figure is None else str(figure) for name, figure in figures.items()})


def _samples(data: Path, *, labelled: bool) -> list[classify_evaluation.Sample]:
    try:
        return classify_evaluation.read_samples(data, labelled=labelled)
    except classify_evaluation.TrialInputError as error:
        raise WrongInput(str(error)) from error
    except OSError as error:
        raise WrongInput(f"{data}: {error.strerror}") from error
