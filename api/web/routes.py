"""Which address shows which page, and who may open it."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from api.room import PAGE_PATHS, SIGN_IN
from api.web import account, application, assets, posting, search, watching

# By canonical path, as the middleware knows them; those for this machine alone stand in LOCAL_PATHS.
OPEN: Final = frozenset({"/static/{name}", SIGN_IN, "/sign-out"})
UNHURRIED: Final = frozenset({"/search", "/s/{id}/events", "/j/{id}/application"})  # they watch their own time
_UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def add_pages(app: web.Application) -> None:
    """Adds all pages to an application."""
    before = set(app.router.resources())
    app.router.add_get("/static/{name}", assets.send)
    app.router.add_get("/", search.show)
    app.router.add_post("/search", search.search)
    app.router.add_get(f"/s/{{id:{_UUID}}}", watching.show)
    app.router.add_get(f"/s/{{id:{_UUID}}}/events", watching.listen)
    app.router.add_get(r"/j/{id:\d{1,18}}", posting.show)
    app.router.add_post(r"/j/{id:\d{1,18}}/application", application.improve)
    app.router.add_get(SIGN_IN, account.show_sign_in)
    app.router.add_post(SIGN_IN, account.sign_in)
    app.router.add_post("/sign-out", account.sign_out)
    app.router.add_get("/account", account.show)
    app.router.add_post("/account/resumes", account.forget_resumes)
    app[PAGE_PATHS] = frozenset(one.canonical for one in app.router.resources() if one not in before)
