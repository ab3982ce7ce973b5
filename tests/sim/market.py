"""A job market that never existed: companies, their boards, and what happens to their postings day by day.

Everything follows from (seed, companies, postings, start); nothing is rendered before it is asked for.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from tests.sim.companies import found_companies
from tests.sim.posting import Edit, Language, Posting, draw_posting, key_of
from tests.sim.systems import SYSTEMS
from tests.sim.view import Board, View
from tests.sim.wire import Answer, Call, Showing, System

LARGEST_BOARD = 1_500
# Enough to show what the crawler does: one system of each kind of paging, text and id.
FEW_SYSTEMS = ("ashby", "greenhouse", "lever", "personio", "smartrecruiters")
FIRST_DAY = date(2026, 11, 2)


@dataclass(frozen=True)
class Rates:
    """Shares of the open postings (reopened: of the closed ones) that change per day; touched: of the boards."""

    new: float = 0.02
    edited: float = 0.02
    closed: float = 0.02
    reopened: float = 0.05
    touched: float = 0.1


@dataclass(frozen=True)
class Changes:
    """What one day did, as indices of postings; `touched` are boards whose update stamps moved and nothing else."""

    day: int
    new: tuple[int, ...] = ()
    edited: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()
    touched: tuple[int, ...] = ()


class Market:
    """The market on its current day. `companies`: None makes one for every fifty postings; `systems`: None for all."""

    def __init__(
        self,
        seed: int = 1,
        companies: int | None = 60,
        postings: int = 3_000,
        *,
        start: date = FIRST_DAY,
        rates: Rates = Rates(),
        cache_bytes: int = 1_000_000_000,
        systems: Collection[str] | None = None,
    ) -> None:
        self.seed = seed
        self.start = start
        self.rates = rates
        self.day = 0
        self.history: list[Changes] = []
        self.boards: list[Board] = []
        self._owner: list[int] = []
        self._language: list[Language] = []
        self._opened: list[int] = []
        self._edits: dict[int, tuple[Edit, ...]] = {}
        self._closed: set[int] = set()
        self._cache: OrderedDict[tuple[str, Call, int, Showing], Answer] = OrderedDict()
        self._cache_room = cache_bytes
        names = list(SYSTEMS if systems is None else systems)
        self._found(companies if companies is not None else max(1, postings // 50), postings, names)
        self._by_tenant = {(board.source, board.tenant.casefold()): board for board in self.boards}
        self._moved: dict[tuple[str, str], Board] = {}

    def _found(self, companies: int, postings: int, names: list[str]) -> None:
        rng = Random(self.seed)
        sizes = board_sizes(companies, postings)
        self._weights = sizes
        rng.shuffle(names)
        turns = deque(names)
        count = {"de": 0, "en": 0}
        for company, size in zip(found_companies(companies, rng), sizes, strict=True):
            system = SYSTEMS[turns.popleft()]
            if not (system.single and turns):
                turns.append(system.name)
            lesser: Language = "de" if count["de"] <= count["en"] else "en"
            languages: tuple[Language, ...] = ("de", "en") if company.index % 3 == 2 else (lesser,)
            board = Board(company, system.name, system.tenant(company), languages, set())
            self.boards.append(board)
            for _ in range(size):
                age = int(rng.triangular(1, 40, 5))
                self._open_new(company.index, -age, count)

    def _open_new(self, index: int, day: int, count: dict[str, int]) -> int:
        key = len(self._owner)
        board = self.boards[index]
        language = min(board.languages, key=lambda name: count[name])
        count[language] += 1
        self._owner.append(index)
        self._language.append(language)
        self._opened.append(day)
        board.keys.add(key)
        return key

    def posting(self, key: int) -> Posting:
        """The posting with index `key` as it stands now."""
        company = self.boards[self._owner[key]].company
        opened = self.start + timedelta(days=self._opened[key])
        return draw_posting(self.seed, key, company, self._language[key], opened, self._edits.get(key, ()))

    def advance(self) -> Changes:
        """The next day: some postings are new, edited, closed or reopened. The same for every market of this seed."""
        self.day += 1
        rng = Random(self.seed * 7_919 + self.day)
        opened = sorted(key for board in self.boards for key in board.keys)
        shut = sorted(self._closed)
        closed = _sample(opened, self.rates.closed, rng)
        staying = sorted(set(opened) - set(closed))
        edited = _sample(staying, self.rates.edited, rng)
        reopened = _sample(shut, self.rates.reopened, rng)
        count = {"de": self._language.count("de"), "en": self._language.count("en")}
        owners = rng.choices(range(len(self.boards)), self._weights, k=_count(opened, self.rates.new))
        touched = _sample(range(len(self.boards)), self.rates.touched, rng)
        self._shut(closed)
        for key in edited:
            self._edits[key] = (*self._edits.get(key, ()), rng.choice(("salary", "text")))
        for key in reopened:
            self._closed.discard(key)
            self.boards[self._owner[key]].keys.add(key)
        new = [self._open_new(index, self.day, count) for index in owners]
        for index in {*touched, *(self._owner[key] for key in (*edited, *reopened, *new))}:
            self.boards[index].version += 1
        for index in touched:
            self.boards[index].touched = self.day
        changes = Changes(self.day, tuple(new), tuple(edited), tuple(closed), tuple(reopened), tuple(touched))
        self.history.append(changes)
        return changes

    def _shut(self, keys: Sequence[int]) -> None:
        self._closed.update(keys)
        gone: dict[int, set[int]] = {}
        for key in keys:
            gone.setdefault(self._owner[key], set()).add(key)
        for index, board in enumerate(self.boards):
            left = frozenset(gone.get(index, ()))
            if left or board.closed_today:
                board.keys -= left
                board.closed_today = left
                board.version += 1

    def go_to(self, day: int) -> None:
        """Advances until it is `day`. Raises ValueError for a day in the past."""
        if day < self.day:
            raise ValueError(f"it is day {self.day} already, day {day} is over")
        while self.day < day:
            self.advance()

    def move(self, board: Board, to: str) -> Board:
        """Moves a company's board to the system `to`: there its postings have new ids and addresses.

        The old system does not know it any more, but its public page leads on, as companies have it set up.
        """
        old = (board.source, board.tenant.casefold())
        board.source, board.tenant = to, SYSTEMS[to].tenant(board.company)
        board.version += 1
        self._moved[old] = self._by_tenant.pop(old)
        self._by_tenant[to, board.tenant.casefold()] = board
        return board

    def open_keys(self) -> frozenset[int]:
        """The postings that are open today."""
        return frozenset(key for board in self.boards for key in board.keys)

    def truth(self, source: str | None = None, tenant: str | None = None) -> Iterator[dict[str, Any]]:
        """The truth of each open posting, with where it is published; one board's where one is named."""
        for board in self.boards:
            if source not in (None, board.source) or (tenant is not None and tenant != board.tenant):
                continue
            system = SYSTEMS[board.source]
            for key in sorted(board.keys):
                posting = self.posting(key)
                yield {
                    "source": board.source,
                    "tenant": board.tenant,
                    "external_id": system.external_id(posting),
                    "url": system.posting_url(board.tenant, posting),
                    "title": posting.title,
                    "company": board.company.name,
                    **posting.truth(),
                }

    def board_list(self) -> list[dict[str, Any]]:
        """Every board: source, tenant, url as a person would paste it, company, number of open postings."""
        return [
            {
                "source": board.source,
                "tenant": board.tenant,
                "url": SYSTEMS[board.source].board_url(board.tenant),
                "company": board.company.name,
                "open": len(board.keys),
            }
            for board in self.boards
        ]

    def answer(self, system: System, call: Call, showing: Showing) -> Answer:
        """The system's answer to `call` today, from the cache where the board has not changed."""
        board = (
            self._by_tenant.get((system.name, call.tenant.casefold())) if call.tenant else self._owner_of(system, call)
        )
        if board is None:
            moved = self._moved.get((system.name, call.tenant.casefold()))
            if moved is not None and call.kind == "page":
                return Answer(b"", 301, headers={"Location": SYSTEMS[moved.source].board_url(moved.tenant)})
            return system.unknown(call)
        key = (system.name, call, board.version, showing)
        answer = self._cache.get(key)
        if answer is None:
            answer = system.answer(call, self.view(board).shown(showing))
            self._remember(key, answer)
        else:
            self._cache.move_to_end(key)
        return answer

    def _owner_of(self, system: System, call: Call) -> Board | None:
        """The board of a posting that is asked for by its number alone."""
        number = system.number(call)
        key = None if number is None else key_of(number)
        if key is None or key >= len(self._owner):
            return None
        board = self.boards[self._owner[key]]
        return board if board.source == system.name else None

    def _remember(self, key: tuple[str, Call, int, Showing], answer: Answer) -> None:
        self._cache[key] = answer
        self._cache_room -= len(answer.body)
        while self._cache_room < 0 and len(self._cache) > 1:
            self._cache_room += len(self._cache.popitem(last=False)[1].body)

    def view(self, board: Board) -> View:
        """`board` as its visitors see it today."""
        midnight = datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)
        touched = midnight + timedelta(days=board.touched, hours=2)
        return View(self, board, tuple(sorted(board.keys)), len(board.keys), touched)

    def changes_list(self) -> list[dict[str, Any]]:
        """The history as plain objects."""
        return [asdict(changes) for changes in self.history]


def board_sizes(boards: int, postings: int) -> list[int]:
    """How many postings each board has: a few large ones, many small ones, never more than LARGEST_BOARD.

    Above `boards` times LARGEST_BOARD postings they are shared out evenly.
    """
    limit = max(LARGEST_BOARD, -(-postings // boards))
    weights = [(rank + 1.5) ** -0.9 for rank in range(boards)]
    scale = postings / sum(weights)
    sizes = [min(limit, int(weight * scale)) for weight in weights]
    rank = 0
    while (missing := postings - sum(sizes)) > 0:
        room = min(limit - sizes[rank], max(1, missing // boards))
        sizes[rank] += room
        rank = (rank + 1) % boards
    return sizes


def _sample(keys: Sequence[int], share: float, rng: Random) -> list[int]:
    return sorted(rng.sample(keys, _count(keys, share)))


def _count(keys: Sequence[int], share: float) -> int:
    return min(len(keys), max(1, round(len(keys) * share))) if share > 0 else 0
