"""`pointsman lint FILE.yaml`: needs no server."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pointsman.cli.document_file import DocumentFile, read_document_file, refuse
from pointsman.cli.errors import WrongInput
from pointsman.cli.findings import finding_lines
from pointsman.cli.output import print_json, say
from pointsman.contracts.document import Document, DocumentErrors
from pointsman.contracts.document.horizon import as_written, horizons
from pointsman.contracts.document.needed import secrets_needed
from pointsman.contracts.document.vetting import vetted
from pointsman_routing.lint import lint
from pointsman_routing.lint.rates import Rate, RatesError, read_rates


def lint_file(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="A workspace document, YAML or JSON.")],
    rates: Annotated[
        Path | None,
        typer.Option(
            help="CSV with category,language,per_hour,handle_seconds[,channel], or an export of tickets: compares the "
            "offered load with the people's capacity."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Finds what a valid document probably does not mean, with its place, why it matters and how to mend it.

    Needs no server. Exit code 1 when there is something to look at, 2 when the document is not valid.
    """
    given = read_document_file(file)
    year = datetime.now(UTC).year
    try:
        document, _ = vetted(given.written, year=year)
    except DocumentErrors as errors:
        refuse(file, errors)
    findings = [
        finding.plain(given.written.line_of(finding.path)) for finding in lint(document, _rates(document, rates))
    ]
    ends = [horizon.plain() for horizon in horizons(as_written(document), year)]
    secrets = [one.plain() for one in secrets_needed(given.written.value)]
    if json:
        said = {"workspace": given.workspace, "findings": findings, "ok": not findings}
        said |= {"secrets": secrets} if secrets else {}
        print_json({**said, "horizons": ends} if ends else said)
    else:
        _print(given, findings)
        for one in secrets:
            say(f"{one['pointer']}: needs the secret {one['secret']} in {one['service']}; `apply` tells if it is set.")
        for end in ends:
            renews = ", moved on by itself every year" if end["renews"] else ", and for good"
            say(f"{end['pointer']}: public holidays are known until {end['until']}{renews}.")
    if findings:
        raise typer.Exit(1)


def _print(given: DocumentFile, findings: list[dict[str, Any]]) -> None:
    for line in finding_lines(given.path, findings):
        typer.echo(line)
    say(f"{len(findings)} to look at." if findings else "Nothing to find.")


def _rates(document: Document, file: Path | None) -> list[Rate] | None:
    if file is None:
        return None
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return read_rates(lines, document)
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"{file} cannot be read: {error}") from error
    except RatesError as error:
        raise WrongInput(f"{file}: {error}") from error
