"""What one turn at a site has seen so far, and which postings it closes in the end. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from daemons.careers.closing import Sight, are_many, closes, doubts_after, is_away
from daemons.careers.elsewhere import Elsewhere
from daemons.careers.pages import Kind, Page, State
from daemons.careers.site import address, external_id
from daemons.careers.visits import Visit
from lib.net.validators import Validators

_MAX_UNREACHABLE = 5  # pages in a row: the site is away
_GRACE = timedelta(days=1)


@dataclass
class Turn:
    """What a turn has found. `held`: external id -> content hash, None where closed.

    Closings wait for the end of the turn: only then is known how many there are, and what else shows the posting.
    """

    held: dict[str, bytes | None]
    in_browser: bool
    began: datetime
    start: str
    seen: dict[str, str] = field(default_factory=dict)  # external id -> the page that shows it
    visited: int = 0
    new: int = 0
    changed: int = 0
    closed: int = 0
    aside: int = 0
    waiting: int = 0
    led: int = 0
    forbidden: int = 0
    unreachable: int = 0
    away: bool = False  # the careers page could not be had
    elsewhere: Elsewhere | None = None
    problem: str | None = None
    _told_off: dict[str, tuple[Sight, int]] = field(default_factory=dict)
    _moved: dict[str, str] = field(default_factory=dict)  # external id -> that of the page which stands for it now
    _open_before: int = field(init=False)

    def __post_init__(self) -> None:
        self._open_before = len(self.open_ids())

    @property
    def is_failing(self) -> bool:
        """Whether so many pages in a row could not be had that the others are left alone."""
        return self.unreachable >= _MAX_UNREACHABLE

    def open_ids(self) -> list[str]:
        """The postings that are open as far as we know."""
        return [one for one, digest in self.held.items() if digest is not None]

    def asked(self, page: Page) -> Page:
        """The page as it is to be visited: one whose postings are not all open is read, even if it has not changed."""
        return page if self._are_open(page.external_ids) else replace(page, state="new")

    def judge(self, visit: Visit, now: datetime) -> tuple[Page, set[str]]:
        """The page as it is known after a visit, and which of its postings are to be written."""
        open_now = {
            one.external_id for one in visit.postings if one.valid_through is None or one.valid_through + _GRACE > now
        }
        sight = Sight.ENDED if visit.postings and not open_now else visit.sight
        page = visit.page
        shown = {one for one in open_now if self.seen.setdefault(one, page.url) == page.url}
        for one in page.external_ids if visit.unchanged else ():
            self.seen.setdefault(one, page.url)
        doubts = doubts_after(sight, page.doubts)
        self._note(visit, sight, doubts, open_now)
        state = _state(visit, sight)
        kind = _kind(visit, sight)
        failed = state in ("aside", "gone") or kind == "other" or (state == "browser" and self.in_browser)
        self.aside += state == "aside"
        self.waiting += state == "browser"
        etag, last_modified = _known_by(visit)
        kept = [one for one in page.external_ids if self.held.get(one) is not None]
        after = replace(
            page,
            state=state,
            kind=kind,
            external_ids=tuple(dict.fromkeys((*sorted(shown), *kept))),
            etag=etag,
            last_modified=last_modified,
            body_hash=visit.body_hash,
            doubts=doubts,
            attempts=page.attempts + 1 if failed else 0,
            reason=visit.reason,
        )
        return after, shown

    def _note(self, visit: Visit, sight: Sight, doubts: int, open_now: Collection[str]) -> None:
        page = visit.page
        self.forbidden += visit.forbidden
        if not visit.forbidden:
            self.unreachable = self.unreachable + 1 if sight is Sight.UNREACHABLE else 0
        if page.url == self.start:  # what it leads to may have its depth
            self.away = is_away(sight, doubts)
        lost = [] if visit.unchanged else [one for one in page.external_ids if one not in open_now]
        self._told_off |= dict.fromkeys(lost, (sight, doubts))
        heir = visit.led_to or (visit.reading.stands_for if visit.reading is not None else None)
        if heir is not None and (now_at := address(heir, page.url)):
            self._moved |= dict.fromkeys(lost, external_id(now_at))

    def is_told_off(self, external_id: str) -> bool:
        """Whether a page has said that this posting is not there any more, or somewhere else."""
        return external_id in self._told_off and external_id not in self.seen

    def over(self) -> list[str]:
        """The open postings that the turn closes: those whose pages say so, unless another page shows them."""
        told_off = {
            one: said for one, said in self._told_off.items() if self.held.get(one) is not None and one not in self.seen
        }
        moved = {one for one in told_off if self._moved.get(one) in self.seen}
        if self.away:
            return sorted(moved)
        alike = Counter(sight for one, (sight, _) in told_off.items() if one not in moved)
        many = {sight for sight, count in alike.items() if are_many(count, self._open_before)}
        return sorted(
            one
            for one, (sight, doubts) in told_off.items()
            if one in moved or closes(sight, doubts, many=sight in many)
        )

    def _are_open(self, external_ids: Collection[str]) -> bool:
        return all(self.held.get(one) is not None for one in external_ids)


def _known_by(visit: Visit) -> tuple[str | None, str | None]:
    """The validators of what was read last. A new body without any leaves none: the old ones would vouch for it."""
    sent = Validators.of(visit.response.headers) if visit.response is not None else None
    if sent is None and visit.unchanged:
        return visit.page.etag, visit.page.last_modified
    return (sent.etag, sent.last_modified) if sent is not None else (None, None)


def _state(visit: Visit, sight: Sight) -> State:
    if visit.reading is not None and visit.reading.verdict == "shell":
        return "browser"
    if sight in (Sight.UNREACHABLE, Sight.UNREAD):
        return "aside"
    if visit.unchanged:
        return "read"
    # A page of an ad whose last day is over may have a later one tomorrow.
    return "gone" if visit.reading is None or visit.reading.verdict == "ended" else "read"


def _kind(visit: Visit, sight: Sight) -> Kind:
    """What the page is; a visit that brought none leaves it as it was."""
    if visit.reading is None or visit.reading.verdict == "shell":
        return visit.page.kind
    if visit.postings and visit.page.kind == "document":
        return "document"
    if visit.reading.verdict == "list" or visit.page.depth == 0:
        return "list"
    return "ad" if visit.postings or sight in (Sight.ENDED, Sight.REFUSED) else "other"
