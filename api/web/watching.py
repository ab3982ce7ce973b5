"""A search that goes on: its page, and the messages that change the page while it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from api import events
from api.searches import newest_answer, own_search
from api.web.pages import fragment, render, words_of
from api.web.seen import recall
from api.web.words import Words
from lib.match.answer import Answer
from lib.match.live import explain
from lib.match.searches import Event


class _Progress(msgspec.Struct, frozen=True):
    """Of a `progress` event, what is shown."""

    phase: str
    credits_used: int
    done: int = 0
    to_do: int = 0


class _Done(msgspec.Struct, frozen=True):
    """Of a `done` event, what is shown."""

    live: str
    why: str | None
    credits_used: int


async def show(request: web.Request) -> web.StreamResponse:
    """GET /s/{id}."""
    search = await own_search(request)
    answer = await recall(request, search.id) if not search.events else None
    answer = answer or await newest_answer(request, search)
    if answer is None:
        return render(request, "gone.html", 410)
    return render(request, "results.html", answer=answer, after=search.events)


async def listen(request: web.Request) -> web.StreamResponse:
    """GET /s/{id}/events: what the search tells after the event `after`, as pieces of its page."""
    given = request.query.get("after", "")
    after = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else 0
    return await events.listen(request, await own_search(request), after, _messages(request))


def _messages(request: web.Request) -> Callable[[Event], bytes]:
    said = words_of(request)

    def message(event: Event) -> bytes:
        html = fragment(request, "told.html", **changes(event, said))
        lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
        # A message without a name is swapped in; one with a name is an event of the page, which ends the stream.
        end = "event: done\ndata:\n\n" if event.kind == "done" else ""
        return f"id: {event.seq}\n{lines}\n{end}".encode()

    return message


def changes(event: Event, said: Words) -> dict[str, Any]:
    """What an event changes: the list, the line about the live search, or both."""
    nothing: dict[str, Any] = {"answer": None, "state": None, "credits": 0, "text": None}
    match event.kind:
        case "matches":
            answer = msgspec.json.decode(event.body, type=Answer)
            return nothing | {"answer": answer}
        case "progress":
            progress = msgspec.json.decode(event.body, type=_Progress)
            text = said("live.discovery")
            if progress.phase == "details":
                text = said("live.details", done=said.number(progress.done), to_do=said.number(progress.to_do))
            return nothing | {"state": "running", "credits": progress.credits_used, "text": text}
        case "done":
            done = msgspec.json.decode(event.body, type=_Done)
            why = explain(done.why, said.tongue) if done.why else None
            return nothing | {"state": done.live, "credits": done.credits_used, "text": why}
