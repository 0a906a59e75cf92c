"""Templates of messages: what is wrong with one is said when the document is written, with its place."""

import pytest

from pointsman.contracts.document import read_document
from tests.unit.document.documents import only_error


def document(body: str) -> str:
    indented = body.replace("\n", "\n          ")
    return f"workspace: acme\nsla:\n  notify:\n    pager:\n      template:\n        body: |-\n          {indented}\n"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{% for item in items %}", "no template: line 1: Unexpected end of template."),
        ("fine\n{{ count", "no template: line 2"),
        ("{{ customer }}", "no template: line 1: there is no variable 'customer'; known: alerts, count,"),
        ("{{ count | shout }}", "no template: line 1: there is no filter 'shout'"),
        ("{% if count is huge %}{% endif %}", "no template: line 1: there is no test 'huge'"),
        ("{% include 'other' %}", "no template: line 1: it cannot include, import or extend another"),
        ("{% extends 'other' %}", "no template: line 1: it cannot include, import or extend another"),
        ("{{ " + "(" * 1500 + "1" + ")" * 1500 + " }}", "no template: it is nested too deep"),
    ],
)
def test_a_template_with_a_mistake_is_refused_with_its_place(body: str, detail: str) -> None:
    error = only_error(document(body))
    assert (error.pointer, error.line) == ("/sla/notify/pager/template/body", 6)
    assert error.detail.startswith(detail), error.detail


@pytest.mark.parametrize(
    "body",
    [
        "plain words",
        "{% for item in items %}{{ loop.index }} {{ item.ticket | upper }}{% else %}none{% endfor %}",
        "{% set worst = severity %}{{ worst or 'info' }} {% macro line(a) %}{{ a }}{% endmacro %}{{ line(count) }}",
        "{{ default_body }}{% if alerts and alerts[0].ack_url %}{{ alerts[0].ack_url }}{% endif %}{{ test is true }}",
        # Nothing of a template is computed when it is checked.
        "{{ 'x' * 99999999999 }}{{ 'x' | center(99999999999) }}{{ 9 ** 9 ** 9 ** 9 }}",
    ],
)
def test_a_template_that_can_be_read_is_accepted(body: str) -> None:
    template = read_document(document(body)).sla.notify["pager"].template
    assert template is not None
    assert template.body == body


def test_hours_name_a_calendar_of_the_document() -> None:
    error = only_error("workspace: acme\nsla:\n  notify:\n    pager:\n      hours: office\n")
    assert (error.pointer, error.line) == ("/sla/notify/pager/hours", 5)


@pytest.mark.parametrize("given", ["per_hour_max: 0", "per_hour_max: many", "timezone: Mars/Base", "template: {x: y}"])
def test_a_wrong_value_is_refused(given: str) -> None:
    assert only_error(f"workspace: acme\nsla:\n  notify:\n    pager:\n      {given}\n").line == 5
