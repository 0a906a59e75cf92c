"""Rules 2 and 3: units, weights, caps and reserves; never above capacity."""

from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def offered(driver: DeskDriver) -> list[str]:
    return sorted(ticket.id for ticket in driver.desk.tickets.values() if ticket.offer)


def test_an_offer_counts_before_it_is_accepted() -> None:
    """RocketChat PR#37776, PR#19352: read, check, assign let two offers through for one place."""
    driver = DeskDriver(a_workspace({"anna": {"capacity": 1}}))
    driver.say("tkt_1")
    driver.say("tkt_2")
    assert offered(driver) == ["tkt_1"]


def test_caps_count_tickets_of_a_channel() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 4, "caps": {"chat": 1}}}))
    driver.say("chat_1", channel="chat")
    driver.say("chat_2", channel="chat")
    driver.say("mail_1", channel="email")
    assert offered(driver) == ["chat_1", "mail_1"]


def test_reserved_units_are_for_no_other_channel() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3, "reserve": {"chat": 2}}}))
    driver.say("mail_1")
    driver.say("mail_2")
    driver.say("chat_1", channel="chat")
    driver.say("chat_2", channel="chat")
    assert offered(driver) == ["chat_1", "chat_2", "mail_1"]


def test_a_reserve_in_use_by_its_own_channel_takes_nothing_more_from_the_others() -> None:
    driver = DeskDriver(a_workspace({"anna": {"capacity": 3, "reserve": {"chat": 2}}}))
    driver.say("chat_1", channel="chat")
    driver.say("chat_2", channel="chat")
    driver.say("mail_1")
    assert offered(driver) == ["chat_1", "chat_2", "mail_1"]


def test_the_category_weighs_more_than_the_channel() -> None:
    categories = {"language_skill": None, "categories": {"bug": {"weight": 3}}}
    driver = DeskDriver(a_workspace({"anna": {"capacity": 4}}, classify=categories, channels={"chat": {"weight": 2}}))
    driver.say("bug", channel="chat", category="bug")
    assert driver.agent("anna").load == 3
    driver.say("chat", channel="chat")
    assert offered(driver) == ["bug"]


def test_lowering_the_capacity_drops_no_assignment() -> None:
    document = a_workspace({"anna": {"capacity": 2}})
    driver = DeskDriver(document)
    driver.assigned("tkt_1")
    driver.assigned("tkt_2")
    driver.configure({**document, "agents": {"anna": {"capacity": 1}}})
    assert driver.agent("anna").load == 2
    driver.resolve("tkt_1")
    driver.say("tkt_3")
    assert offered(driver) == []
    driver.resolve("tkt_2")
    assert offered(driver) == ["tkt_3"]


def test_raising_the_capacity_offers_what_waits_at_once() -> None:
    document = a_workspace({"anna": {"capacity": 1}})
    driver = DeskDriver(document)
    driver.say("tkt_1")
    driver.say("tkt_2")
    driver.configure({**document, "agents": {"anna": {"capacity": 2}}})
    assert offered(driver) == ["tkt_1", "tkt_2"]
