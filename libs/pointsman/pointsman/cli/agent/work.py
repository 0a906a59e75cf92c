"""What the agent in the terminal sees and does: a line an event, a line a command.

Tickets have short numbers, given as they are first seen. What was shown of a ticket is remembered, so that nobody
resolves over a message that they have not read: the desk refuses it, and the message is shown.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from pointsman.cli.agent.words import NotPossible, labels, target, until
from pointsman.client.agent import Agent
from pointsman.client.duty import Duty
from pointsman.client.session import ApiError, Unreachable
from pointsman.client.shapes import Message, Notice, Offer, Ticket
from pointsman.runtime.tasks import awaited

HELP = """\
accept N             take the offer of ticket N
reject N [reason]    decline it
show N               the ticket with its messages
answer N text        write to the customer
note N text          write what only colleagues read
pend N [customer|third_party]
snooze N 30m         set it aside: 30m, 2h, 1d, or an instant
transfer N queue|agent NAME reason
label N category=C priority=P language=L +tag -tag
resolve N [solved|no_reply_needed|spam|duplicate|abandoned]
finish N             end the after-work
reopen N             open a resolved ticket again
explain N            why the ticket is where it is
list                 what is offered to me and what I hold
available            from now on
away [reason]        from now on
me                   my presence
quit                 leave (so do Ctrl-C and the end of the input)"""

OUTCOMES = ("solved", "no_reply_needed", "spam", "duplicate", "abandoned")


class TerminalDesk:
    """One agent at work. `run` returns when the input ends, somebody quits, or `leaving` is set."""

    def __init__(self, agent: Agent, duty: Duty, name: str) -> None:
        self._agent, self._duty, self._name = agent, duty, name
        self._console = Console(highlight=False, soft_wrap=True)
        self._numbers: dict[str, int] = {}
        self._offers: dict[str, Offer] = {}
        self._seen: dict[str, str] = {}
        self._commands: dict[str, Callable[[Sequence[str]], Awaitable[None]]] = {
            "accept": self._accept,
            "reject": self._reject,
            "show": self._show,
            "answer": self._answer,
            "note": self._note,
            "pend": self._pend,
            "snooze": self._snooze,
            "transfer": self._transfer,
            "label": self._label,
            "resolve": self._resolve,
            "finish": self._finish,
            "reopen": self._reopen,
            "explain": self._explain,
            "list": self._list,
            "available": self._available,
            "away": self._away,
            "me": self._me,
            "help": self._help,
        }

    async def run(self, lines: AsyncIterator[str], leaving: asyncio.Event) -> None:
        """Raises `ApiError` when the server does not take this agent any more."""
        self._agent.session.on_reach = self._tell_reach
        self._say(f"{self._name} is {self._duty.presence.state}. Type help for what to do, quit to leave.", "bold")
        await self._list(())
        tasks = [
            awaited(work)
            for work in (self._obey(lines), self._watch_offers(), self._watch_stream(), leaving.wait(), self._ended())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        self._say(f"{self._name} leaves.", "bold")

    # -- what happens ------------------------------------------------------------------------------------------------

    async def _watch_offers(self) -> None:
        async for offer in self._agent.offers(ended=True):
            number = self._number(offer.ticket_id)
            if offer.pending:
                self._offers[offer.ticket_id] = offer
                said = f"offer {number}: {_about(offer.ticket)}, {offer.expires_in_seconds:.0f} s to accept."
                self._say(f"{said} {offer.reason}.", "cyan")
            elif self._offers.pop(offer.ticket_id, None) is not None and offer.state != "accepted":
                self._say(f"offer {number} is {offer.state}.", "dim")

    async def _watch_stream(self) -> None:
        async for notice in self._agent.stream():
            self._tell(notice)

    def _tell_reach(self, reached: bool) -> None:
        if reached:
            self._say("The server is back.", "yellow")
        else:
            self._say(f"The server is away: {self._agent.session.url} does not answer. Trying again …", "yellow")

    def _tell(self, notice: Notice) -> None:
        data = notice.data
        if notice.name == "agent.presence_changed" and data["set_by"] != "agent":
            reason = f" ({data['reason']})" if data.get("reason") else ""
            self._say(f"{self._name} is {data['state']} now, set by {data['set_by']}{reason}.", "yellow")
        ticket = data.get("ticket_id")
        if ticket not in self._numbers:
            return
        number = self._numbers[ticket]
        if notice.name == "message.received":
            author = data["author"]
            self._say(f"{number} > {author.get('name') or author['id']}: {data.get('excerpt', '')}", "green")
            self._seen[ticket] = data["message_id"]
        elif notice.name in ("clock.warned", "clock.breached"):
            what = "is about to be" if notice.name == "clock.warned" else "was"
            self._say(f"{number}: the promise {data['metric']} {what} broken (due {data['breach_at']}).", "red")
        elif notice.name == "ticket.viewers":
            others = [viewer["agent"] for viewer in data["viewers"] if viewer["agent"] != self._name]
            self._say(f"{number} is looked at by {', '.join(others) or 'nobody else'}.", "dim")
        elif notice.name in ("ticket.woken", "ticket.reopened", "ticket.transferred", "ticket.queued"):
            self._say(f"{number} is {notice.name.partition('.')[2]}.", "dim")

    async def _ended(self) -> None:
        """Raises the error for which the server takes no renewal any more."""
        await self._duty.ended.wait()
        if self._duty.error is not None:
            raise self._duty.error

    # -- what is typed -----------------------------------------------------------------------------------------------

    async def _obey(self, lines: AsyncIterator[str]) -> None:
        async for line in lines:
            words = line.split(maxsplit=2)
            if not words:
                continue
            name = words[0].lower()
            if name in ("quit", "exit"):
                return
            command = self._commands.get(name)
            if command is None:
                self._say(f"! {name}: no such command; type help", "red")
                continue
            try:
                await command(words[1:])
            except NotPossible as error:
                self._say(f"! {error}", "red")
            except ApiError as error:
                await self._say_refusal(error, words[1:])
            except Unreachable as error:
                self._say(f"! {error}; try again", "red")

    async def _say_refusal(self, error: ApiError, words: Sequence[str]) -> None:
        """Why the desk said no; what was not read yet is shown, so that the same line may be typed again."""
        self._say(f"! {error.problem.get('detail') or error.problem.get('title')}", "red")
        if error.code == "unseen-message":
            await self._show_messages(self._ticket(words))

    async def _accept(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        offer = await self._agent.accept(self._offer(ticket).id)
        self._offers.pop(ticket, None)
        self._say(f"{self._number(ticket)} is yours: {_about(offer.ticket)}.", "bold")
        await self._show_messages(ticket)

    async def _reject(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        await self._agent.reject(self._offer(ticket).id, " ".join(words[1:]) or None)
        self._offers.pop(ticket, None)
        self._say(f"offer {self._number(ticket)} is rejected.", "dim")

    async def _show(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        self._say_ticket(await self._agent.ticket(ticket))
        await self._agent.view(ticket)
        await self._show_messages(ticket)

    async def _answer(self, words: Sequence[str]) -> None:
        ticket, text = self._ticket(words), self._text(words)
        await self._agent.reply(ticket, text)
        self._say(f"{self._number(ticket)} < answered.", "bold")

    async def _note(self, words: Sequence[str]) -> None:
        ticket, text = self._ticket(words), self._text(words)
        await self._agent.note(ticket, text)
        self._say(f"{self._number(ticket)} < noted.", "bold")

    async def _pend(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        waiting_on = words[1] if len(words) > 1 else "customer"
        await self._agent.pend(ticket, waiting_on, last_message_id=await self._last_seen(ticket))
        self._say(f"{self._number(ticket)} waits on the {waiting_on.replace('_', ' ')}.", "bold")

    async def _snooze(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        at = until(words[1] if len(words) > 1 else None, datetime.now(UTC))
        await self._agent.snooze(ticket, at, last_message_id=await self._last_seen(ticket))
        self._say(f"{self._number(ticket)} is set aside until {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC.", "bold")

    async def _transfer(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        to, reason = target(words[1:])
        moved = await self._agent.transfer(ticket, reason, **to)
        whose = f"{moved.agent}'s" if moved.agent else f"in {moved.queue}"
        self._say(f"{self._number(ticket)} is {moved.state}, {whose}.", "bold")

    async def _label(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        labelled = await self._agent.label(ticket, **labels(words[1:]))
        tags = f", tagged {', '.join(labelled.tags)}" if labelled.tags else ""
        self._say(f"{self._number(ticket)} is {labelled.priority} {labelled.category}{tags}.", "bold")

    async def _resolve(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        outcome = words[1] if len(words) > 1 else "solved"
        if outcome not in OUTCOMES:
            raise NotPossible(f"the outcome is one of {', '.join(OUTCOMES)}")
        resolved = await self._agent.resolve(ticket, outcome, last_message_id=await self._last_seen(ticket))
        after = f"; after-work until {resolved.wrap_up_until:%H:%M:%S} UTC" if resolved.wrap_up_until else ""
        self._say(f"{self._number(ticket)} is resolved ({outcome}){after}.", "bold")

    async def _finish(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        await self._agent.finish_wrap_up(ticket)
        self._say(f"{self._number(ticket)} is finished.", "bold")

    async def _reopen(self, words: Sequence[str]) -> None:
        ticket = self._ticket(words)
        self._say_ticket(await self._agent.reopen(ticket))

    async def _explain(self, words: Sequence[str]) -> None:
        found = await self._agent.explain(self._ticket(words))
        self._say(str(found.get("sentence", "")))

    async def _list(self, _: Sequence[str]) -> None:
        for offer in self._offers.values():
            self._say(f"offer {self._number(offer.ticket_id)}: {_about(offer.ticket)}. {offer.reason}.", "cyan")
        held = await self._agent.assignments()
        for ticket in held:
            self._say_ticket(ticket)
        if not held and not self._offers:
            self._say("You hold nothing, and nothing is offered.", "dim")

    async def _available(self, _: Sequence[str]) -> None:
        await self._duty.choose("available")
        await self._me(())

    async def _away(self, words: Sequence[str]) -> None:
        await self._duty.choose("away", " ".join(words) or None)
        await self._me(())

    async def _me(self, _: Sequence[str]) -> None:
        presence = self._duty.presence
        reason = f" ({presence.reason})" if presence.reason else ""
        hand = ", ".join(f"{count} {channel}" for channel, count in presence.in_hand.items())
        self._say(f"{self._name} is {presence.state}{reason}, set by {presence.set_by}; in hand: {hand or 'nothing'}.")

    async def _help(self, _: Sequence[str]) -> None:
        self._say(HELP)

    # -- what is said and meant --------------------------------------------------------------------------------------

    def _ticket(self, words: Sequence[str]) -> str:
        """The id of the ticket that the first word numbers. Raises `NotPossible`."""
        if words:
            for id, number in self._numbers.items():
                if words[0] in (str(number), id):
                    return id
        raise NotPossible("which ticket? Its number comes first; type list")

    def _offer(self, ticket: str) -> Offer:
        offer = self._offers.get(ticket)
        if offer is None:
            raise NotPossible(f"{self._number(ticket)} is not offered to you")
        return offer

    def _text(self, words: Sequence[str]) -> str:
        text = " ".join(words[1:])
        if not text:
            raise NotPossible("what? The text comes after the number")
        return text

    def _number(self, ticket: str) -> int:
        return self._numbers.setdefault(ticket, len(self._numbers) + 1)

    async def _last_seen(self, ticket: str) -> str | None:
        """The newest message that was shown; a ticket that was never shown is shown first."""
        if ticket not in self._seen:
            await self._show_messages(ticket)
        return self._seen.get(ticket)

    async def _show_messages(self, ticket: str) -> None:
        messages = await self._agent.messages(ticket)
        for message in messages:
            self._say(f"{self._number(ticket)} {_told(message)}", "green" if message.direction == "in" else "")
        if messages:
            self._seen[ticket] = messages[-1].id

    def _say_ticket(self, ticket: Ticket) -> None:
        self._say(f"{self._number(ticket.id)} {ticket.state}: {_about(ticket)}")

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style))
        self._console.file.flush()


def _about(ticket: Ticket) -> str:
    customer = ticket.customer.name or ticket.customer.id
    tier = f" ({ticket.customer.tier})" if ticket.customer.tier else ""
    subject = f" “{ticket.subject}”" if ticket.subject else ""
    return f"{ticket.priority} {ticket.channel} in {ticket.queue}{subject} from {customer}{tier}"


def _told(message: Message) -> str:
    way = {"in": ">", "out": "<", "note": "#"}.get(message.direction, "?")
    return f"{way} {message.author.name or message.author.id}: {message.reply_text or message.text}"
