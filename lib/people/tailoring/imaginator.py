"""The Imaginator: a résumé and a posting go in, suggestions come out one by one while a model writes them.

The model is behind the gateway, which holds its key and counts what it costs. Where none is to be had, the analysis
answers alone, and says so.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import date

import anyio.to_thread

from lib.people.tailoring.asking import MAX_TOKENS, Answer, Written, messages, piece_of
from lib.people.tailoring.demands import Posting, analyse
from lib.people.tailoring.letters import letter
from lib.people.tailoring.proof import Closeness, prove
from lib.people.tailoring.quoting import Source
from lib.people.tailoring.suggestions import Claim, Demand, Dropped, Part, Suggestions, Tongue
from lib.people.tailoring.whys import WHYS
from lib.spend.client import CachedOnly, Gateway

_MOST: dict[Part, int] = {"summary": 5, "letter": 10, "highlight": 8}
_MOST_DROPPED = 40
Step = Demand | Claim | Dropped | Suggestions


@dataclass(frozen=True, kw_only=True)
class Application:
    """What is to be tailored. `closeness`: set where résumé and suggestions are in different languages.

    `mark`: random letters; `request_id`: what is bought under it is bought once; both are new for every application.
    """

    posting: Posting
    resume: str
    language: Tongue
    account_id: int
    request_id: str
    mark: str
    today: date
    closeness: Closeness | None = None


@dataclass
class _Draft:
    """What is there so far."""

    claims: dict[Part, list[Claim]] = field(default_factory=lambda: {"summary": [], "letter": [], "highlight": []})
    dropped: list[Dropped] = field(default_factory=list)

    def add(self, found: Claim | Dropped) -> bool:
        """Keeps it, unless it says the same again or there are enough."""
        if isinstance(found, Dropped):
            self.dropped.append(found)
            return len(self.dropped) <= _MOST_DROPPED
        told = self.claims[found.part]
        if len(told) >= _MOST[found.part] or any(found.text == one.text for one in told):
            return False
        told.append(found)
        return True


@dataclass
class _Course:
    """How asking the model went. `why`: what went wrong, None when nothing did."""

    why: str | None = None
    credits: int | None = 0


async def tailor(application: Application, gateway: Gateway | None) -> AsyncGenerator[Step, None]:
    """What the posting asks for first, then each suggestion as it is proven or dropped, at last all of them together.

    Never fails for want of a model: then the analysis is the answer. Raises BadCall.
    """
    resume = Source(application.resume)
    demands = await anyio.to_thread.run_sync(analyse, application.posting, resume, application.today)
    for demand in demands:
        yield demand
    draft, course = _Draft(), _Course()
    if gateway is None:
        course.why = WHYS["unset"]["en"]
    else:
        async with aclosing(_written(application, gateway, course)) as sentences:
            async for one in sentences:
                found = await anyio.to_thread.run_sync(
                    prove, one.part, one.text, one.evidence, resume, application.closeness
                )
                if draft.add(found):
                    yield found
    yield _together(application, demands, draft, course)


async def _written(application: Application, gateway: Gateway, course: _Course) -> AsyncGenerator[Written, None]:
    """The model's sentences while they come; `course` tells afterwards how it went."""
    answer = Answer()
    parameters = {
        "messages": messages(application.posting, application.resume, application.language, application.mark),
        "max_tokens": str(MAX_TOKENS),
    }
    try:
        async with gateway.stream(
            "llm", "chat", parameters, account_id=application.account_id, request_id=application.request_id
        ) as flow:
            course.credits = None
            async for event in flow:
                for written in answer.feed(piece_of(event)):
                    yield written
            course.credits = flow.credits
    except CachedOnly as error:
        course.why = WHYS[error.why if course.credits == 0 else "cut"]["en"]


def _together(application: Application, demands: Sequence[Demand], draft: _Draft, course: _Course) -> Suggestions:
    claims = draft.claims
    proven = any(claims.values())
    why = course.why
    if not proven and why is None:
        why = WHYS["unproven"]["en"]
    return Suggestions(
        made_by="model" if proven else "analysis",
        why=why,
        language=application.language,
        summary=tuple(claims["summary"]),
        letter=letter(application.posting, claims["letter"], application.language),
        highlights=tuple(claims["highlight"]) or _shown(demands),
        demands=tuple(demands),
        gaps=tuple(demand for demand in demands if not demand.met),
        dropped=tuple(draft.dropped[:_MOST_DROPPED]),
        credits_used=course.credits,
    )


def _shown(demands: Sequence[Demand]) -> tuple[Claim, ...]:
    """The résumé's own sentences that meet demands."""
    sentences = dict.fromkeys(one for demand in demands if demand.met for one in demand.evidence[:1])
    return tuple(Claim("highlight", one.sentence, (one,)) for one in sentences)[: _MOST["highlight"]]
