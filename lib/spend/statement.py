"""A provider's statement beside our entries: who says what of each call. Pure.

Shape   CSV (with commas, semicolons or tabs) with a line of names, or JSON: a list of objects, or one of them a line;
        UTF-8. Wanted are the call's id, its credits and its time, under any of the names in `_NAMES`, of which the
        first that says something counts; an id is the provider's own, or our request id
Units   whole credits; times are ISO 8601, those without an offset are UTC
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import orjson

from lib.errors import VakanzError

Verdict: TypeAlias = Literal["agrees", "differs", "unknown", "missing"]

_NAMES = {
    "id": ("request_id", "requestid", "request", "id"),
    "credits": ("credits", "credits_used", "creditsused", "cost"),
    "time": ("time", "timestamp", "at", "date", "created_at", "createdat"),
}
_DELIMITERS = ",;\t"
_MOST_CREDITS = 2**53
_ID_CHARS = 500
_YEARS = range(2000, 2200)


class BadStatement(VakanzError):
    """The file is no statement that can be read."""


@dataclass(frozen=True)
class Line:
    """One call as the provider charged it; `time` is UTC."""

    id: str
    credits: int
    time: datetime


@dataclass(frozen=True)
class Unreadable:
    """A line of the file, or an object of its list, that says nothing, counted from 1."""

    line: int
    why: str


@dataclass(frozen=True)
class Entry:
    """One ended reservation of ours. `provider_id`: what the provider's answer called the call."""

    request_id: str
    provider_id: str | None
    credits: int
    outcome: str | None
    reserved_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Compared:
    """One call. `unknown`: the statement has it, we do not; `missing`: the other way round."""

    id: str
    verdict: Verdict
    theirs: int | None
    ours: int | None
    time: datetime
    outcome: str | None


def read(data: bytes) -> tuple[list[Line], list[Unreadable]]:
    """The lines of a statement, and those that cannot be read. Raises BadStatement when it is no statement at all."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadStatement(f"the statement is not UTF-8 text: {error.reason} at byte {error.start}") from None
    lines: list[Line] = []
    bad: list[Unreadable] = []
    forms = {"{": _objects, "[": _list}
    for number, row in forms.get(text.lstrip()[:1], _rows)(text):
        try:
            lines.append(_line(row))
        except ValueError as error:
            bad.append(Unreadable(number, str(error)))
    return lines, bad


def compare(
    lines: Iterable[Line], entries: Sequence[Entry], since: datetime, until: datetime
) -> tuple[list[Compared], int]:
    """What statement and entries say of each call, in the order of time, and how many credits they are apart.

    An id that stands several times is one call with the sum. An entry is expected in the statement when its call both
    began and ended between `since` and `until`; calls that were released are not.
    """
    theirs: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        theirs[line.id].append(line)
    ours: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        ours[_key(entry, theirs)].append(entry)
    found = [_compared(call, of_call, ours.get(call, [])) for call, of_call in theirs.items()]
    found += [
        Compared(call, "missing", None, _credits(made), made[0].reserved_at, made[-1].outcome)
        for call, made in ours.items()
        if call not in theirs
        and _credits(made)
        and all(since <= one.reserved_at and one.ended_at <= until for one in made if one.credits)
    ]
    found.sort(key=lambda one: (one.time, one.id))
    return found, sum((one.theirs or 0) - (one.ours or 0) for one in found)


def _key(entry: Entry, theirs: Mapping[str, object]) -> str:
    known = entry.provider_id is not None and entry.provider_id in theirs
    return entry.provider_id if known and entry.provider_id is not None else entry.request_id


def _compared(call: str, lines: list[Line], made: list[Entry]) -> Compared:
    charged = sum(line.credits for line in lines)
    time = min(line.time for line in lines)
    if not made:
        return Compared(call, "unknown", charged, None, time, None)
    ours = _credits(made)
    return Compared(call, "agrees" if ours == charged else "differs", charged, ours, time, made[-1].outcome)


def _credits(made: list[Entry]) -> int:
    return sum(entry.credits for entry in made)


def _objects(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                row = {"": str(error)}
            yield number, row if isinstance(row, dict) else {}


def _list(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        rows = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadStatement(f"the statement is no list in JSON: {error}") from error
    for number, row in enumerate(rows, 1):
        yield number, row if isinstance(row, dict) else {}


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    head = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        names = next((row for row in reader if row), [])
        if any(_find(dict.fromkeys(names, "x"), wanted) is None for wanted in _NAMES):
            wanted = ", ".join(options[0] for options in _NAMES.values())
            raise BadStatement(f"the statement's first line names no {wanted}")
        for row in reader:
            if row:
                yield reader.line_num, dict(zip(names, row, strict=False))
    except csv.Error as error:
        raise BadStatement(f"line {reader.line_num} of the statement: {error}") from error


def _find(row: Mapping[str, Any], wanted: str) -> str | None:
    """What the row says of what is wanted, None for nothing."""
    plain = {name.strip().lower().replace(" ", "_").replace("-", "_"): said for name, said in row.items()}
    said = (str(plain[option]).strip() for option in _NAMES[wanted] if plain.get(option) is not None)
    return next(filter(None, said), None)


def _line(row: Mapping[str, Any]) -> Line:
    """Raises ValueError saying what is missing or wrong."""
    values = {}
    for wanted in _NAMES:
        said = _find(row, wanted)
        if said is None:
            raise ValueError(f"no {_NAMES[wanted][0]}")
        values[wanted] = said
    if len(values["id"]) > _ID_CHARS:
        raise ValueError(f"a request_id of more than {_ID_CHARS} signs")
    return Line(values["id"], _count(values["credits"]), _time(values["time"]))


def _count(text: str) -> int:
    try:
        number = float(text)
        if 0 <= number < _MOST_CREDITS and number.is_integer():
            return int(number)
    except ValueError:
        pass  # told below, like any other that is no count
    raise ValueError(f"{text[:40]!r} is no number of credits")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.year in _YEARS:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except ValueError:
        pass  # told below, like one that is absurd
    raise ValueError(f"{text[:40]!r} is no time")
