"""Rules 2 and 3: units, weights, caps and reserves; never above capacity."""

from tests.unit.routing.playing import Play, a_workspace


def offered(play: Play) -> list[str]:
    return sorted(ticket.id for ticket in play.desk.tickets.values() if ticket.offer)


def test_an_offer_counts_before_it_is_accepted() -> None:
    """RocketChat PR#37776, PR#19352: read, check, assign let two offers through for one place."""
    play = Play(a_workspace({"anna": {"capacity": 1}}))
    play.say("tkt_1")
    play.say("tkt_2")
    assert offered(play) == ["tkt_1"]


def test_caps_count_tickets_of_a_channel() -> None:
    play = Play(a_workspace({"anna": {"capacity": 4, "caps": {"chat": 1}}}))
    play.say("chat_1", channel="chat")
    play.say("chat_2", channel="chat")
    play.say("mail_1", channel="email")
    assert offered(play) == ["chat_1", "mail_1"]


def test_reserved_units_are_for_no_other_channel() -> None:
    play = Play(a_workspace({"anna": {"capacity": 3, "reserve": {"chat": 2}}}))
    play.say("mail_1")
    play.say("mail_2")
    play.say("chat_1", channel="chat")
    play.say("chat_2", channel="chat")
    assert offered(play) == ["chat_1", "chat_2", "mail_1"]


def test_a_reserve_in_use_by_its_own_channel_takes_nothing_more_from_the_others() -> None:
    play = Play(a_workspace({"anna": {"capacity": 3, "reserve": {"chat": 2}}}))
    play.say("chat_1", channel="chat")
    play.say("chat_2", channel="chat")
    play.say("mail_1")
    assert offered(play) == ["chat_1", "chat_2", "mail_1"]


def test_the_category_weighs_more_than_the_channel() -> None:
    categories = {"language_skill": None, "categories": {"bug": {"weight": 3}}}
    play = Play(a_workspace({"anna": {"capacity": 4}}, classify=categories, channels={"chat": {"weight": 2}}))
    play.say("bug", channel="chat", category="bug")
    assert play.agent("anna").load == 3
    play.say("chat", channel="chat")
    assert offered(play) == ["bug"]


def test_lowering_the_capacity_drops_no_assignment() -> None:
    document = a_workspace({"anna": {"capacity": 2}})
    play = Play(document)
    play.assigned("tkt_1")
    play.assigned("tkt_2")
    play.configure({**document, "agents": {"anna": {"capacity": 1}}})
    assert play.agent("anna").load == 2
    play.resolve("tkt_1")
    play.say("tkt_3")
    assert offered(play) == []
    play.resolve("tkt_2")
    assert offered(play) == ["tkt_3"]


def test_raising_the_capacity_offers_what_waits_at_once() -> None:
    document = a_workspace({"anna": {"capacity": 1}})
    play = Play(document)
    play.say("tkt_1")
    play.say("tkt_2")
    play.configure({**document, "agents": {"anna": {"capacity": 2}}})
    assert offered(play) == ["tkt_1", "tkt_2"]
