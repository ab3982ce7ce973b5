"""The contract between a source (pure) and the machinery that crawls it.

A source turns a tenant and a cursor into a `Request`, and a `Response` into a `Page` of postings. It never does
I/O. `read_page` and `Record` hold what all sources need: a broken envelope fails the page (`Malformed`), a broken
row fails alone (`Rejected`), and field names that nobody asked for are counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import msgspec

from lib.errors import Malformed
from lib.net.messages import Request, Response

Period = Literal["year", "month", "week", "day", "hour"]
Remote = Literal["remote", "hybrid", "onsite"]

MAX_TEXT_CHARS = 500_000
MAX_FIELD_CHARS = 2_000
MAX_ID_CHARS = 200
MAX_UNKNOWN_NAMES = 500
MAX_REJECTED = 10_000
T = TypeVar("T")


class Salary(msgspec.Struct, frozen=True, kw_only=True):
    """Pay as the payload states it, in major units (euro, not cents); None where it does not say."""

    min: float | None = None
    max: float | None = None
    currency: str | None = None
    period: Period | None = None


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One posting as its board states it. Nothing here is guessed: what the payload does not say is None or ().

    `places` are the places' names in the payload's own words, main one first; `country` is ISO 3166 alpha-2 upper
    case; `html` is the description's markup (None: the list has none, a detail request is needed); `teaser` is how a
    description begins that the list cuts; `language` is ISO 639-1 lower case; times are aware UTC.
    """

    external_id: str
    title: str
    url: str
    apply_url: str | None = None
    company: str | None = None
    places: tuple[str, ...] = ()
    country: str | None = None
    remote: Remote | None = None
    employment_type: str | None = None
    department: str | None = None
    language: str | None = None
    posted_at: datetime | None = None
    valid_through: datetime | None = None
    salary: Salary | None = None
    html: str | None = None
    teaser: str | None = None


class Rejected(msgspec.Struct, frozen=True):
    """A row that could not be read: its raw form (JSON text, cut at 4,000 characters) and why."""

    raw: str
    reason: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list.

    `cursor`: opaque, asks for the next page; None on the last. `total`: how many rows the source says the whole list
    has, None where it does not say. `skipped`: rows left out on purpose (unlisted, say); they count towards `total`.
    `excerpt`: the list has some of the postings only, such as the latest: nothing follows from what it does not have.
    `unknown`: field name -> how often it came although nobody asked for it.
    """

    rows: tuple[Posting, ...]
    rejected: tuple[Rejected, ...] = ()
    skipped: int = 0
    total: int | None = None
    cursor: str | None = None
    excerpt: bool = False
    unknown: Mapping[str, int] = {}


class Completeness(Enum):
    """How a list proves that it is whole; nothing is closed without that proof."""

    DOCUMENT = "one well-formed document is the whole board"
    TOTAL = "as many rows as the source's declared total"
    SHORT_PAGE = "pages of full length up to a shorter last one"


class Healthy(msgspec.Struct, frozen=True, kw_only=True):
    """What a healthy crawl of one board yields; less is an alert although nothing failed.

    `max_rejected`, `max_drop`: shares from 0 to 1, of rows set aside and of rows missing against the usual count.
    """

    max_rejected: float = 0.01
    max_drop: float = 0.2


class Confidence(Enum):
    """How sure the facts are that a source is written after."""

    CONFIRMED = "real payloads or the vendor's documentation"
    WORKING = "working clients, no payload of our own"
    PARTIAL = "partly guessed, or the facts disagree"


@runtime_checkable
class Source(Protocol):
    """A job-board system. Implementations are stateless; `name` equals the file's name and the metric label.

    `consent`: what an operator has to decide before the source is used, and why; until then it is off. None: nothing.
    """

    name: str
    title: str
    every: timedelta
    completeness: Completeness
    healthy: Healthy
    confidence: Confidence
    consent: str | None

    def detect(self, url: str) -> str | None:
        """The tenant token if `url` belongs to this system, else None. Never raises."""

    def board_url(self, tenant: str) -> str:
        """The board's public page, for people."""

    def request(self, tenant: str, cursor: str | None) -> Request:
        """What to ask for the page at `cursor` (None: the first)."""

    def parse(self, tenant: str, response: Response) -> Page:
        """The page in `response`. Raises Malformed when the envelope is broken; nothing else, for any bytes."""


@runtime_checkable
class DetailSource(Source, Protocol):
    """A source whose list has no text: each posting needs one more request."""

    def detail_request(self, tenant: str, external_id: str, url: str) -> Request:
        """What to ask for the full posting. `url`: its address as its list gave it, "" where nobody knows that.

        An address of the board's own host is asked as it is (or, where an API gives the text, for what it names); one
        of any other host never is. A request that rests on an assumption instead says so (`assumed`), so that a wrong
        one closes nothing. Raises Malformed for an id that this system cannot have, or that is not enough.
        """

    def parse_detail(self, tenant: str, response: Response) -> Posting:
        """The full posting. Raises Malformed, or Gone when the page says that the posting is no longer active."""


@runtime_checkable
class StreamSource(Source, Protocol):
    """A source whose list is one document that may be too long for memory: it is read while its bytes come."""

    def pages(self, tenant: str, pieces: Iterable[bytes]) -> Iterator[Page]:
        """The rows of the document in `pieces`: those that are whole, before the next piece is asked for.

        Raises Malformed where the document is broken; what was yielded before stays true. No page has a cursor.
        """


def merge_rows(rows: Iterable[Posting]) -> list[Posting]:
    """One row per external id, in order of first appearance: the first one that has text wins.

    Sources repeat ids (language versions, repeated entries); two rows of one id must never reach one statement.
    """
    merged: dict[str, Posting] = {}
    for row in rows:
        held = merged.get(row.external_id)
        if held is None or (not held.html and row.html):
            merged[row.external_id] = row
    return list(merged.values())


def fill_row(listed: Posting, detail: Posting) -> Posting:
    """The list's row with all that its detail says; what only the list says stays."""
    said = {name: value for name, value in msgspec.structs.asdict(detail).items() if value not in (None, ())}
    return msgspec.structs.replace(listed, **said)


def clean_text(value: str, limit: int = MAX_FIELD_CHARS) -> str:
    """`value` without what PostgreSQL or UTF-8 cannot hold (NUL, lone surrogates), cut at `limit` characters."""
    value = value[:limit]
    if "\x00" in value:
        value = value.replace("\x00", "")
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-8", "replace").decode()
    return value


class Record:
    """A JSON object that is emptied while it is read, so that what nobody asked for is left over.

    `need` raises Malformed when the field is missing or of another type; `get` gives None for missing, null and
    for another type, and counts the latter as unknown (`name!`). Texts come cleaned and cut. Closing a record closes
    the records that `sub` and `subs` took out of it.
    """

    def __init__(self, fields: Any, unknown: Counter[str], prefix: str = "") -> None:
        if not isinstance(fields, dict):
            raise Malformed(f"{prefix or 'row'} is {type(fields).__name__}, not an object")
        self._fields = dict(fields)
        self._unknown = unknown
        self._prefix = prefix
        self._parts: list[Record] = []

    def need(self, name: str, kind: type[T]) -> T:
        """The field's value. Raises Malformed when it is missing, null or not a `kind`."""
        value = self._fields.pop(name, None)
        if type(value) is not kind and not _is(value, kind):
            raise Malformed(f"{self._prefix}{name} is {type(value).__name__}, {kind.__name__} expected")
        return clean_text(value) if isinstance(value, str) else value  # type: ignore[return-value]

    def get(self, name: str, kind: type[T]) -> T | None:
        """The field's value, or None when it is missing, null or not a `kind`."""
        value = self._fields.pop(name, None)
        if value is None:
            return None
        if type(value) is not kind and not _is(value, kind):
            self._count(f"{name}!")
            return None
        return clean_text(value) if isinstance(value, str) else value  # type: ignore[return-value]

    def take(self, name: str) -> Any:
        """The field's value of whatever type, as it came: not cleaned, not cut."""
        return self._fields.pop(name, None)

    def html(self, name: str) -> str | None:
        """Like `get` for a long text: cut at MAX_TEXT_CHARS instead of MAX_FIELD_CHARS."""
        value = self._fields.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str):
            self._count(f"{name}!")
            return None
        return clean_text(value, MAX_TEXT_CHARS)

    def sub(self, name: str) -> Record | None:
        """The object under `name` as a record of its own, None when there is none."""
        value = self.get(name, dict)
        return None if value is None else self._part(value, name)

    def subs(self, name: str) -> list[Record]:
        """The objects in the list under `name`; elements that are no objects are counted as unknown."""
        records = []
        for element in self.get(name, list) or []:
            if isinstance(element, dict):
                records.append(self._part(element, name))
            else:
                self._count(f"{name}!")
        return records

    def strings(self, name: str) -> list[str]:
        """The texts in the list under `name`; elements that are no text are counted as unknown."""
        texts = []
        for element in self.get(name, list) or []:
            if isinstance(element, str):
                texts.append(clean_text(element))
            else:
                self._count(f"{name}!")
        return texts

    def skip(self, names: Iterable[str]) -> None:
        """Fields that we know and leave aside on purpose."""
        for name in names:
            self._fields.pop(name, None)

    def close(self) -> None:
        """Counts what is left as unknown."""
        for name in self._fields:
            self._count(name)
        for part in self._parts:
            part.close()

    def _part(self, fields: dict[str, Any], name: str) -> Record:
        part = Record(fields, self._unknown, f"{self._prefix}{name}.")
        self._parts.append(part)
        return part

    def _count(self, name: str) -> None:
        known = clean_text(f"{self._prefix}{name}", 200)
        # A hostile page may hold a million names; past the limit they are counted together.
        self._unknown[known if known in self._unknown or len(self._unknown) < MAX_UNKNOWN_NAMES else "..."] += 1


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def read_page(
    items: Iterable[Any],
    read_row: Callable[[Record], Posting | None],
    *,
    total: int | None = None,
    cursor: str | None = None,
    excerpt: bool = False,
) -> Page:
    """Reads each item with `read_row`, which returns None for a row that is left out on purpose.

    A row that raises Malformed (or whose values make no sense: ValueError, OverflowError) is set aside with its
    reason; its neighbours stay. Raises Malformed when more than MAX_REJECTED rows are broken: that is no list.
    """
    unknown: Counter[str] = Counter()
    rows: list[Posting] = []
    rejected: list[Rejected] = []
    skipped = 0
    for item in items:
        try:
            record = Record(item, unknown)
            row = read_row(record)
            if row is not None and not (row.external_id.strip() and row.title.strip()):
                raise Malformed("no id or no title")
            if row is not None and len(row.external_id) > MAX_ID_CHARS:
                raise Malformed(f"id is longer than {MAX_ID_CHARS} characters")
            if row is not None and (row.employment_type or row.department):
                row = _cut(row)
        except (Malformed, ValueError, OverflowError) as error:
            if len(rejected) >= MAX_REJECTED:
                raise Malformed(f"more than {MAX_REJECTED} rows cannot be read, the last one: {error}") from error
            rejected.append(Rejected(clean_text(_raw(item), 4_000), clean_text(str(error))))
            continue
        record.close()
        if row is None:
            skipped += 1
        else:
            rows.append(row)
    return Page(
        rows=tuple(rows), rejected=tuple(rejected), skipped=skipped, total=total, cursor=cursor, excerpt=excerpt,
        unknown=unknown,
    )  # fmt: skip


def read_one(item: Any, read_row: Callable[[Record], Posting | None]) -> Posting:
    """Reads the one item of a detail. Raises Malformed when it cannot be read."""
    page = read_page([item], read_row)
    if not page.rows:
        raise Malformed(page.rejected[0].reason if page.rejected else "left out on purpose")
    return page.rows[0]


def _cut(row: Posting) -> Posting:
    """The row with what may be put together from several fields within the limit of one."""
    joined = {"employment_type": row.employment_type, "department": row.department}
    long = {name: text[:MAX_FIELD_CHARS] for name, text in joined.items() if text and len(text) > MAX_FIELD_CHARS}
    return msgspec.structs.replace(row, **long) if long else row


def _raw(item: Any) -> str:
    try:
        return json.dumps(item, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply to be shown)"
