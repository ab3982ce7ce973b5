"""Migrations in two stages: the new code runs between them, the old code after the first."""

import asyncpg
import pytest

from lib.life.config import Config
from lib.life.session import open_database
from lib.store import migrate as migrating
from lib.store.migrate import NoDatabase, SchemaTooNew, SchemaTooOld, check, migrate
from sql import Migration

_PRE = Migration(9001, "pre", "add_colour", "ALTER TABLE board ADD colour text")
_POST = Migration(9002, "post", "drop_company", "ALTER TABLE board DROP company")


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version with a change in two stages."""
    known = migrating.migrations()
    monkeypatch.setattr(migrating, "migrations", lambda: [*known, _PRE, _POST])


@pytest.mark.usefixtures("newer")
async def test_a_stage_at_a_time(dsn: str) -> None:
    with pytest.raises(SchemaTooOld, match="run `vakanz migrate`"):
        await check(dsn)
    assert await migrate(dsn, ("pre",)) == [_PRE]
    await check(dsn)
    assert await migrate(dsn, ("pre",)) == []
    assert await migrate(dsn, ("post",)) == [_POST]
    await check(dsn)


async def test_a_command_leaves_the_schema_of_a_server_alone(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = migrating.migrations()
    monkeypatch.setattr(migrating, "migrations", lambda: [*known, _POST])
    async with open_database(Config(dsn=dsn)) as database:
        assert await database.fetch("SELECT company FROM board") == []


async def test_the_old_version_works_on_but_does_not_migrate_what_a_newer_one_did(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("INSERT INTO schema_migration (number, name) VALUES (9001, 'add_colour')")
    await connection.close()
    await check(dsn)
    with pytest.raises(SchemaTooNew):
        await migrate(dsn)


async def test_the_way_back_is_open_until_the_second_stage(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = migrating.migrations()
    monkeypatch.setattr(migrating, "migrations", lambda: [*known, _PRE, _POST])
    await migrate(dsn, ("pre",))
    monkeypatch.setattr(migrating, "migrations", lambda: known)
    assert await migrate(dsn) == []
    monkeypatch.setattr(migrating, "migrations", lambda: [*known, _PRE, _POST])
    await migrate(dsn, ("post",))
    monkeypatch.setattr(migrating, "migrations", lambda: known)
    with pytest.raises(SchemaTooNew, match="only a newer version"):
        await migrate(dsn)


async def test_a_database_that_nobody_migrated_is_too_old(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("DROP TABLE schema_migration")
    await connection.close()
    with pytest.raises(SchemaTooOld):
        await check(dsn)


async def test_a_database_that_is_not_there_is_told() -> None:
    with pytest.raises(NoDatabase):
        await check("postgresql://nobody@127.0.0.1:1/none")


async def test_titles_take_over_the_vectors_that_postings_had(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = migrating.migrations()
    connection = await asyncpg.connect(dsn)
    await connection.execute("DROP SCHEMA public CASCADE")
    await connection.execute("CREATE SCHEMA public")
    monkeypatch.setattr(migrating, "migrations", lambda: [step for step in known if step.number < 16])
    await migrate(dsn)
    await connection.execute(
        "INSERT INTO board (id, source, tenant, url) OVERRIDING SYSTEM VALUE VALUES (1, 'a', 'b', '')"
    )
    await connection.execute(
        "INSERT INTO posting (id, board_id, external_id, state, content_hash, title, url, first_seen, last_seen)"
        " OVERRIDING SYSTEM VALUE"
        " SELECT number, 1, number, 'discovered', '', 'Koch', '', now(), now() FROM generate_series(1, 5) number"
    )
    await connection.execute(
        "INSERT INTO posting_vector (posting_id, listing)"
        " SELECT number, array_fill(number % 2 + 1, ARRAY[256])::halfvec FROM generate_series(1, 4) number"
        " UNION ALL SELECT 5, NULL"
    )
    monkeypatch.setattr(migrating, "migrations", lambda: known)
    await migrate(dsn, ("pre",))
    rows = await connection.fetch(
        "SELECT v.posting_id, v.listing::text = t.vector::text AS same FROM posting_vector v"
        " LEFT JOIN title_vector t ON t.id = v.title_id ORDER BY posting_id"
    )
    assert [row["same"] for row in rows] == [True] * 4 + [None]
    assert await connection.fetchval("SELECT count(*) FROM title_vector") == 2
    await migrate(dsn)
    assert await connection.fetchval("SELECT count(title_id) FROM posting_vector") == 4
    await connection.close()
