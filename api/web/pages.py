"""How a page is written: its template, its language, and what every page knows. Failures are pages, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs, web
from yarl import URL

from api.callers import NOBODY
from api.room import CALLER, PAGE_PATHS, SESSION, SIGN_IN
from api.web import assets
from api.web.words import TONGUES, Tongue, Words, negotiate, words
from lib.match.answer import Match
from lib.match.live import explain
from lib.people.tailoring import whys

if TYPE_CHECKING:
    from jinja2 import Environment

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LANGUAGE_COOKIE = "vakanz_language"
_YEAR_S = 365 * 86_400
_TELLING = {401: "expired", 403: "forbidden", 404: "missing", 405: "missing", 429: "busy", 503: "busy"}


@cache
def _environment() -> Environment:
    """Made for the first page: an idle API carries no templates."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("api.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = points
    return environment


def points(match: Match) -> list[tuple[str, float, str]]:
    """The parts of a score that brought points, most first: name, points, evidence."""
    evidence = {reason.part: reason.evidence for reason in match.reasons}
    best_first = sorted(match.parts.items(), key=lambda part: -part[1])
    return [(part, number, evidence.get(part, "")) for part, number in best_first if number > 0]


def words_of(request: web.Request) -> Words:
    """The language of whoever asks: chosen in the address, chosen before, or liked by the browser."""
    for chosen in (request.query.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        for tongue in TONGUES:
            if chosen == tongue:
                return words(tongue)
    return words(negotiate(request.headers.get("Accept-Language", "")))


def fragment(request: web.Request, template: str, **values: Any) -> str:
    """A template with what every page knows."""
    said, session = words_of(request), request.get(SESSION)
    shared = {
        "t": said,
        "now": datetime.now(UTC),
        "caller": request.get(CALLER, NOBODY),
        "session": session,
        "csrf": session.csrf if session is not None else "",
        "asset": assets.address,
        "why": lambda word: explain(word, said.tongue) if word else None,
        "unwritten": lambda reason: whys.explain(reason, said.tongue),
        "switch": _in_other_tongue(request, said.tongue),
    }
    text = _environment().get_template(template).render(shared | values)
    return text.encode("utf-8", "replace").decode()


def render(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
    """A whole page; a language that the address chose is remembered."""
    response = web.Response(text=fragment(request, template, **values), status=status, content_type="text/html")
    response.headers["Content-Language"] = words_of(request).tongue
    response.headers["Vary"] = "Accept-Language, Cookie"
    chosen = request.query.get("lang")
    if chosen in TONGUES:
        response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=_YEAR_S, httponly=True, samesite="Lax")
    return response


@web.middleware
async def readable(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Shows people in words what went wrong with a page; programs, and whoever asks for no page, get a Problem."""
    response = await handler(request)
    if response.status < HTTPStatus.BAD_REQUEST or response.content_type != "application/json":
        return response
    if "text/html" not in request.headers.get(hdrs.ACCEPT, "") or not _is_page(request):
        return response
    shown = failure(request, response.status, _TELLING.get(response.status, "other"))
    if hdrs.RETRY_AFTER in response.headers:
        shown.headers[hdrs.RETRY_AFTER] = response.headers[hdrs.RETRY_AFTER]
    return shown


def _is_page(request: web.Request) -> bool:
    """Whether a page was asked for, or something that nobody knows."""
    resource = request.match_info.route.resource
    return resource is None or resource.canonical in request.app[PAGE_PATHS]


def failure(request: web.Request, status: int, key: str, **values: Any) -> web.Response:
    """What went wrong, as a page, or as the piece of one that htmx asked for."""
    partial = request.headers.get("HX-Request-Type") == "partial"
    template = "refused.html" if partial else "problem.html"
    sign_in = _sign_in(request) if status == HTTPStatus.UNAUTHORIZED else None
    return render(request, template, status, message=words_of(request)(f"problem.{key}", **values), sign_in=sign_in)


def _sign_in(request: web.Request) -> str:
    """Where to sign in and come back to the page that a form stands on."""
    shown = request.path.removesuffix("/application") if request.path.startswith("/j/") else "/"
    return str(URL(SIGN_IN).with_query(next=shown))


def _in_other_tongue(request: web.Request, tongue: Tongue) -> str | None:
    """The address of the same page in the other language; None for what was sent by a form."""
    other = next(one for one in TONGUES if one != tongue)
    return str(request.rel_url.update_query(lang=other)) if request.method == "GET" else None
