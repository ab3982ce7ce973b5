"""An improved application for one posting: suggestions that appear while they are made, or at once without scripts."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from aiohttp import hdrs, web

from api.jobs import find_job
from api.room import DATABASE, IMAGINATOR
from api.tailoring import MAX_RESUME_CHARS, Wish, application_of, steps
from api.web.forms import text_of
from api.web.pages import failure, fragment, render, words_of
from api.web.sent import Unsent, read_form
from lib.people.reader import Busy, NoPictures, Unreadable
from lib.people.refusals import explain
from lib.people.tailoring.suggestions import Claim, Demand, Dropped, Letter, Part, Suggestions

if TYPE_CHECKING:
    from lib.people.tailoring.imaginator import Step

_WHOLE_S = 240.0
_WRITE_S = 30.0


class Draft:
    """What was suggested so far, under the names that finished suggestions have."""

    def __init__(self) -> None:
        self.demands: list[Demand] = []
        self.claims: dict[Part, list[Claim]] = {"summary": [], "letter": [], "highlight": []}
        self.dropped: list[Dropped] = []
        self.made_by = "model"
        self.why: str | None = None
        self.letter: Letter | None = None
        self.credits_used: int | None = None

    @property
    def summary(self) -> list[Claim]:
        """Sentences about the person."""
        return self.claims["summary"]

    @property
    def body(self) -> list[Claim]:
        """Sentences of the letter, as long as there is no whole one."""
        return self.claims["letter"]

    @property
    def highlights(self) -> list[Claim]:
        """What to put in front."""
        return self.claims["highlight"]

    @property
    def gaps(self) -> list[Demand]:
        """What the posting asks for and the résumé does not show."""
        return [demand for demand in self.demands if not demand.met]

    def add(self, step: Step) -> None:
        """Takes in one step; the last one, which is all of it, changes nothing."""
        match step:
            case Demand():
                self.demands.append(step)
            case Claim():
                self.claims[step.part].append(step)
            case Dropped():
                self.dropped.append(step)


async def improve(request: web.Request) -> web.StreamResponse:
    """POST /j/{id}/application: the résumé as a file, as text, or the id of one that is kept."""
    said, posting_id = words_of(request), int(request.match_info["id"])
    try:
        async with asyncio.timeout(_WHOLE_S):
            wish = await _wish(request, posting_id)
            if wish is None:
                return failure(request, 422, "no_resume")
            with request.app[IMAGINATOR].place():
                application = await application_of(request, wish)
                if isinstance(application, web.Response):
                    return failure(request, application.status, "no_text")
                async with aclosing(steps(request, application)) as made:
                    if "HX-Request" in request.headers:
                        return await _stream(request, made)
                    whole = [step async for step in made][-1]
    except Unsent:
        return failure(request, 400, "unread")
    except Unreadable as error:
        return failure(request, 422, "resume", detail=explain(str(error), said.tongue))
    except NoPictures:
        return failure(request, 503, "pictures")
    except (Busy, TimeoutError):
        return failure(request, 503, "busy")
    job = await find_job(request.app[DATABASE], posting_id)
    return render(request, "application.html", made=whole, job=job, title=said("tailor.title"))


async def _wish(request: web.Request, posting_id: int) -> Wish | None:
    """What is asked for; None without any résumé."""
    form, resume = await read_form(request)
    kept = text_of(form, "resume_id")
    if resume is None and kept:
        try:
            return Wish(posting_id=posting_id, resume_id=uuid.UUID(kept))
        except ValueError as error:
            raise Unsent from error
    text = (text_of(form, "resume_text") if resume is None else resume.text)[:MAX_RESUME_CHARS]
    return Wish(posting_id=posting_id, resume_text=text) if text else None


async def _stream(request: web.Request, made: AsyncIterator[Step]) -> web.StreamResponse:
    """Each step as the whole of what is there, which takes the place of what was there before."""
    headers = {hdrs.CONTENT_TYPE: "text/event-stream", "Content-Language": words_of(request).tongue}
    response = web.StreamResponse(headers=headers | {"X-Accel-Buffering": "no"})
    draft = Draft()
    with suppress(ConnectionError):  # gone: nobody is left to be told, and the model may stop
        await response.prepare(request)
        async for step in made:
            draft.add(step)
            finished = isinstance(step, Suggestions)
            await _write(request, response, made=step if finished else draft, finished=finished)
        await response.write_eof()
    return response


async def _write(request: web.Request, response: web.StreamResponse, **shown: Any) -> None:
    html = fragment(request, "suggestions.html", **shown)
    lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    async with asyncio.timeout(_WRITE_S):
        await response.write(f"{lines}\n".encode())
