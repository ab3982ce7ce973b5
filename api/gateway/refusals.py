"""Why nothing is handed out, and what callers are told: a status, a word, and when to come back.

402 budget      the month's credits are spent           403 share     the account's share of them is
403 free        a free account never spends             404 unknown   no such provider or operation
409 taken       the request id stands for another call  422 invalid   these are not the operation's parameters
429 busy        the provider's places are taken, its rate is used up, or the same is being bought: Retry-After says when
502 provider    the provider was asked in vain (`status`: its own), or is not set up
502 lost        this call was paid for, and its answer never came or was not kept: it is not bought again
502 shut        the operation cost more than declared, and waits for an operator
503 resting     the provider failed too often in a row: Retry-After says when it is tried again
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from api.gateway.upstream import Answer
from lib.errors import RateLimited, VakanzError
from lib.net.politeness import Resting
from lib.spend.budget import NotGranted, ShareSpent, Shut, Spent

Word: TypeAlias = Literal[
    "budget", "share", "free", "unknown", "taken", "invalid", "busy", "provider", "lost", "shut", "resting"
]
_SOON_S = 1.0
_BUSY: Word = "busy"
_RESTING: Word = "resting"


class NotBought(VakanzError):
    """`status`: the gateway's; `theirs`: the provider's, None where it gave none; `paid`: credits that were spent all
    the same."""

    def __init__(
        self,
        status: int,
        word: Word,
        detail: str,
        *,
        retry_after_s: float | None = None,
        theirs: int | None = None,
        paid: int = 0,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.word = word
        self.retry_after_s = retry_after_s
        self.theirs = theirs
        self.paid = paid


_LEDGER: Mapping[type[NotGranted], tuple[int, Word]] = {
    Spent: (402, "budget"),
    ShareSpent: (403, "share"),
    Shut: (502, "shut"),
}


def of_ledger(error: NotGranted) -> NotBought:
    """The ledger's refusal."""
    status, word = next((told for kind, told in _LEDGER.items() if isinstance(error, kind)), (429, _BUSY))
    return NotBought(status, word, str(error), retry_after_s=error.retry_after_s)


def of_pace(error: RateLimited, now: datetime) -> NotBought:
    """The refusal of the provider's pace, or of its breaker."""
    status, word = (503, _RESTING) if isinstance(error, Resting) else (429, _BUSY)
    wait_s = (error.retry_at - now.astimezone(UTC)).total_seconds()
    return NotBought(status, word, str(error), retry_after_s=max(_SOON_S, wait_s))


def of_answer(answer: Answer, paid: int) -> NotBought:
    """What the provider's failure means for callers. `paid`: credits that it cost, or is presumed to have."""
    outcome, theirs = answer.meaning.outcome, answer.status
    if outcome == "busy":
        return NotBought(429, "busy", "the provider is busy", retry_after_s=max(_SOON_S, answer.pause_s), theirs=theirs)
    if paid:
        detail = f"the provider may have charged for an answer that never came: {outcome}"
        return NotBought(502, "lost", detail, theirs=theirs, paid=paid)
    return NotBought(502, "provider", f"the provider was asked in vain: {outcome}", theirs=theirs)
