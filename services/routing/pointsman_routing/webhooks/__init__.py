"""Events by webhook: `outbox` takes them from the list of events into a queue, `sender` sends what is queued.

webhook
    One row for each of the document's `webhooks`, written with the version (`store`): what it wants, and its place in
    the list of events (`source`, `number`, `change`, `place`; see `told`). An event is queued in the transaction that
    moves the place over it, so that none is lost or queued twice whatever is killed.
webhook_delivery
    What is queued. Of one subject (a ticket) only the oldest is sent, so that a receiver hears of a ticket in order;
    tickets do not wait for one another. `serial` is the order of the webhook. A row is gone when it was taken; `dead`
    when it was refused too often: then the ticket's next goes on, and a person may send it again.
"""
