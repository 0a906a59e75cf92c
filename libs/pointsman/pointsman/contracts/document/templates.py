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


_OWN_NAMES = frozenset(("caller", "kwargs", "loop", "varargs"))


def check_template(source: str) -> str:
    """The template itself. Raises `ValueError` that says what is wrong and on which of its lines.

    It is parsed only: compiling computes what is constant in it (`'x' * 10**10`).
    """
    # Here, since only who checks a document needs it.
    from jinja2 import TemplateSyntaxError, nodes
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment()
    try:
        parsed = environment.parse(source)
        names = list(parsed.find_all(nodes.Name))
        others = next(parsed.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)), None)
        filters = [(found.name, found.lineno) for found in parsed.find_all(nodes.Filter)]
        tests = [(found.name, found.lineno) for found in parsed.find_all(nodes.Test)]
    except TemplateSyntaxError as error:
        raise ValueError(f"no template: line {error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise ValueError("no template: it is nested too deep") from error
    if others is not None:
        raise ValueError(f"no template: line {others.lineno}: it cannot include, import or extend another")
    for kind, used, known in (("filter", filters, environment.filters), ("test", tests, environment.tests)):
        for name, line in used:
            if name not in known:
                raise ValueError(f"no template: line {line}: there is no {kind} {name!r}")
    defined = VARIABLES | _OWN_NAMES | set(environment.globals) | {name.name for name in names if name.ctx != "load"}
    defined |= {macro.name for macro in parsed.find_all(nodes.Macro)}
    for unknown in names:
        if unknown.name not in defined:
            known_names = ", ".join(sorted(VARIABLES))
            where = f"no template: line {unknown.lineno}"
            raise ValueError(f"{where}: there is no variable {unknown.name!r}; known: {known_names}")
    return source


TemplateText = Annotated[
    str, StringConstraints(min_length=1, max_length=TEXT_CHARACTERS_MAX), AfterValidator(check_template)
]
