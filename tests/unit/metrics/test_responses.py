"""First and next responses: from a customer's oldest unanswered message to a person's public reply (domain/kpis.md)."""

from pointsman.contracts.desk import TicketMerged, TicketSplit
from pointsman.contracts.shapes import Author
from pointsman_metrics.fold.desk_rules import fold_ticket, open_ticket
from pointsman_metrics.fold.ticket import Beside
from tests.unit.metrics.desk_facts import ANNA, at, opened, replied, told, wrote

AGENT = Author(kind="agent", id="anna")


def test_the_first_response_counts_from_the_opening() -> None:
    ticket = told([(0, wrote(0, message_id="msg_1")), (40, replied(40))])
    assert (ticket.first_response_seconds, ticket.first_response_at) == (40, at(40))
    assert ticket.first_response_agent == "anna"
    assert ticket.asked_at is None


def test_a_bot_does_not_answer() -> None:
    ticket = told([(5, replied(5, author="bot")), (40, replied(40, message_id="msg_r2"))])
    assert ticket.first_response_seconds == 40
    assert (ticket.bot_reply_count, ticket.reply_count) == (1, 1)


def test_next_responses_count_from_the_oldest_unanswered_message() -> None:
    ticket = told(
        [
            (10, replied(10)),
            (20, wrote(20)),
            (30, wrote(30, message_id="msg_3")),
            (50, replied(50, message_id="msg_r2")),
            (60, wrote(60, message_id="msg_4")),
            (61, replied(61, message_id="msg_r3")),
        ]
    )
    assert ticket.answered == [30, 1]


def test_a_reply_written_in_the_providers_own_app_answers_from_when_it_was_written() -> None:
    ticket = told([(90, wrote(30, author=AGENT, message_id="msg_r1"))])
    assert ticket.first_response_seconds == 30


def test_the_same_reply_seen_twice_counts_once() -> None:
    ticket = told([(30, wrote(30, author=AGENT, message_id="msg_r1")), (30, replied(30, deliver=False))])
    assert ticket.reply_count == 1


def test_a_reply_older_than_the_question_does_not_answer_it() -> None:
    ticket = told([(10, replied(10)), (20, wrote(20)), (25, wrote(15, author=AGENT, message_id="msg_r2"))])
    assert ticket.answered == []
    assert ticket.asked_at == at(20)


def test_automatic_mail_asks_nothing() -> None:
    beside = Beside()
    ticket = open_ticket("acme", opened(automatic="out_of_office"), beside)
    fold_ticket(ticket, wrote(0, counts=False, automatic="out_of_office"), at(0), beside, lambda agent: None)
    assert ticket.asked_at is None


def test_a_ticket_that_an_agent_started_is_asked_when_the_customer_writes() -> None:
    beside = Beside()
    ticket = open_ticket("acme", opened(started_by="agent"), beside)
    fold_ticket(ticket, replied(0, message_id="msg_1"), at(0), beside, lambda agent: None)
    assert ticket.first_response_seconds is None
    fold_ticket(ticket, wrote(100), at(100), beside, lambda agent: None)
    fold_ticket(ticket, replied(130), at(130), beside, lambda agent: None)
    assert ticket.first_response_seconds == 30


def test_a_merge_asks_since_the_oldest_unanswered_message_of_both() -> None:
    merged = TicketMerged(ticket_id="tkt_1", source="tkt_2", unanswered_since=at(-50), reason="the same", by=ANNA)
    assert told([(20, merged), (40, replied(40))]).first_response_seconds == 90
    answered = told([(10, replied(10)), (20, merged), (40, replied(40, message_id="msg_r2"))])
    assert (answered.first_response_seconds, answered.answered) == (10, [90])


def test_the_ticket_that_was_merged_away_keeps_what_it_was() -> None:
    merged = TicketMerged(ticket_id="tkt_1", into="tkt_2", unanswered_since=at(-50), reason="the same", by=ANNA)
    assert told([(20, merged)]).asked_at == at(0)


def test_what_was_split_off_was_not_asked_here() -> None:
    split = TicketSplit(
        ticket_id="tkt_1", into="tkt_2", message_ids=("msg_1",), unanswered_since=at(10), reason="another", by=ANNA
    )
    assert told([(10, wrote(10)), (20, split), (40, replied(40))]).first_response_seconds == 30
    nothing = told([(20, split.model_copy(update={"unanswered_since": None})), (40, replied(40))])
    assert nothing.first_response_seconds is None


def test_a_ticket_that_was_split_off_is_asked_since_its_oldest_unanswered_message() -> None:
    fact = opened(split_from="tkt_0", unanswered_since=at(-30))
    assert open_ticket("acme", fact, Beside()).asked_at == at(-30)
    assert open_ticket("acme", opened(split_from="tkt_0"), Beside()).asked_first_at is None
