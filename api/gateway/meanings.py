"""What providers' answers mean: what they cost, and whether anything can be handed on. Pure.

When a provider says that it failed, it charges nothing: HasData charges successful requests only
(https://docs.hasdata.com/credits-and-concurrency, read 2026-11), providers of language models count the tokens of
answers that they gave. When nothing is known of an answer, the provider may have done its work and charged for it: it
counts in full. So it does after 502 and 504, which servers on the way give when they lost an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from lib.errors import Malformed
from lib.net.breaker import Event
from lib.net.messages import read_json
from lib.spend.sse import Events

Outcome: TypeAlias = Literal[
    "ok", "unmetered", "refused", "denied", "busy", "failed", "lost", "cut", "hung", "unreachable", "unwanted"
]
_MOST_TOKENS = 10_000_000
_NAME = re.compile(r"[!-~]{1,100}")


class Meaning(NamedTuple):
    """`credits`: what it cost, 0 for certainly nothing, None when that is unknown and the most is presumed. `health`:
    what it says about the provider, None for nothing. `provider_id`: what the provider calls the call."""

    outcome: Outcome
    credits: int | None
    health: Event | None
    provider_id: str | None = None

    @property
    def good(self) -> bool:
        """Whether there is an answer to hand on."""
        return self.outcome in ("ok", "unmetered")


CUT = Meaning("cut", None, Event.FAILURE)  # the answer began and ended early, or was none
HUNG = Meaning("hung", None, Event.FAILURE)  # asked, and silent for longer than it may
LOST = Meaning("lost", None, Event.FAILURE)  # asked, and the connection was gone without an answer
UNREACHABLE = Meaning("unreachable", 0, Event.FAILURE)  # never asked: no address, no connection, no certificate
UNWANTED = Meaning("unwanted", 0, None)  # never asked: nobody waits any more


def of_status(status: int) -> Meaning | None:
    """What a status other than 200 means; None for 200, whose body has to be read."""
    if status == 200:
        return None
    if status == 429:
        return Meaning("busy", 0, Event.SUCCESS)
    if status in (401, 402, 403):  # the key, or the credits that were bought of the provider: an operator's matter
        return Meaning("denied", 0, Event.FAILURE)
    if 400 <= status < 500:
        return Meaning("refused", 0, Event.SUCCESS)
    if status in (502, 504):
        return LOST
    if 200 < status < 300:  # done, it says, but this is no answer
        return CUT
    return Meaning("failed", 0, Event.FAILURE)


def hasdata(body: bytes, cost: int) -> Meaning:
    """HasData's answer with status 200: only `requestMetadata.status` says whether it worked."""
    try:
        about = read_json(body)["requestMetadata"]
        status, name = about["status"], _name(about.get("id"))
    except (Malformed, TypeError, KeyError, AttributeError):
        return CUT
    if status == "ok":
        return Meaning("ok", cost, Event.SUCCESS, name)
    return Meaning("failed", 0, Event.FAILURE, name)


def llm(body: bytes, credits_for: Callable[[int], int]) -> Meaning:
    """A stream of chat completions: the last chunk with `usage` counts; without one the stream's own end does."""
    tokens: int | None = None
    name: str | None = None
    ended = False
    try:
        for event in Events().feed(body):
            if event.data == "[DONE]":
                ended = True
            elif isinstance(chunk := orjson.loads(event.data), dict):
                tokens = _tokens(chunk.get("usage"), tokens)
                name = name or _name(chunk.get("id"))
    except (ValueError, Malformed):
        return CUT
    if tokens is not None:
        return Meaning("ok", credits_for(tokens), Event.SUCCESS, name)
    return Meaning("unmetered", None, Event.SUCCESS, name) if ended else CUT


def _tokens(usage: Any, before: int | None) -> int | None:
    if not isinstance(usage, dict):
        return before
    asked, answered = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if (
        type(asked) is not int
        or type(answered) is not int
        or not 0 <= min(asked, answered) <= max(asked, answered) <= _MOST_TOKENS
    ):
        return before
    return asked + answered


def _name(given: Any) -> str | None:
    return given if isinstance(given, str) and _NAME.fullmatch(given) else None
