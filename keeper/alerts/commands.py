"""What people type into the chat, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from keeper.alerts.cases import Case
from keeper.alerts.render import line_of, span
from keeper.alerts.requests import Requests
from keeper.heartbeats import load_heartbeats
from keeper.holds import BadHold, check_target, duration_s, hold, load_holds, release
from keeper.observed import Heartbeat
from lib.errors import VakanzError
from lib.store.connections import Database

_COMMAND = re.compile(r"/([A-Za-z_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?=\s|$)", re.ASCII)
HELP = (
    "/status – what is open, and how the daemons are",
    "/ack [INCIDENT ...] – I take it: no more reminders (without a name: the one replied to, or all)",
    "/hold UNIT 2h WHY – leave a unit, descriptions@* or a whole host alone for a while",
    "/release UNIT – take a hold back",
    "/restart UNIT – restart a unit on its host",
    "/tail UNIT – a unit's last log lines",
    "/help – this",
)


class Unclear(VakanzError):
    """A command that cannot be followed; the message says what is expected."""


@dataclass(frozen=True)
class Command:
    """What somebody typed: its name in small letters, and its words."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """A command, who typed it, and where the answer goes. `case`: the one whose message it replies to."""

    command: Command
    who: str
    channel: str
    number: int
    case: str | None = None


@dataclass(frozen=True)
class Answer:
    """A title and lines for the chat. `acked` are the cases that somebody took."""

    title: str
    lines: Sequence[str] = ()
    acked: tuple[str, ...] = ()


def parse(text: str, bot: str) -> Command | None:
    """The command in a message; None for anything else, and for a command to another bot than `bot`."""
    match = _COMMAND.match(text)
    if match is None or (match[2] is not None and bot and match[2].lower() != bot.lower()):
        return None
    return Command(match[1].lower(), tuple(text[match.end() :].split()[:100]))


class Desk:
    """Follows commands through the tables that the keepers read. `places`: unit -> host, of the whole fleet."""

    def __init__(self, database: Database, places: Mapping[str, str]) -> None:
        self._database = database
        self._requests = Requests(database)
        self._places = places

    async def follow(self, asked: Asked, cases: Sequence[Case]) -> Answer | None:
        """What to answer; None where the keeper of the unit's host answers. Waits while PostgreSQL is away.

        Raises Unclear, BadHold.
        """
        words = asked.command.words
        match asked.command.name:
            case "status":
                return await self._status(cases)
            case "ack":
                return acknowledge(words, cases, asked.case)
            case "hold":
                return await self._hold(words, asked.who)
            case "release":
                return await self._release(words, asked.who)
            case "restart" | "tail":
                await self._ask(asked)
                return None
            case "help" | "start":
                return Answer("I tell what is wrong with the fleet, and take these commands:", HELP)
        near = get_close_matches(asked.command.name, ("status", "ack", "hold", "release", "restart", "tail"), n=1)
        raise Unclear(f"there is no /{asked.command.name}; " + (f"is /{near[0]} meant?" if near else "/help lists all"))

    async def _status(self, cases: Sequence[Case]) -> Answer:
        heartbeats = await load_heartbeats(self._database)
        holds = await load_holds(self._database)
        lines = [*status_lines(cases), "", *_hosts(heartbeats)]
        lines += [f"held: {one.target} until {one.until:%d %b %H:%M} UTC by {one.held_by}: {one.why}" for one in holds]
        return Answer(_headline(cases), lines)

    async def _hold(self, words: Sequence[str], who: str) -> Answer:
        if len(words) < 3:
            raise Unclear("/hold UNIT 2h WHY: the unit, for how long, and why")
        target, time_s, why = words[0], duration_s(words[1]), " ".join(words[2:])[:300]
        await self._check(target)
        until = await hold(self._database, target, time_s, why, who)
        return Answer(f"{target} is held until {until:%d %b %H:%M:%S} UTC ({span(time_s)})")

    async def _release(self, words: Sequence[str], who: str) -> Answer:
        if len(words) != 1:
            raise Unclear("/release UNIT: the unit as it was held")
        if await release(self._database, words[0], who):
            return Answer(f"{words[0]} is not held any more")
        held = ", ".join(one.target for one in await load_holds(self._database)) or "nothing"
        raise Unclear(f"{words[0][:100]} is not held; {held} is")

    async def _ask(self, asked: Asked) -> None:
        if len(asked.command.words) != 1:
            raise Unclear(f"/{asked.command.name} UNIT: one unit")
        unit = asked.command.words[0]
        host = (await self._units()).get(unit)
        if host is None:
            await self._check(unit)
            raise Unclear(f"{unit} is no single unit")
        await self._requests.ask(
            host, unit, asked.command.name, asked.who, channel=asked.channel, reply_to=asked.number
        )

    async def _check(self, target: str) -> None:
        """Raises BadHold, with near names where there are some."""
        units = await self._units()
        try:
            check_target(target, units.keys(), set(units.values()))
        except BadHold as error:
            near = nearest(target, [*units, *units.values()])
            raise BadHold(f"{error}" + (f"; is {' or '.join(near)} meant?" if near else "")) from None

    async def _units(self) -> dict[str, str]:
        beats = await load_heartbeats(self._database)
        return {beat.unit: beat.host for beat in beats} | dict(self._places)


def acknowledge(words: Sequence[str], cases: Sequence[Case], replied: str | None) -> Answer:
    """Which of the open `cases` somebody takes: those that are named by handle, id or key, the one that was replied to,
    or all. A digest brings its incidents along. Raises Unclear."""
    chosen: list[Case] = []
    named = [" ".join(words)] if any(case.incident.key == " ".join(words) for case in cases) else list(words)
    for word in named:
        found = [case for case in cases if case.id.startswith(word.lower()) or case.incident.key == word]
        if len(word) < 3 or not found:
            raise Unclear(f"no open incident is called {word[:100]}; " + ("open: " + _handles(cases)))
        if len(found) > 1:
            raise Unclear(f"{word[:100]} means several: {_handles(found)}")
        chosen += found
    if not named:
        chosen = [case for case in cases if case.id == replied] or list(cases)
    ids = {case.id for case in chosen}
    taken = [case for case in cases if (case.id in ids or case.digest in ids) and case.acked_at is None]
    if not taken:
        return Answer("nothing is open" if not cases else "somebody has taken that already")
    return Answer("taken, no more reminders:", [line_of(case) for case in taken], tuple(case.id for case in taken))


def status_lines(cases: Sequence[Case]) -> list[str]:
    """One line for each open case."""
    return [
        f"{case.handle} {line_of(case)}" + (f", {case.acked_by} is on it" if case.acked_by else "") for case in cases
    ]


def nearest(name: str, known: Collection[str]) -> list[str]:
    """Known names that `name` may have been meant to be."""
    return get_close_matches(name, sorted(set(known)), n=3, cutoff=0.6)


def _headline(cases: Sequence[Case]) -> str:
    if not cases:
        return "all is well"
    free = sum(1 for case in cases if case.acked_at is None)
    return f"{len(cases)} open, {free} of them taken by nobody"


def _hosts(heartbeats: Sequence[Heartbeat]) -> list[str]:
    by_host: dict[str, list[Heartbeat]] = {}
    for beat in heartbeats:
        by_host.setdefault(beat.host, []).append(beat)
    lines = []
    for host, beats in sorted(by_host.items()):
        silent = [beat.unit for beat in beats if beat.heartbeat_age_s > 90 and beat.state != "stopped"]
        lines.append(f"{host}: {len(beats)} daemons" + (f", silent: {', '.join(silent[:10])}" if silent else ""))
    return lines


def _handles(cases: Sequence[Case]) -> str:
    return ", ".join(case.handle for case in cases[:20]) or "none"
