"""The desk's tables: the lane's state as rows, and the reading side of the HTTP API.

Written only by the worker that owns the workspace's lane, in the batch's transaction. `change` is the workspace's own
counter of changes: a row carries the count at its last change, so `WHERE change > :seen ORDER BY change` is a cursor
over everything that happened, gap or no gap, in commit order within a workspace.

ticket
    The shape of API.md, with `customer_*` for `customer`, and: `thread` (where replies go), `weight` (units charged),
    `agent` the holder and `charged` whether the weight is on the holder now (false while pending frees it), `offer_id`
    (the pending offer, which names the agent that it is shown to; `agent` is null then), `labelled` (labels that a
    person set), `marked` (what was raised when the ticket went to `otherwise` for that), `started_by` customer or
    agent, `updated_at` (time of the last fact), `queued_at` (when it last entered the queue), `unanswered_since` (the
    oldest unanswered customer message), `declined` {agent: instant from which it may be asked again}, `offers` (those
    that failed since it was queued), `recent` (the last message ids, newest last, as [id, inbound]), `last_agent`, and
    the instants of its timers: `pending_until`, `resolves_at`, `wrap_up_until`, `closes_at`, `abandons_at`,
    `requeues_at`, `retry_at`. In wrap-up the ticket is `resolved`, and `agent` with `charged` still stands.
message
    The shape of API.md. `number` counts the ticket's messages of one change from 1. `delivery` is null for inbound
    ones and notes.
offer
    The shape of API.md; `reason` is the sentence shown, `why` the stored explanation (rule 16, at most 2 KB),
    `ended_reason` the agent's words or the cause of a rescind. An agent's pending offers and what changed since a
    cursor: `agent = :a AND (state = 'pending' OR change > :seen)`.
assignment
    One row each time an agent became the holder without an offer, with the explanation.
agent
    Presence and load: `state`, `set_by`, `reason`, `channels` (null: all), `load` (units), `in_hand` {channel:
    tickets}; `chosen` (the state that a person last chose), `held` by a supervisor until `held_until` (null: until
    released), `gone_at` (since when no session lives), `active` false when the configuration names the agent no more.
session
    Leases of agents' app sessions.
config_version
    Every version of the workspace document, as it was given, `holidays_of` expanded.
token
    What is needed to list and revoke; never the token.
"""
