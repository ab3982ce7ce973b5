"""The score: it adds up, thin postings gain nothing, full texts reorder, copies are proved by their texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.match import rank
from lib.match.candidates import Candidate, looks_exactly
from lib.match.profile import Wanted
from lib.match.rank import SHORTLIST, Scored, copy_suspects, points_per_fit, rerank, unite_copies
from lib.match.reasons import reasons

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SKILLS = ["Java", "SQL", "Excel", "SAP", "Python"]
WANTED = Wanted(
    text="Koch", phrases=("Koch",), skills=frozenset(SKILLS), language="de", seniority="senior",
    place="Bern", country="CH", lat=46.95, lon=7.45, employment="full_time", salary_eur=60_000.0,
)  # fmt: skip


def candidate(**changes: Any) -> Candidate:
    known: dict[str, Any] = {
        "id": 1, "title": "Koch", "company": "Firma", "city": "Bern", "country_code": "CH", "lat": 46.95, "lon": 7.45,
        "language": "de", "remote": None, "employment": "full_time", "salary_min_eur": 55_000.0,
        "salary_max_eur": 65_000.0, "posted_at": NOW, "dated": True, "seniority": "senior", "skills": SKILLS,
        "cosine": 1.0,
    }  # fmt: skip
    return Candidate(**(known | changes))


def score(wanted: Wanted, candidates: list[Candidate], now: datetime) -> list[Scored]:
    return rank.score(wanted, candidates, now).shortlist


UNKNOWN = {
    "company": None, "city": None, "country_code": None, "lat": None, "lon": None, "language": None,
    "employment": None, "salary_min_eur": None, "salary_max_eur": None, "seniority": None, "skills": None,
}  # fmt: skip
CANDIDATES = st.builds(
    candidate,
    id=st.integers(1, 10**6),
    title=st.text(max_size=40),
    cosine=st.floats(-1, 1) | st.just(float("nan")),
    lat=st.none() | st.floats(-90, 90),
    lon=st.none() | st.floats(-180, 180),
    skills=st.none() | st.lists(st.sampled_from(["Java", "SQL", "Go"]), unique=True),
    posted_at=st.integers(-20_000, 20_000).map(lambda days: NOW + timedelta(days=days)),
    salary_max_eur=st.none() | st.floats(0, 1e12),
    country_code=st.sampled_from(["DE", "CH", None]),
    remote=st.sampled_from(["remote", None]),
)


@given(st.lists(CANDIDATES, max_size=20, unique_by=lambda one: one.id), st.booleans())
def test_scores_are_sums_between_0_and_100_best_first(candidates: list[Candidate], bare: bool) -> None:
    wanted = Wanted(text="Koch", phrases=("Koch",)) if bare else WANTED
    ranked = score(wanted, candidates, NOW)
    assert {one.candidate.id for one in ranked} == {one.id for one in candidates}
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    for one in ranked:
        assert 0 <= one.score <= 100.05
        assert one.score == pytest.approx(sum(one.points.values()), abs=0.01)
        assert reasons(wanted, one, NOW)
    assert [one.score for one in score(wanted, list(reversed(candidates)), NOW)] == [one.score for one in ranked]


def test_a_perfect_posting_scores_100_and_an_empty_one_little() -> None:
    assert score(WANTED, [candidate()], NOW)[0].score == pytest.approx(100, abs=0.1)
    assert score(WANTED, [candidate(title="?", cosine=0.0, **UNKNOWN)], NOW)[0].score < 30


def test_what_reaches_the_least_score_is_counted_beyond_the_shortlist() -> None:
    many = [candidate(id=number, cosine=number / 400) for number in range(1, 301)]
    ranking = rank.score(Wanted(text="x", phrases=("Bäcker",)), many, NOW)
    scores = [one.score for one in ranking.shortlist] + ranking.others.tolist()
    assert (len(ranking.shortlist), len(scores)) == (SHORTLIST, 300)
    assert scores == sorted(scores, reverse=True)
    shown = unite_copies(ranking.shortlist, {})
    for least in (0.0, scores[50], scores[200], 100.1):
        assert ranking.found(shown, least) == sum(score >= least for score in scores)


def test_features_and_meaning_weigh_seven_to_three() -> None:
    weights = points_per_fit(["title", "freshness"])
    assert weights["semantic"] == 30
    assert sum(weights.values()) == pytest.approx(100)


def test_the_very_words_come_before_other_names_of_the_same_occupation() -> None:
    wanted = Wanted(text="x", phrases=("Lagerleiter",))
    same = [candidate(id=number, title="?", cosine=cosine) for number, cosine in ((1, 0.8), (2, 1.0), (3, 0.3))]
    ranked = score(wanted, same, NOW)
    assert [one.candidate.id for one in ranked] == [2, 1, 3]
    assert ranked[0].score - ranked[1].score < 5 < ranked[1].score - ranked[2].score


def test_covering_all_of_a_thin_posting_is_no_achievement() -> None:
    wanted = Wanted(text="x", phrases=("Koch",), skills=frozenset("abcdef"))
    thin, rich = candidate(id=1, skills=["a"]), candidate(id=2, skills=list("abcdeuvwxy"))
    assert [one.candidate.id for one in score(wanted, [thin, rich], NOW)] == [2, 1]


def test_seniority_counts_only_where_the_profile_states_one() -> None:
    fits = score(Wanted(text="x", phrases=("Koch",)), [candidate()], NOW)[0].fits
    assert set(fits) == {"title", "freshness", "semantic"}


def test_full_texts_reorder_and_leave_others_alone() -> None:
    candidates = [candidate(id=number, cosine=0.2 + number / 10) for number in range(1, 5)]
    before = score(WANTED, candidates, NOW)
    after = rerank(before, {4: 0.1, 1: 0.9})
    scores = {one.candidate.id: one.score for one in after}
    assert scores[2] == next(one.score for one in before if one.candidate.id == 2)
    assert scores[1] > next(one.score for one in before if one.candidate.id == 1)
    assert scores[4] < next(one.score for one in before if one.candidate.id == 4)
    assert rerank(before, {1: 0.9}) == before
    assert rerank([], {}) == []


def test_copies_need_the_same_company_title_and_text() -> None:
    text = (
        "Sie kochen für Gäste, schreiben Karten, bestellen Waren, prüfen Lieferungen und leiten die Küche an. "
        "Dafür bringen Sie eine Lehre, Erfahrung am Herd, Freude bei der Arbeit mit jungen Menschen sowie Ruhe mit."
    )
    other = "Wir suchen jemanden, der backt und Torten verziert, früh aufsteht und gern im Team arbeitet am Ofen"
    ranked = score(
        WANTED,
        [
            candidate(id=1),
            candidate(id=2, title="Koch (m/w/d)"),
            candidate(id=3, title="KOCH"),
            candidate(id=4, company="Andere"),
            candidate(id=5, company=None),
            candidate(id=6),
        ],
        NOW,
    )
    assert sorted(copy_suspects(ranked)) == [1, 2, 3, 6]
    found = unite_copies(ranked, {1: text, 2: text + " in Bern", 3: other, 4: text, 5: text})
    copies = {one.best.candidate.id: [copy.candidate.id for copy in one.copies] for one in found}
    assert sorted(copies) in ([1, 3, 4, 5, 6], [2, 3, 4, 5, 6])
    assert sorted(copies.get(1, []) + copies.get(2, [])) in ([1], [2])


@pytest.mark.parametrize(
    ("language", "word"), [("de", "Kenntnisse"), (None, "Kenntnisse"), ("en", "skills"), ("fr", "skills")]
)
def test_reasons_speak_the_profiles_language(language: str | None, word: str) -> None:
    wanted = Wanted(text="x", phrases=("Koch",), skills=frozenset({"Java", "Go"}), language=language)
    said = reasons(wanted, score(wanted, [candidate()], NOW)[0], NOW)
    assert any(reason.part == "skills" and word in reason.text and reason.evidence == "Java" for reason in said)


@pytest.mark.parametrize(
    ("changes", "part", "text"),
    [
        ({"title": "Lagerist"}, "title", "Die Stelle entspricht „Lagerist“"),
        ({"title": "Beikoch", "cosine": 0.6}, "title", "Die Stelle ist ähnlich wie „Koch“"),
        ({"skills": ["SQL"]}, "skills", "1 Ihrer 5 Kenntnisse wird genannt: SQL"),
        ({"salary_max_eur": 56_000.0}, "salary", "Das Gehalt kommt Ihrem Wunsch nahe"),
        ({}, "salary", "Das Gehalt erreicht Ihren Wunsch"),
        ({"seniority": "lead"}, "seniority", None),
        ({}, "seniority", "Passende Stufe: Senior"),
        ({"posted_at": NOW - timedelta(minutes=1)}, "freshness", "Gestern ausgeschrieben"),
        ({"posted_at": NOW - timedelta(days=2)}, "freshness", "Seit 2 Tagen ausgeschrieben"),
        ({"posted_at": NOW - timedelta(days=2), "dated": False}, "freshness", "Vor 2 Tagen zuerst gesehen"),
    ],
)
def test_reasons_say_no_more_than_is_true(changes: dict[str, Any], part: str, text: str | None) -> None:
    wanted = msgspec.structs.replace(WANTED, phrases=("Koch", "Lagerist"))
    said = reasons(wanted, score(wanted, [candidate(**changes)], NOW)[0], NOW)
    assert next((reason.text for reason in said if reason.part == part), None) == text


def test_distance_decides_between_places() -> None:
    zurich = candidate(id=1, city="Zürich", lat=47.37, lon=8.54)
    ranked = score(WANTED, [zurich, candidate(id=2)], NOW)
    assert [one.candidate.id for one in ranked] == [2, 1]
    old = candidate(id=3, posted_at=NOW - timedelta(days=60))
    assert score(WANTED, [old], NOW)[0].fits["freshness"] == 0


def test_the_index_is_asked_when_the_limits_keep_much() -> None:
    assert looks_exactly(10_000, 100_000)
    assert looks_exactly(1_000, 1_000)
    assert not looks_exactly(10_000, 20_000)
    assert not looks_exactly(90_000, 100_000)
    assert not looks_exactly(2_000_000, 600_000)
