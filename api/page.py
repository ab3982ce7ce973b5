"""The index page: what there is, and a form that shows matches with their reasons. Plain HTML, no script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from api.matching import find
from api.room import CONFIG, DATABASE
from lib.match.answer import Answer, Match
from lib.match.profile import Profile, UnusableProfile
from sql import statements

_SQL = statements("api")
_COUNTRIES = ("DE", "AT", "CH")


@cache
def _template() -> Template:
    return Template(files("api").joinpath("web", "index.html").read_text(encoding="utf-8"))


async def show(request: web.Request) -> web.Response:
    """GET /."""
    return await _page(request, "", "", "")


async def search(request: web.Request) -> web.Response:
    """POST / with the form's fields `text` and `country`."""
    try:
        form = await request.post()
    except (ValueError, LookupError) as error:  # no boundary, a broken part, an encoding that does not exist
        raise web.HTTPBadRequest(text="the form cannot be read") from error
    text, country = (str(form.get(name, "")) for name in ("text", "country"))
    limits = {"countries": [country]} if country else {}
    try:
        answer = await find(request, msgspec.convert({"text": text, "limits": limits}, Profile))
    except (UnusableProfile, msgspec.ValidationError) as error:
        return await _page(request, text, country, f"<p class='problem'>{_safe(str(error))}</p>")
    return await _page(request, text, country, _results(answer))


async def _page(request: web.Request, text: str, country: str, results: str) -> web.Response:
    seen_after = datetime.now(UTC) - timedelta(days=request.app[CONFIG].expire_days)
    counts = await request.app[DATABASE].fetchrow(_SQL.market_counts, seen_after)
    body = _template().substitute(
        text=_safe(text),
        countries="".join(_option(code, code == country) for code in _COUNTRIES),
        results=results,
        **{name: f"{count:,}" for name, count in dict(counts or {}).items()},
    )
    return web.Response(text=body, content_type="text/html")


def _option(code: str, chosen: bool) -> str:
    return f"<option{' selected' if chosen else ''}>{code}</option>"


def _results(answer: Answer) -> str:
    if not answer.matches:
        return "<p>Nothing matches yet.</p>"
    note = f"<p class='note'>{answer.candidates:,} compared in {answer.took_ms:.0f} ms</p>"
    return note + "<ol>" + "".join(map(_result, answer.matches)) + "</ol>"


def _result(match: Match) -> str:
    where = " · ".join(_safe(part) for part in (match.company, match.city, match.country) if part)
    title = _safe(match.title)
    if urlsplit(match.url).scheme in ("http", "https"):  # a board may state anything, scripts too
        title = f'<a rel="noreferrer nofollow" href="{_safe(match.url)}">{title}</a>'
    why = "".join(f'<li title="{_safe(reason.evidence)}">{_safe(reason.text)}</li>' for reason in match.reasons)
    return f"<li><b>{match.score:.0f}</b> <strong>{title}</strong><br><span>{where}</span><ul>{why}</ul></li>"


def _safe(text: str) -> str:
    return escape(text.encode("utf-8", "replace").decode())
