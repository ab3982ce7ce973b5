"""What may be asked of a provider: the form of each parameter, looked at before a credit is set aside."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from lib.errors import Refused
from lib.net.egress import check_url
from lib.net.policy import WEB_PORTS, FetchPolicy

_PUBLIC = FetchPolicy(contact="none")
# Names of private networks: RFC 6761, 6762 (appendix G) and 8375, and that of clusters.
_INSIDE = (
    ".local", ".localhost", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".arpa", ".svc",
)  # fmt: skip

Parameters: TypeAlias = Mapping[str, str]


class BadParameters(ValueError):
    """These parameters are not those of the operation; the message says why, and repeats nothing of them."""


@dataclass(frozen=True)
class Rule:
    """What one parameter may be. `check` raises ValueError with what is wrong."""

    longest: int = 200
    needed: bool = False
    check: Callable[[str], object] = str


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message of a conversation with a language model."""

    role: Literal["system", "user", "assistant"]
    content: str


def messages(text: str) -> list[Said]:
    """The conversation in `text`, of 1 to 50 messages. Raises ValueError."""
    try:
        found = msgspec.json.decode(text, type=list[Said])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("a JSON list of messages with role and content is expected") from error
    if not 1 <= len(found) <= 50:
        raise ValueError("1 to 50 messages are expected")
    return found


def one_of(*values: str) -> Callable[[str], object]:
    """A check for these values."""

    def check(value: str) -> None:
        if value not in values:
            raise ValueError(f"one of {', '.join(values)} expected")

    return check


def form(pattern: str, example: str) -> Callable[[str], object]:
    """A check for texts of this ASCII pattern, such as `example`."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> None:
        if not compiled.fullmatch(value):
            raise ValueError(f"something like {example} expected")

    return check


def whole(least: int, most: int) -> Callable[[str], object]:
    """A check for whole numbers from `least` to `most`."""

    def check(value: str) -> None:
        if not re.fullmatch(r"\d{1,6}", value, re.ASCII) or not least <= int(value) <= most:
            raise ValueError(f"a whole number from {least} to {most} expected")

    return check


def public_page(url: str) -> str:
    """The address of a page that anybody can see, as it was understood: no other reading of it reaches the provider,
    who must not be made to look at its own inside, nor be told of ours. Raises ValueError."""
    try:
        page = check_url(url, _PUBLIC)
    except Refused as error:
        raise ValueError("the address of a public web page is expected") from error
    bare = (page.host or "").rstrip(".").lower()
    inside = ":" not in bare and ("." not in bare or bare.endswith(_INSIDE))
    if inside or page.port not in WEB_PORTS:
        raise ValueError("the address of a public web page is expected")
    return str(page)
