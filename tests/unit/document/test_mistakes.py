"""A mistake is answered with its key, its line, and what is wrong, all at once."""

from typing import Any

import pytest

from pointsman.contracts.document import DocumentErrors, read_document
from tests.unit.document.documents import a_document, only_error, refused


def test_an_unknown_key_is_told_with_its_line_and_the_key_that_was_meant() -> None:
    error = only_error("workspace: acme\nagents:\n  anna:\n    capcity: 3\n")
    assert error.pointer == "/agents/anna/capcity"
    assert error.line == 4
    assert "did you mean 'capacity'?" in error.detail


def test_json_has_lines_too() -> None:
    error = only_error('{"workspace": "acme",\n "queues": {"a": {},\n  "b": {"order": "lifo"}}}')
    assert (error.pointer, error.line) == ("/queues/b/order", 3)
    assert "fifo" in error.detail


def test_a_mapping_has_no_lines() -> None:
    assert only_error(a_document(queuez={})).line is None


def test_every_mistake_is_told_at_once() -> None:
    errors = refused("workspace: Acme\nskills: [a, b]\nagents:\n  anna: {skills: {a: 11}, capacity: many}\nfoo: 1\n")
    assert [error.pointer for error in errors] == [
        "/workspace",
        "/agents/anna/capacity",
        "/agents/anna/skills/a",
        "/foo",
    ]


def test_the_workspace_is_required() -> None:
    error = only_error("languages: [en]\n")
    assert (error.pointer, error.detail) == ("/workspace", "is required")


def test_channel_and_kind_of_a_connector_are_required() -> None:
    errors = refused(a_document(connectors={"mail": {}}))
    assert [error.pointer for error in errors] == ["/connectors/mail/channel", "/connectors/mail/kind"]


@pytest.mark.parametrize("name", ["other/hook", "POINTSMAN_SECRET__OTHER__HOOK", "other--hook", "../hook", "", "a b"])
def test_another_workspaces_secret_cannot_be_named(name: str) -> None:
    error = only_error(f"workspace: acme\nwebhooks:\n  crm:\n    secret: '{name}'\n")
    assert (error.pointer, error.line) == ("/webhooks/crm/secret", 4)
    assert "secret of this workspace" in error.detail


@pytest.mark.parametrize("slug", ["two--hyphens", "-a", "a-", "Upper", "with space", "under_score", ""])
def test_a_slug_is_lower_case_with_single_hyphens(slug: str) -> None:
    assert refused(a_document(workspace=slug))[0].pointer == "/workspace"


def test_a_skill_may_have_upper_case() -> None:
    document = read_document(a_document(skills=["lang-zh-Hant"], agents={"mei": {"skills": {"lang-zh-Hant": 10}}}))
    assert document.agents["mei"].skills == {"lang-zh-Hant": 10}


@pytest.mark.parametrize(
    ("sections", "pointer"),
    [
        ({"agents": {"a": {"skills": {"x": 1}}}}, "/agents/a/skills/x"),
        ({"agents": {"a": {"queues": ["x"]}}}, "/agents/a/queues/x"),
        ({"agents": {"a": {"team": "x"}}}, "/agents/a/team"),
        ({"agents": {"a": {"hours": "x"}}}, "/agents/a/hours"),
        ({"teams": {"t": {"queues": ["x"]}}}, "/teams/t/queues/0"),
        ({"queues": {"q": {"hours": "x"}}}, "/queues/q/hours"),
        ({"queues": {"q": {"overflow": [{"after_seconds": 1, "to": "x"}]}}}, "/queues/q/overflow/0/to"),
        ({"queues": {"q": {"offer": {"then": {"notify": "x"}}}}}, "/queues/q/offer/then/notify"),
        ({"queues": {"q": {"closed": {"reply": "x"}}}}, "/queues/q/closed/reply"),
        ({"queues": {"q": {"full": {"then": {"to": "x"}}}}}, "/queues/q/full/then/to"),
        ({"queues": {"q": {"relax": [{"after_seconds": 1, "lower": {"x": 1}}]}}}, "/queues/q/relax/0/lower/x"),
        ({"classify": {"categories": {"c": {"queue": "x"}}}}, "/classify/categories/c/queue"),
        ({"classify": {"otherwise": {"queue": "x"}}}, "/classify/otherwise/queue"),
        ({"classify": {"rules": [{"set": {"queue": "x"}}]}}, "/classify/rules/0/set/queue"),
        ({"classify": {"rules": [{"when": {"open": "x"}}]}}, "/classify/rules/0/when/open"),
        ({"classify": {"rules": [{"when": {"not": {"connector": ["x"]}}}]}}, "/classify/rules/0/when/not/connector/0"),
        ({"sla": {"policies": [{"name": "p", "calendar": "x"}]}}, "/sla/policies/0/calendar"),
        ({"sla": {"policies": [{"name": "p", "ladder": "x"}]}}, "/sla/policies/0/ladder"),
        ({"sla": {"policies": [{"name": "p", "match": {"queue": ["x"]}}]}}, "/sla/policies/0/match/queue/0"),
        ({"sla": {"last_resort": "x"}}, "/sla/last_resort"),
        ({"webhooks": {"w": {"queues": ["x"]}}}, "/webhooks/w/queues/0"),
        ({"connectors": {"c": {"channel": "chat", "kind": "json", "auto_reply": "x"}}}, "/connectors/c/auto_reply"),
    ],
)
def test_every_name_that_is_used_has_to_be_there(sections: dict[str, Any], pointer: str) -> None:
    error = only_error(a_document(**sections))
    assert error.pointer == pointer
    assert "there is no" in error.detail


def test_an_address_belongs_to_one_connector() -> None:
    mail = {"channel": "email", "kind": "smtp", "addresses": ["Help@acme.example"]}
    other = {**mail, "addresses": ["help@acme.example"]}
    assert only_error(a_document(connectors={"a": mail, "b": other})).pointer == "/connectors/b/addresses/0"


@pytest.mark.parametrize("expression", ["(?=ahead)", "(?<!behind)x", r"(a)\1", "(", "[z-a]", "a{2,1}", r"\Boo"])
def test_an_expression_has_to_be_linear_in_time(expression: str) -> None:
    rules = [{"when": {"text": expression}, "set": {"tags": ["x"]}}]
    error = only_error(a_document(classify={"rules": rules}))
    assert error.pointer == "/classify/rules/0/when/text"


@pytest.mark.parametrize("expression", [r"(?:a{0,500}){2}b", r"a{0,1000}", r"(?:\w{0,25}\s){25}", r"\w{0,30}x"])
@pytest.mark.parametrize("place", ["text", "subject", "header/x-spam", "any/0/text", "not/all/1/subject"])
def test_an_expression_that_repetitions_make_large_is_refused_at_its_place(expression: str, place: str) -> None:
    """A thousand of them stalled a lane for minutes with one message."""
    when: Any = expression
    for step in reversed(place.split("/")):
        when = [*[{"text": "x"}] * int(step), when] if step.isdigit() else {step: when}
    error = only_error(a_document(classify={"rules": [{"when": when, "set": {"tags": ["x"]}}]}))
    assert error.pointer == f"/classify/rules/0/when/{place}"
    assert "at most" in error.detail or "too large" in error.detail


@pytest.mark.parametrize(
    ("spans", "place"),
    [
        ([["09:00", "25:00"]], "/0/1"),
        ([["9:00", "17:00"]], "/0/0"),
        ([["09:00", "09:00"]], ""),
        ([["09:00", "12:00"], ["11:00", "15:00"]], ""),
        ([["22:00", "06:00"], ["23:00", "23:30"]], ""),
        ([["24:00", "01:00"]], ""),
        ("09:00-17:00", ""),
    ],
)
def test_hours_are_spans_apart_and_in_order(spans: Any, place: str) -> None:
    error = only_error(a_document(calendars={"office": {"week": {"mon": spans}}}))
    assert error.pointer == f"/calendars/office/week/mon{place}"


def test_hours_may_end_at_midnight_or_after_it() -> None:
    read_document(a_document(calendars={"late": {"week": {"mon": [["18:00", "24:00"]], "sat": [["22:00", "06:00"]]}}}))


@pytest.mark.parametrize("day", ["2026-02-30", "02-30", "2026-1-1", "tomorrow", "20260101"])
def test_a_holiday_is_a_date_of_a_year_or_of_every_year(day: str) -> None:
    calendar = {"always": True, "holidays": ["02-29", day]}
    assert only_error(a_document(calendars={"office": calendar})).pointer == "/calendars/office/holidays/1"


def test_an_unknown_zone_is_told() -> None:
    error = only_error("workspace: acme\ncalendars:\n  office: {tz: Europe/Roma, always: true}\n")
    assert (error.pointer, error.line) == ("/calendars/office/tz", 3)


def test_a_calendar_that_never_opens_is_refused() -> None:
    assert only_error(a_document(calendars={"never": {"week": {"mon": []}}})).pointer == "/calendars/never"


@pytest.mark.parametrize("seconds", [0, -1, 10**12, "60", 1.5, True])
def test_a_target_is_a_sane_number_of_seconds(seconds: Any) -> None:
    policy = {"name": "p", "targets": {"first_response": {"default": seconds}}}
    assert refused(a_document(sla={"policies": [policy]}))[0].pointer.startswith(
        "/sla/policies/0/targets/first_response/default"
    )


@pytest.mark.parametrize(
    ("queue", "key"),
    [
        ({"offer": {"timeout_seconds": "30"}}, "offer/timeout_seconds"),
        ({"offer": {"timeout_seconds": True}}, "offer/timeout_seconds"),
        ({"offer": {"timeout_seconds": 30.5}}, "offer/timeout_seconds"),
        ({"pull": "yes"}, "pull"),
        ({"pull": 1}, "pull"),
    ],
)
def test_numbers_and_truths_are_not_guessed_from_others(queue: dict[str, Any], key: str) -> None:
    assert only_error(a_document(queues={"q": queue})).pointer == f"/queues/q/{key}"


def test_ten_thousand_skills_are_too_many() -> None:
    error = only_error(a_document(skills=[f"skill-{number}" for number in range(10_000)]))
    assert error.pointer == "/skills"
    assert error.detail == "at most 2000 items; there are 10000"
    anna = {"skills": {f"skill-{number}": 5 for number in range(10_000)}}
    assert only_error(a_document(agents={"anna": anna})).detail == "at most 200 items; there are 10000"


def test_a_reserve_fits_the_capacity() -> None:
    agent = {"capacity": 2, "reserve": {"chat": 2, "email": 1}}
    assert only_error(a_document(agents={"anna": agent})).pointer == "/agents/anna/reserve"


@pytest.mark.parametrize(
    "steps",
    [
        [{"after_seconds": 60, "do": [{"boost": 1}]}],
        [{"do": [{"boost": 1}]}],
        [{"on": "breach", "do": [{"boost": 1, "relax": "all"}]}],
        [{"on": "breach", "at": 0.5, "do": [{"boost": 1}]}],
        [{"on": "breach", "do": [{"boost": 1, "during": "office"}]}],
    ],
)
def test_a_ladders_steps_hang_together(steps: list[Any]) -> None:
    calendars = {"office": {"always": True}}
    errors = refused(a_document(calendars=calendars, sla={"ladders": {"up": steps}}))
    assert errors[0].pointer.startswith("/sla/ladders/up/0")


def test_the_message_of_the_exception_is_one_line_for_people() -> None:
    with pytest.raises(DocumentErrors, match=r"/queuez \(line 2\): unknown key; did you mean 'queues'\?, and 1 more"):
        read_document("workspace: acme\nqueuez: {}\nagentz: {}\n")
