"""Candidates from a real database: hard limits hold, words and meaning both find, the old is not served."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pgvector import HalfVector

from lib.match.answer import Result
from lib.match.candidates import Candidate, find_candidates
from lib.match.matcher import Matcher
from lib.match.profile import Accepted, Limits, Profile, UnusableProfile
from lib.store.connections import Connection, Database
from sql import statements
from tests.integration.open_market import WordVectors, encoders, fill

_SQL = statements("match")
LIMITS = st.builds(
    Limits,
    countries=st.none() | st.lists(st.sampled_from(["DE", "at", "CH", "FR"]), min_size=1, max_size=3).map(tuple),
    languages=st.none() | st.lists(st.sampled_from(["de", "EN", "fr"]), min_size=1, max_size=2).map(tuple),
    remote=st.none() | st.lists(st.sampled_from(["remote", "hybrid", "onsite"]), min_size=1, max_size=2).map(tuple),
    employment=st.none()
    | st.lists(st.sampled_from(["full_time", "part_time", "internship", "freelance"]), min_size=1, max_size=2).map(
        tuple
    ),
    min_salary_eur=st.none() | st.floats(20_000, 130_000),
)


def matcher(database: Database, **changes: Any) -> Matcher:
    return Matcher(database, encoders(), **({"text_model": "builtin", "expire_days": 45, "min_score": 0} | changes))


async def test_hard_limits_are_never_violated(database: Database) -> None:
    rows = {row.id: row for row in await fill(database, 2_000)}
    examples: list[Limits] = []

    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(LIMITS)
    def draw(limits: Limits) -> None:
        examples.append(limits)

    draw()
    some = 0
    for limits in examples:
        answer = await matcher(database).match(Profile(text="Softwareentwickler mit Java und SQL", limits=limits))
        accepted = limits.folded()
        for found in answer.matches:
            row = rows[found.id]
            some += 1
            assert row.state != "closed"
            assert row.last_seen > datetime.now(UTC) - timedelta(days=45)
            assert accepted.countries is None or row.country in accepted.countries
            assert accepted.languages is None or row.language in accepted.languages
            assert accepted.remote is None or row.remote in accepted.remote
            assert accepted.employment is None or row.employment in accepted.employment
            assert accepted.min_salary_eur is None or (row.salary or 0) >= accepted.min_salary_eur - 0.01
    assert some > 100


async def test_limits_hold_where_the_copies_beside_the_vectors_are_stale(database: Database) -> None:
    await fill(database, 300)
    await database.execute("UPDATE posting SET country_code = 'FR' WHERE country_code = 'CH'")
    answer = await matcher(database).match(Profile(text="Koch", limits=Limits(countries=("CH",))))
    assert answer.matches == ()


async def _candidates(database: Database, words: str, **limits: Any) -> Mapping[int, Candidate]:
    vector = WordVectors().encode([words])[0]
    found = await database.transaction(
        lambda connection: find_candidates(
            connection, Accepted(**limits), vector, words, datetime.now(UTC) - timedelta(days=45)
        )
    )
    assert len({candidate.id for candidate in found}) == len(found)
    return {candidate.id: candidate for candidate in found}


async def test_everything_that_the_limits_keep_is_found(database: Database) -> None:
    rows = await fill(database, 2_000)
    served = [row for row in rows if row.state != "closed" and row.last_seen > datetime.now(UTC) - timedelta(days=45)]
    expected = {row.id for row in served if row.country == "CH" and row.remote == "remote"}
    assert 10 < len(expected) < 500
    assert set(await _candidates(database, "Koch", countries=("CH",), remote=("remote",))) == expected


async def test_a_literal_title_is_found_however_far_its_vector_lies(database: Database) -> None:
    rows = await fill(database, 2_000)
    row = next(row for row in rows if row.state == "described" and row.last_seen.date() == datetime.now(UTC).date())
    await database.execute("UPDATE posting SET title = 'Glasbläserin für Zierrat' WHERE id = $1", row.id)
    assert row.id in await _candidates(database, "Glasbläserin")


async def test_the_index_finds_its_way_out_of_a_crowd_under_one_title(database: Database) -> None:
    """Where it held each of these vectors a thousand times, it found those of one title and nothing else."""
    await fill(database, 4_000)
    limits = (None, None, None, None, None)
    vector = HalfVector(WordVectors().encode(["Koch (m/w/d)"])[0])

    async def look(connection: Connection) -> tuple[str, list[float], list[float]]:
        await connection.execute("UPDATE posting_vector SET title_id = (SELECT min(id) FROM title_vector)"
                                 " WHERE title_id IS NOT NULL AND posting_id % 8 <> 0")  # fmt: skip
        await connection.execute(_SQL.tune_search)
        exact = await connection.fetch(_SQL.nearest_exactly, *limits, vector, 3_000)
        await connection.execute("SELECT set_config('enable_sort', 'off', true)")
        plan = await connection.fetch(f"EXPLAIN {_SQL.nearest_by_index}", *limits, vector, 3_000)
        found = await connection.fetch(_SQL.nearest_by_index, *limits, vector, 3_000)
        return str(plan), [row["distance"] for row in found], [row["distance"] for row in exact]

    plan, found, exact = await database.transaction(look)
    assert "title_vector_nearest" in plan
    assert len(found) == 3_000
    assert sorted(found) == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize("words", ["", "   ", "'; DROP TABLE posting; --", "a:* & !b | <->", "%", "\\"])
async def test_words_are_only_words(database: Database, words: str) -> None:
    await fill(database, 50)
    await _candidates(database, words or "x")
    assert await database.fetchval("SELECT count(*) FROM posting") == 50


async def test_an_empty_database_matches_nothing(database: Database) -> None:
    answer = await matcher(database).match(Profile(text="Pflegefachkraft in Bern"))
    assert (answer.matches, answer.candidates) == ((), 0)


async def test_what_scores_less_than_the_least_score_is_not_shown(database: Database) -> None:
    await fill(database, 400)
    everything = await matcher(database).match(Profile(text="Koch"))
    scores = [found.score for found in everything.matches]
    assert everything.found == everything.candidates
    least = (scores[4] + scores[3]) / 2 if scores[4] < scores[3] else scores[3]
    some = await matcher(database, min_score=least).match(Profile(text="Koch"))
    assert [found.score for found in some.matches] == [score for score in scores if score >= least]
    assert 0 < some.found < everything.found
    assert (await matcher(database, min_score=100.1).match(Profile(text="Koch"))).found == 0


async def test_full_texts_reorder_only_those_that_have_a_vector(database: Database) -> None:
    rows = await fill(database, 300)
    before = await matcher(database).match(Profile(text="Koch"))
    last, first = before.matches[-1].id, before.matches[0].id
    for posting, number in ((last, 1.0), (first, 0.1)):
        vector = [number] + [(1 - number**2) ** 0.5] + [0.0] * 382
        await database.execute(
            "INSERT INTO posting_full_vector (posting_id, full_text, model) VALUES ($1, $2::text::halfvec, 'builtin')",
            posting, str(vector),
        )  # fmt: skip
    after = await matcher(database).match(Profile(text="Koch"))
    kept = {found.id: found.score for found in before.matches if found.id not in (first, last)}
    assert {found.id: found.score for found in after.matches if found.id in kept} == kept
    other_model = await matcher(database, text_model="another").match(Profile(text="Koch"))
    assert _ranking(other_model) == _ranking(before)
    assert len(rows) == 300


def _ranking(answer: Result) -> list[tuple[int, float]]:
    return [(found.id, found.score) for found in answer.matches]


async def test_copies_are_listed_once(database: Database) -> None:
    rows = await fill(database, 100)
    fresh = [
        row.id for row in rows if row.state == "described" and row.last_seen > datetime.now(UTC) - timedelta(days=9)
    ]
    await database.execute(
        "UPDATE posting SET title = 'Glasbläser', company = 'Lauscha GmbH' WHERE id = ANY($1)", fresh[:4]
    )
    await database.execute(
        "UPDATE posting_text SET description_text = $2 WHERE posting_id = ANY($1)", fresh[:3],
        "Sie blasen Kugeln, ziehen Stäbe, mischen Farben, schleifen Kanten und beraten Gäste im Laden am Ofen",
    )  # fmt: skip
    answer = await matcher(database).match(Profile(text="Glasbläser"))
    glass = [found for found in answer.matches if found.title == "Glasbläser"]
    assert sorted(len(found.copies) for found in glass) == [0, 2]
    assert {found.id for found in glass} | {copy.id for found in glass for copy in found.copies} == set(fresh[:4])


@pytest.mark.parametrize("text", ["", "   ", "!!! 123 ???", "\x00\x00", "🙂🙂🙂", "\ud800 \udfff", "ab"])
async def test_a_profile_without_usable_text_is_refused(database: Database, text: str) -> None:
    with pytest.raises(UnusableProfile):
        await matcher(database).match(Profile(text=text))
