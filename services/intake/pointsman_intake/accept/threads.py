"""Which conversation a message goes to; of mails, who may join one by citing it.

Anybody may cite a Message-ID that they have seen, or one that nobody knows. A mail joins a conversation that it cites
only when its author takes part in it: the conversation is theirs, or a message of it was from or to their address.
Everybody else gets a conversation of their own, the same one whenever they cite the same, and its ticket follows up the
ticket of the conversation that they cite.

An answer may overtake the mail that it cites. Then the oldest id that it cites names the conversation, and who comes
first has it; who cites or brings that id later joins on the same terms. Two who come at once wait for each other on
that name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pointsman.core.ids import digest_of
from pointsman.runtime.logic import Database
from pointsman_intake.accept.bounces import Returned
from pointsman_intake.accept.gather import Gathered, Key, text_of
from pointsman_intake.accept.thread_names import threads_by_name
from pointsman_intake.model import Inbound, Report

PARTIES_MAX = 200
"""So many addresses of one mail are remembered as taking part."""

_WAIT = "SELECT pg_advisory_xact_lock(hashtextextended(name, 4712)) FROM unnest($1::text[]) AS k (name)"

_CONVERSATIONS = """
SELECT t.workspace, t.connector, t.thread, t.ticket_id, t.customer_id, ARRAY(
    SELECT p.address FROM participant p
    WHERE p.workspace = t.workspace AND p.connector = t.connector AND p.thread = t.thread AND p.address = ANY (k.asked)
) AS addresses
FROM json_to_recordset($1::text::json) AS k (workspace text, connector text, key text, asked text[])
JOIN thread t ON t.workspace = k.workspace AND t.connector = k.connector AND t.thread = k.key
"""

_REMEMBER = """
INSERT INTO participant (workspace, connector, thread, address)
SELECT * FROM json_to_recordset($1::text::json) AS k (workspace text, connector text, thread text, address text)
ORDER BY 1, 2, 3, 4
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Destination:
    """The conversation that a message goes to, and the one whose ticket it follows up if it begins one."""

    thread: Key
    cited: Key | None = None


@dataclass(slots=True)
class _Conversation:
    """A conversation and who, of those that were asked about, takes part in it."""

    customer_id: str | None
    addresses: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Destinations:
    """Where the messages of one transaction go. `tickets` are those of the conversations that are there."""

    of: dict[Key, Destination] = field(default_factory=dict)
    tickets: dict[Key, str] = field(default_factory=dict)


async def wait_for_names(db: Database, messages: Sequence[Inbound], reports: Sequence[Report]) -> None:
    """Until the commit nobody else gives these conversations their names, or brings or parks what these are about."""
    names = {f"{one.workspace}/{one.connector}/{name}" for one in messages for name in _names(one)}
    names |= {f"{one.workspace}/{one.connector}/{one.external_id.strip('<> ')}" for one in reports if one.external_id}
    if names:
        await db.execute(_WAIT, sorted(names))


def _names(message: Inbound) -> tuple[str, ...]:
    if message.joins_by_part:
        return (message.thread,)
    if message.hooked:
        return (*message.names, awaited(message) if message.joins_only else message.external_id)
    return ()


def awaited(message: Inbound) -> str:
    """The id of the message that one which only joins is about."""
    return str(message.content.get("replaces") or message.thread)


async def destinations(
    db: Database, fresh: Mapping[Key, Inbound], gathered: Gathered, returned: Mapping[Key, Returned]
) -> Destinations:
    """The destination of each message, in the order in which they came: what one begins, the next may join. `returned`
    are the delivery reports that found their reply."""
    mails = {key: message for key, message in fresh.items() if message.joins_by_part}
    found = Destinations()
    known = await _conversations(db, mails, gathered, found.tickets) if mails else {}
    named = await threads_by_name(db, fresh)
    for key, message in sorted(fresh.items(), key=lambda item: item[1].joins_only or item[1].replaces is not None):
        if key in returned:
            found.of[key] = Destination(returned[key].thread)
        elif message.joins_by_part:
            found.of[key] = _of_mail(message, gathered, known)
        else:
            found.of[key] = Destination(named.get(key) or _cited(message, gathered)[0])
        gathered.replaced.setdefault(key, (None, found.of[key].thread[2]))
        if message.reference is not None:
            gathered.cited.setdefault((*key[:2], message.reference), []).append(found.of[key].thread[2])
    return found


async def remember_parties(db: Database, placed: Sequence[tuple[Key, Inbound]]) -> None:
    """Keeps who takes part in the conversation of each mail from now on."""
    await take_part(db, [(thread, address) for thread, message in placed for address in parties(message)])


async def take_part(db: Database, known: Sequence[tuple[Key, str]]) -> None:
    """Keeps that these addresses take part in these conversations."""
    rows = {(*thread, address.strip().lower()) for thread, address in known if address.strip()}
    if rows:
        names = ("workspace", "connector", "thread", "address")
        await db.execute(_REMEMBER, text_of([dict(zip(names, row, strict=True)) for row in sorted(rows)]))


def parties(message: Inbound) -> list[str]:
    """The addresses that a mail is from and to, in lower case; nobody's, of what is no mail or no person's."""
    if not message.joins_by_part or message.joins_only:
        return []
    content = message.content
    said = (message.person.email or "", *content.get("to", ()), *content.get("cc", ()))
    return list(islice(dict.fromkeys(address.strip().lower() for address in said if address.strip()), PARTIES_MAX))


def _cited(message: Inbound, gathered: Gathered) -> list[Key]:
    """The conversations of the message that it is about and of what it cites, the nearest first, and at last the one
    that it names."""
    place = (message.workspace, message.connector)
    about = gathered.replaced.get((*place, message.replaces)) if message.replaces is not None else None
    names = [about[1]] if about is not None else []
    names += [name for reference in message.cites for name in gathered.cited.get((*place, reference), ())]
    return [(*place, name) for name in dict.fromkeys([*names, message.thread])]


def _of_mail(message: Inbound, gathered: Gathered, known: dict[Key, _Conversation]) -> Destination:
    there = [thread for thread in _cited(message, gathered) if thread in known]
    named = (message.workspace, message.connector, message.thread)
    joined = next((thread for thread in there if _takes_part(message, known[thread], gathered)), None)
    if joined is None:
        joined = _own(message) if there else named
    conversation = known.setdefault(joined, _Conversation(_customer(message, gathered)))
    conversation.addresses.update(parties(message))
    return Destination(joined, None if not there or joined in there else there[0])


def _own(message: Inbound) -> Key:
    """The conversation of this author about what they cite without taking part in it."""
    who = message.person.email or message.external_id
    name = f"{message.thread[:400]}#{digest_of(who.strip().lower().encode())}"
    return (message.workspace, message.connector, name)


def _takes_part(message: Inbound, conversation: _Conversation, gathered: Gathered) -> bool:
    email = (message.person.email or "").strip().lower()
    customer = _customer(message, gathered)
    return email in conversation.addresses or (customer is not None and customer == conversation.customer_id)


def _customer(message: Inbound, gathered: Gathered) -> str | None:
    """The author, if they are known already."""
    identities = ((message.workspace, *identity) for identity in message.identities)
    return next((gathered.identities[one].id for one in identities if one in gathered.identities), None)


async def _conversations(
    db: Database, mails: Mapping[Key, Inbound], gathered: Gathered, tickets: dict[Key, str]
) -> dict[Key, _Conversation]:
    """Those that the mails may join, as they are now, with which of the authors take part in them."""
    asked: dict[Key, set[str]] = {}
    for message in mails.values():
        email = (message.person.email or "").strip().lower()
        for thread in (*_cited(message, gathered), _own(message)):
            asked.setdefault(thread, set()).add(email)
    rows = [
        {"workspace": thread[0], "connector": thread[1], "key": thread[2], "asked": sorted(emails)}
        for thread, emails in asked.items()
    ]
    known: dict[Key, _Conversation] = {}
    for workspace, connector, name, ticket, customer, addresses in await db.fetch(_CONVERSATIONS, text_of(rows)):
        known[workspace, connector, name] = _Conversation(customer, set(addresses))
        tickets[workspace, connector, name] = ticket
    return known
