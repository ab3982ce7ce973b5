"""The world outside the fleet, on this machine's end of the bridge: the job market, and the people's chat."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from daemons.sources import detect
from lib.posting.contract import Source
from tests.fleet.command import CommandFailed
from tests.fleet.groups import Group
from tests.fleet.market import Posting

_ROOT = Path(__file__).parents[2]
_START_S = 60.0
_ANSWER_S = 20.0
# One of each kind of paging, text and id; none that needs a key.
SYSTEMS = (
    "ashby", "greenhouse", "lever", "personio", "recruitee", "smartrecruiters", "softgarden", "teamtailor", "workable",
    "workday",
)  # fmt: skip
TOKEN = "700000001:AArehearsal-token-of-a-bot-that-never-was"
CHAT = -1001234567890


@dataclass(frozen=True)
class Told:
    """A message: when it came (seconds since 1970), whether it answers another one, and all that it ever showed."""

    at: float
    reply: bool
    texts: tuple[str, ...]

    @property
    def title(self) -> str:
        """Its first line, as it first stood there."""
        return self.texts[0].partition("\n")[0]


@dataclass(frozen=True)
class World:
    """Where the market and the Telegram answer."""

    market: str
    telegram: str

    def boards(self) -> list[str]:
        """The addresses of all boards, as a person would paste them."""
        return [str(row["url"]) for row in _ask(f"{self.market}/_sim/boards")]

    def next_day(self) -> None:
        """The market's next day."""
        _ask(f"{self.market}/_sim/advance", {})

    def truth(self) -> set[Posting]:
        """Every posting that is open today, its board called as the fleet calls it."""
        boards = {(row["source"], row["tenant"]): detect(row["url"]) for row in _ask(f"{self.market}/_sim/boards")}
        lines = _read(f"{self.market}/_sim/truth").splitlines()
        return {_posting(row, boards[row["source"], row["tenant"]]) for row in map(json.loads, lines)}

    def told(self) -> list[Told]:
        """Every message in the operators' chat, oldest first."""
        rows = _ask(f"{self.telegram}/_control")["messages"]
        return [Told(row["at"], row["reply_to"] is not None, tuple(row["texts"])) for row in rows]

    def silence(self, for_s: float) -> None:
        """Telegram cuts every connection for a while."""
        _ask(f"{self.telegram}/_control", {"do": "go_away", "how": "reset", "for_s": for_s})


@contextmanager
def world(label: str, address: IPv4Address, folder: Path, *, companies: int, postings: int) -> Iterator[World]:
    """Market and Telegram, until the block ends; they belong to the lab and end with it. Raises CommandFailed."""
    group = Group(f"vakanz-rehearsal-{label}/world")
    group.make()
    size = ["--companies", str(companies), "--postings", str(postings), "--sites", "0", "--systems", *SYSTEMS]
    try:
        market = _start(group, folder / "market.log", ["tests.sim", "--host", str(address), *size])
        chat = ["--host", str(address), "--token", TOKEN, f"--chat={CHAT}"]
        telegram = _start(group, folder / "telegram.log", ["tests.sim.telegram", *chat])
        yield World(market, telegram)
    finally:
        group.kill()


def _start(group: Group, log: Path, module: Sequence[str]) -> str:
    """Starts a server and returns its address, which is the first line that it writes."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            group.entering([sys.executable, "-m", *module]),
            cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_S)
    address = process.stdout.readline().decode(errors="replace").strip() if ready else ""
    if not address.startswith("http://"):
        raise CommandFailed(f"{module[0]} did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-1_000:]}")
    return address


def _posting(row: Mapping[str, Any], board: tuple[Source, str] | None) -> Posting:
    if board is None:
        raise CommandFailed(f"no source knows the board {row['source']}:{row['tenant']}")
    return Posting(board[0].name, board[1], row["external_id"])


def _ask(url: str, body: dict[str, Any] | None = None) -> Any:
    return json.loads(_read(url, body))


def _read(url: str, body: dict[str, Any] | None = None) -> str:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=_ANSWER_S) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, TimeoutError) as error:
        raise CommandFailed(f"{url}: {error}") from error
