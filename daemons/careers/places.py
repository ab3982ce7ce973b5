"""Towns that an ad may mean, looked up before they are believed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import anyio.to_thread
import msgspec

from lib.posting.contract import Posting
from lib.posting.values import any_remote
from lib.text.gazetteer import HOME_COUNTRIES, Place, fold, load_gazetteer

_MAX_HINTS = 40
_LARGE = 300_000  # people; a smaller town abroad may be any word
_WORDS = frozenset({"ort", "markt", "haus", "stelle"})  # towns as well, but not at the top of an ad
_JOINTS = re.compile(r"\s*(?:[/,;|+&]|\b(?:oder|und|or|and|bzw\.)(?!\w))\s*")
_POSTCODE = re.compile(r"(?<!\w)(?:(?:D|A|CH)[- ])?\d{4,5} ")


async def looked_up(posting: Posting, hints: Sequence[str]) -> Posting:
    """The posting with the first of `hints` that names a town, in its own words, if it names no place itself."""
    if posting.places or not hints:
        return posting
    # In a thread: reading the list of all towns for the first time takes more than a second.
    place = await anyio.to_thread.run_sync(first_town, tuple(hints))
    return posting if place is None else msgspec.structs.replace(posting, places=(place,))


def first_town(hints: Sequence[str]) -> str | None:
    """The first hint that is made of towns only, such as "35032 Marburg" or "Köln oder Remote", as it is written."""
    return next((hint for hint in hints[:_MAX_HINTS] if len(hint) <= 80 and _are_towns(hint)), None)


def _are_towns(text: str) -> bool:
    parts = [part.strip() for part in _JOINTS.split(_POSTCODE.sub("", text)) if part.strip()]
    towns = [part for part in parts if any(_is_known(town) for town, _ in load_gazetteer().cities(fold(part)))]
    return bool(towns) and text.casefold() not in _WORDS and all(part in towns or any_remote([part]) for part in parts)


def _is_known(town: Place) -> bool:
    return town.country in HOME_COUNTRIES or town.population >= _LARGE
