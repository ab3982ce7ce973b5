"""An alert as Telegram's HTML, and as plain text for the other channels. Pure.

Limits after core.telegram.org/bots/api, read 2026-11: 4096 UTF-16 units. They are counted with the tags here, which is
more than Telegram counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape, unescape

from keeper.alerts.cases import Case
from keeper.incident import Incident

MOST_UNITS = 4096
RUNBOOK = "docs/runbook.md"
_TAG = re.compile(r"</?(?:b|i|pre|code)>")
_NAMES = 30  # units that are named; the rest is a number


def show_case(case: Case) -> str:
    """The message that shows a case as it is now."""
    incident = case.incident
    return _fitting(_head(case), incident.lines, _tail(case), "last lines")


def over(case: Case) -> str:
    """The short word that a case is over."""
    lasted = span((case.closed_at or case.opened_at) - case.opened_at)
    return f"✅ over after {lasted}: {_line(case.incident.title, 300)}"


def reminder(case: Case, now: float) -> str:
    """The short word that a case is still open and that nobody has taken it."""
    lasted = span(now - case.opened_at)
    return f"⏰ still open after {lasted}: {_line(case.incident.title, 300)}\n/ack {case.handle} ends these reminders"


def repeated(text: str) -> str:
    """`text` where an earlier attempt was never confirmed, and may stand there already."""
    return _cut(f"{text}\n<i>may stand here twice: an earlier attempt was not confirmed</i>")


def answer(title: str, lines: Sequence[str] = ()) -> str:
    """An answer to a command, with lines in fixed width below it."""
    return _fitting([escape(title[:1000])], lines, [], "")


def plain(html: str) -> str:
    """The text of our own HTML."""
    return unescape(_TAG.sub("", html))


def line_of(case: Case) -> str:
    """One plain line about a case."""
    where = case.incident.host or "fleet"
    state = f"over {moment(case.closed_at)}" if case.closed_at is not None else f"since {moment(case.incident.since)}"
    return f"{where}: {case.incident.title[:160]} ({state})"


def span(seconds: float) -> str:
    """A duration for people, such as 45 s, 12 min, 3 h 20 min."""
    seconds = max(0.0, seconds)
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours // 24} days"


def moment(at: float) -> str:
    """A time for people, in UTC. One that no calendar knows is told as its number."""
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%d %b %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{at:g} s since 1970"


def utf16(text: str) -> int:
    """UTF-16 units of `text`, which Telegram counts in."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _head(case: Case) -> list[str]:
    incident = case.incident
    sign = "✅" if not case.open else "👀" if case.acked_at is not None else "🔴"
    head = [
        f"{sign} <b>{_line(incident.title, 300)}</b>",
        f"<b>where</b> {_line(incident.host or 'the whole fleet', 100)}",
        f"<b>since</b> {moment(incident.since)}",
    ]
    if case.closed_at is not None:
        head.append(f"<b>over</b> {moment(case.closed_at)}")
    if incident.why:
        head.append(f"<b>why</b> {_line(incident.why, 400)}")
    if incident.units:
        head.append(f"<b>units</b> {_line(_names(incident.units), 700)}")
    if len(case.hosts) > 1:
        head.append(f"<b>seen by</b> {_line(_names(case.hosts), 200)}")
    head += [f"<b>{_line(name, 40)}</b> {_line(value, 120)}" for name, value in list(incident.facts.items())[:8]]
    if incident.did:
        head.append(f"<b>done</b> {_line('; '.join(incident.did[-6:]), 500)}")
    return head


def _tail(case: Case) -> list[str]:
    tail = [f"<b>help</b> {RUNBOOK}#{case.incident.kind}"]
    if case.acked_at is not None:
        tail.append(f"<b>taken by</b> {_line(case.acked_by, 100)}")
    elif case.open:
        tail.append(f"/ack {case.handle}")
    return tail


def _fitting(head: Sequence[str], lines: Sequence[str], tail: Sequence[str], title: str) -> str:
    """All of `head` and `tail`, and as many of the last `lines` as there is room for; says how many are left out."""
    fixed = utf16("\n".join((*head, *tail))) + 120
    kept: list[str] = []
    for line in reversed(lines):
        shown = _line(line, 300)
        fixed += utf16(shown) + 1
        if fixed > MOST_UNITS:
            break
        kept.append(shown)
    body: list[str] = []
    if kept:
        left_out = len(lines) - len(kept)
        note = f"{left_out} earlier lines left out" if left_out else ""
        heading = " – ".join(part for part in (f"<b>{title}</b>" if title else "", note) if part)
        body = [*([heading] if heading else []), "<pre>" + "\n".join(reversed(kept)) + "</pre>"]
    return _cut("\n".join((*head, *body, *tail)))


def _line(text: str, most: int) -> str:
    """One line of at most `most` signs, escaped."""
    flat = " ".join(text.split())
    return escape(flat if len(flat) <= most else flat[: most - 1] + "…", quote=False)


def _names(names: Iterable[str]) -> str:
    found = list(names)
    more = len(found) - _NAMES
    return ", ".join(found[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _cut(html: str) -> str:
    """`html` where it fits, else its plain text as far as that fits: half a tag would be refused."""
    if utf16(html) <= MOST_UNITS:
        return html
    text = plain(html)
    while utf16(escape(text, quote=False)) > MOST_UNITS - 2:
        text = text[: len(text) * 9 // 10]
    return escape(text, quote=False) + "…"


def incident_document(incident: Incident, *, is_open: bool) -> dict[str, object]:
    """An incident for a program that is told of it."""
    return {
        "key": incident.key,
        "kind": incident.kind.value,
        "title": incident.title,
        "host": incident.host,
        "since": incident.since,
        "units": list(incident.units),
        "why": incident.why,
        "open": is_open,
        "runbook": f"{RUNBOOK}#{incident.kind}",
    }
