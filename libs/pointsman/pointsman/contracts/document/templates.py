"""Templates of messages in Jinja2: what is wrong with one is found when it is written, not when it is needed."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from pointsman.contracts.document.parts import TEXT_CHARACTERS_MAX

VARIABLES = frozenset(
    (
        "alerts",
        "count",
        "default_body",
        "default_title",
        "group",
        "id",
        "items",
        "more",
        "severity",
        "target",
        "test",
        "workspace",
        "zone",
    )
)
"""What a template may name (docs/sla.md says what each is)."""


def check_template(source: str) -> str:
    """The template itself. Raises `ValueError` that says what is wrong and on which of its lines."""
    # Here, since only who checks a document needs it.
    from jinja2 import TemplateSyntaxError, meta
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment()
    try:
        parsed = environment.parse(source)
        environment.compile(parsed)
    except TemplateSyntaxError as error:
        raise ValueError(f"no template: line {error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise ValueError("no template: it is nested too deep") from error
    if any(meta.find_referenced_templates(parsed)):
        raise ValueError("no template: it cannot include, import or extend another")
    unknown = sorted(meta.find_undeclared_variables(parsed) - VARIABLES)
    if unknown:
        raise ValueError(f"no template: there is no variable {unknown[0]!r}; known: {', '.join(sorted(VARIABLES))}")
    return source


TemplateText = Annotated[
    str, StringConstraints(min_length=1, max_length=TEXT_CHARACTERS_MAX), AfterValidator(check_template)
]
