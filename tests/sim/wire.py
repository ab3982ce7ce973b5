"""What the simulator is asked and what it answers, without sockets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from html import escape
from typing import TYPE_CHECKING, Literal

from tests.sim.text import markup

if TYPE_CHECKING:
    from tests.sim.companies import Company
    from tests.sim.posting import Posting
    from tests.sim.view import View

Showing = Literal["all", "empty", "truncated", "wrong_total"]
SHOWINGS: tuple[Showing, ...] = ("empty", "truncated", "wrong_total")


@dataclass(frozen=True)
class Asked:
    """A request: host in lower case without port, decoded path, query with the last value of each name, body as sent.

    `headers` have lower-case names.
    """

    host: str
    path: str
    query: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """What of which tenant is asked for; hashable. `kind` and `args` belong to the system that made it."""

    kind: str
    tenant: str
    args: tuple[str | int | bool, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer. `tagged`: the real system sends an ETag with it."""

    body: bytes
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    tagged: bool = False

    @cached_property
    def etag(self) -> str:
        """A weak validator of the body."""
        return f'W/"{blake2b(self.body, digest_size=8).hexdigest()}"'


@dataclass(frozen=True)
class Saved:
    """Saved payloads of one board: the list or its first page as it came, details by posting id, and the last page."""

    tenant: str
    listing: bytes
    details: Mapping[str, bytes] = field(default_factory=dict)
    last: bytes | None = None

    def detail(self, external_id: str) -> Answer:
        """The saved detail, else nothing at all.

        A 404 would say that the posting is gone, which nobody knows; for a 500 the whole host would be left alone.
        """
        found = self.details.get(external_id)
        return Answer(b"", 204) if found is None else Answer(found)


class System(ABC):
    """One job-board system: its hosts and its public protocol.

    A new system is one file in `tests/sim/systems/` that names its instance `SYSTEM`.
    """

    name: str
    single = False  # whether there is one board for all the world: then one company has it
    also: tuple[str, ...] = ()  # what else people call it when they save what it answers

    @abstractmethod
    def tenant(self, company: Company) -> str:
        """The token that this company got, spelled as this system spells tokens."""

    @abstractmethod
    def board_url(self, tenant: str) -> str:
        """The board's public page as a person would paste it."""

    @abstractmethod
    def external_id(self, posting: Posting) -> str:
        """The posting's id in this system's payloads."""

    @abstractmethod
    def posting_url(self, tenant: str, posting: Posting) -> str:
        """The posting's public page."""

    @abstractmethod
    def serves(self, host: str) -> bool:
        """Whether `host` is one of this system's."""

    @abstractmethod
    def route(self, asked: Asked) -> Call | None:
        """What is asked for, None where the system knows no such path."""

    @abstractmethod
    def answer(self, call: Call, view: View) -> Answer:
        """The answer for a known tenant."""

    @abstractmethod
    def unknown(self, call: Call) -> Answer:
        """The answer for a tenant that the system does not know."""

    @abstractmethod
    def replay(self, call: Call, saved: Saved) -> Answer:
        """The answer made of saved payloads, untouched, to all but a call of the kind "detail"."""

    def number(self, call: Call) -> int | None:
        """The number of the posting that is asked for, where the address does not say whose it is (no tenant)."""
        return None

    def robots(self, host: str) -> str | None:
        """The host's robots.txt, None where it has none."""
        return None

    def saved_tenant(self, name: str, listing: bytes) -> str:
        """The token of a saved board. `name` is of small letters, digits and single hyphens."""
        return name

    def unpack(self, payload: bytes) -> tuple[bytes, dict[str, bytes]]:
        """A saved file as list and details by id; most files are just the list."""
        return payload, {}

    def detail_id(self, payload: bytes) -> str | None:
        """The posting id of a saved detail, None where this system has no details."""
        return None


HTML = "text/html; charset=utf-8"


def posting_page(posting: Posting) -> Answer:
    """A posting's public page for people."""
    text = "".join(markup(section, posting.company.style) for section in posting.sections())
    head = f"<h1>{escape(posting.title)}</h1><p>{escape(posting.company.name)}</p>"
    return page(posting.title, f"{head}<main>{text}</main>")


def posting_or_missing(found: tuple[Posting, bool] | None) -> Answer:
    """The page of what a view has found, where that is still open."""
    return posting_page(found[0]) if found and found[1] else missing()


def board_page(system: System, tenant: str, view: View) -> Answer:
    """A board's public page: one link per open posting."""
    links = (
        f'<li><a href="{escape(system.posting_url(tenant, posting))}">{escape(posting.title)}</a></li>'
        for posting in view.postings()
    )
    return page(view.board.company.name, f"<h1>{escape(view.board.company.name)}</h1><ul>{''.join(links)}</ul>")


def page(title: str, body: str, status: int = 200) -> Answer:
    """A small HTML document."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>'
    document = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return Answer(document.encode(), status, HTML)


def missing(body: bytes = b"Not Found", content_type: str = "text/plain; charset=utf-8") -> Answer:
    """A plain 404."""
    return Answer(body, 404, content_type)


def size(value: str | None, default: int, largest: int) -> int:
    """A paging number from a query: `default` where it is missing or makes no sense, clamped to 0..`largest`."""
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 9:
        return default
    return min(int(value), largest)
