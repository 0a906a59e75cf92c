"""What a document that says little means: the values of the specification's page."""

from pointsman.contracts.document import read_document
from tests.unit.document.documents import a_document


def test_a_name_is_enough() -> None:
    document = read_document("workspace: acme")
    assert document.tickets.reopen_seconds == 259_200
    assert document.presence.lease_seconds == 60
    assert document.presence.grace_seconds == 120
    assert document.presence.on_expire == "away"
    assert document.presence.gone["chat"].requeue == "after_grace"
    assert document.presence.gone["email"].at_latest_seconds == 28_800
    assert document.wrap_up_seconds == {"email": 0, "chat": 30, "social": 0}
    assert document.agents == {}
    assert document.inactive() == []


def test_there_is_always_a_queue() -> None:
    for written in (a_document(), a_document(queues={})):
        document = read_document(written)
        assert list(document.queues) == ["general"]
        assert document.catch_all_queue == "general"


def test_the_catch_all_is_what_otherwise_names_else_general_else_the_first_queue() -> None:
    assert read_document(a_document(queues={"a": {}, "general": {}})).catch_all_queue == "general"
    assert read_document(a_document(queues={"b": {}, "a": {}})).catch_all_queue == "b"
    named = a_document(queues={"b": {}, "a": {}}, classify={"otherwise": {"queue": "a"}})
    assert read_document(named).catch_all_queue == "a"


def test_a_queue_is_first_come_first_served_with_the_chain_of_choice() -> None:
    queue = read_document(a_document(queues={"a": {}})).queues["a"]
    assert (queue.order, queue.choice, queue.max_waiting, queue.pull) == ("fifo", None, None, False)
    assert (queue.offer.timeout_seconds, queue.offer.offers_max, queue.offer.retry_seconds) == (30, 3, 30)
    assert queue.head_start_minutes == {"urgent": 60, "high": 20, "normal": 0, "low": -20}


def test_a_channel_that_says_one_key_keeps_its_other_defaults() -> None:
    channels = read_document(a_document(channels={"chat": {"weight": 5}})).channels
    assert channels["chat"].weight == 5
    assert channels["chat"].pending_holds is True
    assert channels["chat"].abandons_after_seconds == 300
    assert channels["email"].affinity_seconds == 3600
    assert channels["social"].pending_holds is False


def test_an_agent_without_queues_serves_all_or_its_teams() -> None:
    queues: dict[str, dict[str, int]] = {"a": {}, "b": {}}
    document = read_document(
        a_document(queues=queues, agents={"anna": {}, "ben": {"team": "one"}}, teams={"one": {"queues": ["b"]}})
    )
    assert list(document.places_of("anna")) == ["a", "b"]
    assert list(document.places_of("ben")) == ["b"]


def test_an_agents_queues_have_one_form_however_they_are_written() -> None:
    agents = {
        "list": {"queues": ["a", "b"]},
        "ranks": {"queues": {"a": 1, "b": {"rank": 2, "after_seconds": 120}}},
    }
    document = read_document(a_document(queues={"a": {}, "b": {}}, agents=agents))
    assert [place.rank for place in document.places_of("list").values()] == [1, 1]
    late = document.places_of("ranks")["b"]
    assert (late.rank, late.after_seconds) == (2, 120)


def test_a_policy_that_says_nothing_of_warnings_warns_and_an_absent_pause_pauses_nothing() -> None:
    document = read_document(a_document(sla={"policies": [{"name": "p", "targets": {"first_response": {"high": 60}}}]}))
    policy = document.sla.policies[0]
    assert policy.warn.shares == (0.5, 0.8)
    assert policy.warn.lead_seconds == (60,)
    assert policy.pause_on == {}
    assert policy.targets["first_response"]["high"].seconds == 60


def test_a_policy_that_says_its_warnings_has_only_those() -> None:
    document = read_document(a_document(sla={"policies": [{"name": "p", "warn": {"shares": [0.9]}}]}))
    assert document.sla.policies[0].warn.lead_seconds == ()


def test_a_category_charges_its_own_weight_else_its_channels() -> None:
    classify = {"categories": {"bug": {"weight": 3}, "question": {}}}
    document = read_document(a_document(classify=classify))
    assert document.weight_of("bug", "chat") == 3
    assert document.weight_of("question", "chat") == 2
    assert document.weight_of("never-heard-of", "email") == 1


def test_a_reply_is_in_the_customers_language_else_in_the_first_there_is() -> None:
    replies = {"busy": {"it": "occupato", "en": "busy"}, "shut": {"fr": "fermé"}}
    document = read_document(a_document(languages=["it", "en"], replies=replies))
    assert document.reply_text("busy", "en") == "busy"
    assert document.reply_text("busy", "ru") == "occupato"
    assert document.reply_text("shut", "en") == "fermé"
    assert document.reply_text("none", "en") is None
