"""Sources in groups of about the same load, so that crawlers on several servers divide them and none asks for all.

A numbered group has its sources by their expected load; a source that is new goes into the lightest one, and nothing
has to be registered. Sources that are asked through proxies (PROXIED_SOURCES) are in no numbered group: the group
`proxied` has them, on the server whose addresses the proxies know. While a source changes its group, claims see to it
that no board is crawled twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from daemons.sources import SOURCES
from lib.life.domains import CRAWL_GROUPS, PROXIED

# Requests for lists a day, in thousands: known boards of the public lists (read 2026-11), times pages, times rounds.
# Where those lists leave out a system, or its German part, it is estimated; all others count as one.
_LOAD: Mapping[str, int] = {
    "join": 94,
    "workday": 60,
    "personio": 30,
    "bamboohr": 23,
    "greenhouse": 20,
    "smartrecruiters": 18,
    "ashby": 11,
    "softgarden": 12,
    "bundesagentur": 10,
    "lever": 9,
    "rexx": 9,
    "workable": 9,
    "onlyfy": 8,
    "rippling": 8,
    "successfactors": 8,
    "breezy": 6,
    "teamtailor": 6,
    "umantis": 6,
    "recruitee": 4,
    "dvinci": 4,
    "oracle_orc": 4,
    "icims": 3,
}


def groups_of(names: Collection[str], load: Mapping[str, int] = _LOAD) -> Mapping[str, tuple[str, ...]]:
    """The sources of every numbered group: heaviest first, each into the group that is lightest so far."""
    groups: dict[str, list[str]] = {str(number): [] for number in range(CRAWL_GROUPS)}
    weights = dict.fromkeys(groups, 0)
    for name in sorted(names, key=lambda name: (-load.get(name, 1), name)):
        lightest = min(weights, key=lambda group: weights[group])
        groups[lightest].append(name)
        weights[lightest] += load.get(name, 1)
    return {group: tuple(sorted(listed)) for group, listed in groups.items()}


GROUPS = groups_of(SOURCES)


def sources_of(groups: Collection[str], proxied: Collection[str]) -> frozenset[str]:
    """What a crawler of these groups asks, where `proxied` sources are asked through proxies."""
    listed = {name for group in groups if group != PROXIED for name in GROUPS[group]}
    return frozenset(listed - set(proxied) | (set(proxied) if PROXIED in groups else set()))
