"""The simulated market: the same for one seed, believable in numbers, and true to its own truth as days pass."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from random import Random

import pytest

from tests.sim import Market, Rates
from tests.sim.market import FEW_SYSTEMS, LARGEST_BOARD, board_sizes
from tests.sim.pay import Pay, pay_sentence
from tests.sim.systems import SYSTEMS
from tests.sim.wire import Call


@pytest.fixture(scope="module")
def market() -> Market:
    return Market()


def test_the_same_seed_gives_the_same_market() -> None:
    first, second = (
        Market(seed=5, companies=8, postings=60, systems=FEW_SYSTEMS),
        Market(seed=5, companies=8, postings=60, systems=FEW_SYSTEMS),
    )
    for market in (first, second):
        market.go_to(3)
    assert first.history == second.history
    assert list(first.truth()) == list(second.truth())
    for board in first.boards:
        system, call = SYSTEMS[board.source], _list_call(board.source, board.tenant)
        assert first.answer(system, call, "all").body == second.answer(system, call, "all").body


def test_another_seed_gives_another_market() -> None:
    first, second = (
        Market(seed=5, companies=8, postings=60, systems=FEW_SYSTEMS),
        Market(seed=6, companies=8, postings=60, systems=FEW_SYSTEMS),
    )
    assert {row["title"] for row in first.truth()} != {row["title"] for row in second.truth()}


def test_another_first_day_moves_only_the_dates() -> None:
    first = Market(companies=5, postings=20, systems=FEW_SYSTEMS)
    second = Market(companies=5, postings=20, start=date(2027, 3, 1), systems=FEW_SYSTEMS)
    assert list(first.truth()) == list(second.truth())
    ages = {second.posting(key).published - first.posting(key).published for key in first.open_keys()}
    assert ages == {date(2027, 3, 1) - first.start}


def test_defaults_have_the_promised_mix(market: Market) -> None:
    rows = list(market.truth())
    assert len(rows) == 3_000
    assert len(market.boards) == 60
    assert Counter(row["language"] for row in rows) == {"de": 1_500, "en": 1_500}
    assert len({row["occupation"] for row in rows}) >= 25
    assert {row["country"] for row in rows} == {"DE", "AT", "CH"}
    assert {row["source"] for row in rows} == set(SYSTEMS)
    stated = sum(row["salary"] is not None for row in rows) / len(rows)
    assert 0.42 < stated < 0.58
    assert len({(row["source"], row["tenant"]) for row in rows}) == 60
    assert len({(row["source"], row["external_id"]) for row in rows}) == 3_000


def test_texts_have_a_believable_length_and_differ(market: Market) -> None:
    keys = sorted(market.open_keys())[::7]
    texts = ["\n".join(part.plain() for part in market.posting(key).sections()) for key in keys]
    counts = [len(text.split()) for text in texts]
    assert min(counts) >= 200
    assert max(counts) <= 900
    assert max(counts) - min(counts) > 300
    assert len(set(texts)) == len(texts)
    assert not re.search(r"[{}]", "".join(texts)), "a slot was left unfilled"


def test_texts_say_what_the_truth_says(market: Market) -> None:
    words = {
        ("de", "part_time"): "Teilzeit",
        ("en", "part_time"): "part-time",
        ("de", "temporary"): "efristet",
        ("de", "internship"): "Praktikum",
        ("en", "internship"): "internship",
    }
    seen = Counter[str]()
    for key in sorted(market.open_keys())[::5]:
        posting = market.posting(key)
        text = "\n".join(part.plain() for part in posting.sections())
        if word := words.get((posting.language, posting.employment)):
            assert word in text
        if posting.remote in ("remote", "hybrid"):
            assert re.search(r"home|remote|mobil|hybrid|von zu hause", text, re.IGNORECASE)
        place = posting.city.english if posting.language == "en" else posting.city.name
        assert place in text or posting.remote is not None or posting.city.name in text
        if posting.pay:
            digits = re.sub(r"(?<=\d)[.,'’ ](?=\d{3}\b)", "", text).replace(",", ".")
            assert f"{posting.pay.min:.2f}" in digits or f"{posting.pay.min:.0f}" in digits
            seen[posting.pay.period] += 1
    assert set(seen) == {"year", "month", "hour"}


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize(
    ("pay", "country", "amounts"),
    [
        (Pay(55_000, 65_000, "EUR", "year"), "DE", ("55", "65")),
        (Pay(18.5, None, "EUR", "hour"), "DE", ("18",)),
        (Pay(95_000, 110_000, "CHF", "year"), "CH", ("CHF", "95", "110")),
        (Pay(3_200, None, "EUR", "month"), "AT", ("14", "200")),
        (Pay(900, 1_400, "CHF", "month"), "CH", ("CHF", "900", "400")),
    ],
)
def test_pay_is_said_in_words(pay: Pay, country: str, amounts: tuple[str, ...], language: str) -> None:
    said = {pay_sentence(pay, country, language, Random(seed)) for seed in range(40)}
    assert len(said) > 2
    assert all(amount in sentence for amount in amounts for sentence in said)
    if pay.currency == "CHF":
        assert not any("€" in sentence or "EUR" in sentence for sentence in said)


def test_days_change_the_market_as_they_say() -> None:
    market = Market(companies=20, postings=400, rates=Rates(0.05, 0.05, 0.05, 0.5, 0.1), systems=FEW_SYSTEMS)
    for _ in range(4):
        before = {key: market.posting(key) for key in market.open_keys()}
        changes = market.advance()
        after = market.open_keys()
        assert after == (before.keys() - set(changes.closed)) | set(changes.new) | set(changes.reopened)
        assert not before.keys() & set(changes.new)
        assert not set(changes.reopened) & before.keys()
        assert len(changes.new) == len(changes.closed) == round(0.05 * len(before))
        for key in before.keys() & after:
            assert (market.posting(key) != before[key]) == (key in changes.edited)
    assert any(changes.reopened for changes in market.history)


def test_an_edit_changes_the_pay_or_the_text() -> None:
    market = Market(companies=20, postings=400, rates=Rates(0, 0.5, 0, 0, 0), systems=FEW_SYSTEMS)
    before = {key: market.posting(key) for key in market.open_keys()}
    kinds = Counter[str]()
    for key in market.advance().edited:
        after = market.posting(key)
        kinds[after.edits[-1]] += 1
        changed = after.pay != before[key].pay if after.edits[-1] == "salary" else None
        assert after.sections() != before[key].sections()
        assert after.title == before[key].title
        assert changed is not False
    assert set(kinds) == {"salary", "text"}


def test_only_boards_with_changes_get_new_answers() -> None:
    market = Market(companies=20, postings=400, rates=Rates(0.005, 0.005, 0.005, 0, 0), systems=FEW_SYSTEMS)
    calls = [(SYSTEMS[board.source], _list_call(board.source, board.tenant)) for board in market.boards]
    before = [market.answer(system, call, "all") for system, call in calls]
    market.advance()
    after = [market.answer(system, call, "all") for system, call in calls]
    kept = sum(old is new for old, new in zip(before, after, strict=True))
    assert 10 <= kept < 20


def test_going_back_is_refused(market: Market) -> None:
    with pytest.raises(ValueError, match="is over"):
        market.go_to(-1)


@pytest.mark.parametrize(("boards", "postings"), [(1, 1), (60, 3_000), (3, 9_000), (2_000, 100_000), (10, 4)])
def test_board_sizes_add_up(boards: int, postings: int) -> None:
    sizes = board_sizes(boards, postings)
    assert len(sizes) == boards
    assert sum(sizes) == postings
    assert max(sizes) <= max(LARGEST_BOARD, -(-postings // boards))
    assert min(sizes) >= 0


def test_many_companies_have_different_names_and_tokens() -> None:
    market = Market(companies=2_000, postings=2_000, systems=FEW_SYSTEMS)
    assert len({board.company.name for board in market.boards}) == 2_000
    assert len({(board.source, board.tenant.casefold()) for board in market.boards}) == 2_000


def test_the_cache_stays_in_its_bounds() -> None:
    market = Market(companies=10, postings=100, cache_bytes=50_000, systems=FEW_SYSTEMS)
    for board in market.boards * 2:
        market.answer(SYSTEMS[board.source], _list_call(board.source, board.tenant), "all")
    assert 0 < sum(len(answer.body) for answer in market._cache.values()) <= 400_000
    assert len(market._cache) < 10


def _list_call(source: str, tenant: str) -> Call:
    arguments = {
        "greenhouse": (0, True),
        "lever": (0, tenant.endswith("-eu"), 1_000, True),
        "ashby": (True,),
        "personio": ("de",),
        "smartrecruiters": (0, 100),
    }
    return Call("list", tenant, arguments[source])
