"""Enrichers as followers: their columns, their provenance, nothing else; and how often they are right."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from daemons.enrich import ENRICHERS
from daemons.enrich.contract import Facts, Finding
from daemons.enrich.employment import EmploymentEnricher
from daemons.enrich.fold import EnrichFold
from lib.posting import writing
from lib.store import letters
from lib.store.connections import Database
from tests.integration.crawling import SESSION, Key, Scene, scene
from tests.integration.following import catch_up, enrich_folds
from tests.integration.test_descriptions import describe
from tests.sim import Market
from tests.sim.market import FEW_SYSTEMS

TABLES = ("posting", "posting_text", "posting_vector", "posting_full_vector", "posting_history")
COLUMNS = [name for one in ENRICHERS for name in one.fields if not name.startswith("description_")]


@pytest.fixture
async def market(database: Database, tmp_path: Path) -> AsyncIterator[Scene]:
    """Two boards of each source, crawled and described."""
    async with scene(database, tmp_path, Market(1, companies=10, postings=80, systems=FEW_SYSTEMS)) as market:
        await market.crawl()
        await describe(market)
        yield market


async def enriched(database: Database) -> dict[int, dict[str, Any]]:
    rows = await database.fetch(
        f"SELECT p.id, {', '.join(COLUMNS)}, t.description_html, t.description_text, t.search::text, t.provenance"
        " FROM posting p JOIN posting_text t ON t.posting_id = p.id ORDER BY p.id"
    )
    return {row["id"]: dict(row) for row in rows}


async def counts(database: Database) -> list[int]:
    return [await database.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES]


async def test_findings_land_in_their_columns_with_their_provenance(market: Scene, database: Database) -> None:
    before = await market.rows()
    tables = await counts(database)
    await catch_up(database, *enrich_folds(database))
    rows = await enriched(database)
    for row in rows.values():
        provenance = row.pop("provenance")
        known = {name for name in (*COLUMNS, "description_html", "description_text") if row[name] is not None}
        assert provenance.keys() == known
        for name, origin in provenance.items():
            (enricher,) = (one for one in ENRICHERS if name in one.fields)
            assert (origin["enricher"], origin["version"]) == (enricher.name, enricher.version)
            assert origin["kind"] in ("stated", "derived")
            if "span" in origin:
                start, end = origin["span"]
                assert row["description_text"][start:end][:160].casefold() == origin["evidence"].casefold()
        assert row["search"]
        assert row["language"] in ("de", "en")
    # The change log, the history and the content are others' business.
    assert await counts(database) == tables
    content = ("changed_xid", "revision", "state", "title", "stated", "html_hash", "last_seen", "content_hash")
    assert {key: [row[name] for name in content] for key, row in (await market.rows()).items()} == {
        key: [row[name] for name in content] for key, row in before.items()
    }


async def test_following_again_from_the_start_changes_nothing(market: Scene, database: Database) -> None:
    changes = await catch_up(database, *enrich_folds(database))
    first = await enriched(database)
    await database.execute("UPDATE follower SET cursor_xid = '0', cursor_id = 0")
    assert await catch_up(database, *enrich_folds(database)) == changes
    assert await enriched(database) == first


async def test_a_changed_posting_is_read_again_and_old_findings_go(market: Scene, database: Database) -> None:
    await catch_up(database, *enrich_folds(database))
    paid = await database.fetchrow(
        "SELECT id FROM posting p JOIN posting_text t ON t.posting_id = p.id"
        " WHERE salary_min IS NOT NULL AND t.provenance->'salary_min'->>'kind' = 'derived' ORDER BY id"
    )
    assert paid is not None
    others = {key: row for key, row in (await enriched(database)).items() if key != paid["id"]}
    await database.execute(
        "WITH t AS (UPDATE posting_text SET html = $2 WHERE posting_id = $1)"
        " UPDATE posting SET changed_xid = pg_current_xact_id(), places = '{Wien}', stated = '{}' WHERE id = $1",
        paid["id"],
        "<p>Wir suchen Sie für das Team in Wien.</p>",
    )
    assert await catch_up(database, *enrich_folds(database)) == len(ENRICHERS)
    rows = await enriched(database)
    row = rows.pop(paid["id"])
    assert (row["city"], row["country_code"], row["salary_min"], row["salary_year_max_eur"]) == (
        "Wien",
        "AT",
        None,
        None,
    )
    assert row["description_text"] == "Wir suchen Sie für das Team in Wien."
    assert "salary_min" not in row["provenance"]
    assert rows == others


async def test_closed_postings_keep_what_was_found(market: Scene, database: Database) -> None:
    await catch_up(database, *enrich_folds(database))
    first = await enriched(database)
    ids = sorted(first)[:5]
    await database.transaction(lambda connection: writing.close_by_id(connection, SESSION, datetime.now(UTC), ids))
    assert await catch_up(database, *enrich_folds(database)) == len(ids) * len(ENRICHERS)
    assert await enriched(database) == first


async def test_a_posting_that_breaks_an_enricher_costs_only_itself(market: Scene, database: Database) -> None:
    class Fragile(EmploymentEnricher):
        def enrich(self, posting: Facts) -> Finding:
            if posting.id == broken:
                raise RuntimeError("no luck")
            return super().enrich(posting)

    broken = min(await enriched(database))
    fold = EnrichFold(database, Fragile(), (), anyio.CapacityLimiter(1))
    await catch_up(database, fold)
    (letter,) = await letters.list_letters(database)
    assert (letter.queue, letter.key) == ("follower:employment", str(broken))
    assert letter.reason == "RuntimeError: no luck"
    done = {key for key, row in (await enriched(database)).items() if row["employment"] is not None}
    assert len(done) > 60
    assert broken not in done


async def test_a_value_that_no_column_holds_costs_only_itself(market: Scene, database: Database) -> None:
    class Absurd(EmploymentEnricher):
        def enrich(self, posting: Facts) -> Finding:
            found = super().enrich(posting)
            return Finding(values=found.values | {"remote": "a\0b"}, provenance={}) if posting.id in absurd else found

    absurd = sorted(await enriched(database))[3:60:13]
    await catch_up(database, EnrichFold(database, Absurd(), (), anyio.CapacityLimiter(1)))
    found = await letters.list_letters(database)
    assert sorted(int(letter.key) for letter in found) == absurd
    assert all("CharacterNotInRepertoire" in letter.reason for letter in found)


# The lowest share of postings that must be found as they truly are.
FLOORS = {
    "country": 0.98, "city": 0.95, "language": 0.98, "salary": 0.95, "no salary": 0.98, "remote": 0.97,
    "employment": 0.92,
}  # fmt: skip


async def test_findings_agree_with_the_truth(database: Database, tmp_path: Path) -> None:
    async with scene(database, tmp_path, Market(1, companies=20, postings=400, systems=FEW_SYSTEMS)) as market:
        await market.crawl()
        await describe(market)
        await catch_up(database, *enrich_folds(database))
        truth, rows = market.truth(), await market.rows()
    hits: Counter[str] = Counter()
    all_: Counter[str] = Counter()
    misses: defaultdict[str, list[tuple[Key, Any, Any]]] = defaultdict(list)
    for key, true in truth.items():
        for what, wanted, found in _compared(true, rows[key]):
            all_[what] += 1
            hits[what] += wanted == found
            if wanted != found:
                misses[what].append((key, wanted, found))
    shares = {what: hits[what] / all_[what] for what in all_}
    print({what: f"{share:.3f} of {all_[what]}" for what, share in shares.items()})  # noqa: T201 - shown when it fails
    for what, missed in misses.items():
        print(what, len(missed), missed[:12])  # noqa: T201
    assert shares.keys() == FLOORS.keys()
    assert {what: share for what, share in shares.items() if share < FLOORS[what]} == {}


def _compared(true: dict[str, Any], row: Any) -> list[tuple[str, Any, Any]]:
    found = tuple(row[f"salary_{name}"] for name in ("min", "max", "currency", "period"))
    pay = true["salary"]
    wanted = (None,) * 4 if pay is None else (pay["min"], pay["max"], pay["currency"], pay["period"])
    amounts = [a == b or (a and b and math.isclose(a, b, rel_tol=1e-4)) for a, b in zip(wanted, found, strict=True)]
    # Of a posting in two languages we keep the text whose language is in its address.
    language = row["url"].partition("?language=")[2] or true["language"]
    return [
        ("country", true["country"], row["country_code"]),
        ("city", true["city"], row["city"]),
        ("language", language, row["language"]),
        ("no salary" if pay is None else "salary", wanted, wanted if all(amounts) else found),
        ("remote", _away(true["remote"]), _away(row["remote"])),
        ("employment", true["employment"], row["employment"]),
    ]


def _away(remote: str | None) -> str | None:
    """Some systems say onsite where others say nothing."""
    return None if remote == "onsite" else remote
