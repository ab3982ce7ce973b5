"""Towns that an ad may mean, looked up before they are believed."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread
import msgspec

from lib.posting.contract import Posting
from lib.posting.values import any_remote
from lib.text.gazetteer import load_gazetteer
from lib.text.places import resolve


async def looked_up(posting: Posting, hints: Sequence[str]) -> Posting:
    """The posting with the first of `hints` that names a town, in its own words, if it names no place itself."""
    if posting.places or not hints:
        return posting
    # In a thread: reading the list of all towns for the first time takes more than a second.
    place = await anyio.to_thread.run_sync(first_town, tuple(hints))
    return posting if place is None else msgspec.structs.replace(posting, places=(place,))


def first_town(hints: Sequence[str]) -> str | None:
    """The first hint that a town, or work from anywhere, is read in."""
    for hint in hints[:10]:
        if len(hint) > 80:
            continue
        match = resolve(load_gazetteer(), [hint], None)
        if any_remote([hint]) or (match is not None and match.city is not None):
            return hint
    return None
