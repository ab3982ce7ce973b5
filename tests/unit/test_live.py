"""When a search goes on live."""

from __future__ import annotations

import pytest

from lib.match.live import WHYS, Thresholds, decide, explain, needs_discovery

USUAL = Thresholds(60, 100)


@pytest.mark.parametrize(
    ("best", "found", "needed"),
    [
        (None, 0, True),
        (59.99, 99, True),
        (0.0, 0, True),
        (60.0, 0, False),
        (59.99, 100, False),
        (60.0, 100, False),
        (100.0, 5, False),
        (10.0, 600, False),
    ],
)
def test_discovery_needs_a_poor_best_score_and_few_matches(best: float | None, found: int, needed: bool) -> None:
    assert needs_discovery(best, found, USUAL) is needed


@pytest.mark.parametrize(
    ("needed", "may_spend", "gateway", "spent", "live"),
    [
        (False, True, True, False, ("not_needed", None)),
        (False, False, False, True, ("not_needed", None)),
        (True, False, True, False, ("unavailable", "tier")),
        (True, False, False, True, ("unavailable", "tier")),
        (True, True, False, True, ("unavailable", "gateway")),
        (True, True, True, True, ("unavailable", "budget")),
        (True, True, True, False, ("running", None)),
    ],
)
def test_only_who_may_spend_goes_on(
    needed: bool, may_spend: bool, gateway: bool, spent: bool, live: tuple[str, str | None]
) -> None:
    assert decide(needed, may_spend=may_spend, gateway=gateway, spent=spent) == live


def test_every_why_has_a_sentence_in_both_languages() -> None:
    for why in WHYS:
        assert explain(why, "de") != explain(why, "en")
    assert explain("something else", "de") == "something else"
