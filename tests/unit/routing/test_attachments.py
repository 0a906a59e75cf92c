"""The files of messages: what a reply attaches, and what became of what was fetched."""

from pointsman.contracts.requests import AttachmentSettled
from pointsman.contracts.shapes import Attachment
from pointsman_routing.desk.rules import attachments
from tests.unit.routing.desk_driver import DeskDriver, a_workspace


def test_a_reply_names_what_it_attaches_in_the_order_of_its_ids() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    driver.assigned()
    known = Attachment(attachment_id="att_1", name="label.pdf", content_type="application/pdf", size=12)
    driver.reply(attachment_ids=("att_2", "att_1"), attachments=(known,))
    said = driver.fact("ticket.replied")
    assert said.attachments == (Attachment(attachment_id="att_2"), known)


def test_a_file_that_was_fetched_is_told_to_the_holder() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    ticket = driver.assigned()
    message = ticket.last_message_id
    assert message is not None
    driver.hear(AttachmentSettled(message_id=message, ticket_id=ticket.id, attachment_id="att_1", state="kept", size=5))
    changed = driver.fact("message.changed")
    assert (changed.message_id, changed.change) == (message, "attachments")
    assert ticket.state == "assigned"


def test_a_file_of_a_message_that_has_not_come_yet_is_kept_for_it() -> None:
    driver = DeskDriver(a_workspace(["anna"]))
    fact = AttachmentSettled(message_id="msg_9", ticket_id="tkt_9", attachment_id="att_1", state="failed", reason="404")
    driver.desk.begin("e-9", "tkt_9", driver.now, driver.now)
    attachments.settled(driver.desk, None, fact)
    assert driver.desk.draft.facts_of == {}
    (row,) = driver.desk.changes.files
    assert row == {
        "message_id": "msg_9",
        "attachment_id": "att_1",
        "ticket_id": "tkt_9",
        "said": {"state": "failed", "reason": "404"},
    }
