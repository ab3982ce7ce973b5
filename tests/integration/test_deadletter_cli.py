"""`vakanz deadletter` as a program and a person use it."""

from typing import Any

import anyio.to_thread
import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from daemons.upkeep.cli import NothingChosen, deadletter_app
from lib.store import letters
from lib.store.connections import Cache, Connection, Database
from lib.store.streams import Stream


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch, dsn: str, redis_url: str) -> None:
    monkeypatch.setenv("VAKANZ_DSN", dsn)
    monkeypatch.setenv("VAKANZ_REDIS_URL", redis_url)


@pytest.fixture
async def buried(database: Database) -> None:
    async def work(connection: Connection) -> None:
        await letters.bury(connection, "stream:discover", "job-1", None, {"q": "Koch"}, "[red]no\x1b[2J")
        await letters.bury(connection, "odd:queue", "2", None, {}, "why")

    await database.transaction(work)


async def run(*arguments: str) -> Result:
    """The command in a thread of its own, because it brings its own event loop."""
    runner = CliRunner()
    result: Any = await anyio.to_thread.run_sync(lambda: runner.invoke(deadletter_app, list(arguments)))
    return result


@pytest.mark.usefixtures("buried")
async def test_list_for_programs() -> None:
    result = await run("list", "--json", "--queue", "stream:discover")
    assert result.exit_code == 0, result.output
    [letter] = [orjson.loads(line) for line in result.stdout.splitlines()]
    assert (letter["key"], letter["payload"], letter["attempts"]) == ("job-1", {"q": "Koch"}, 1)


@pytest.mark.usefixtures("buried")
async def test_list_for_a_person_shows_foreign_text_harmlessly() -> None:
    result = await run("list")
    assert result.exit_code == 0, result.output
    assert "[red]" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.usefixtures("buried")
async def test_retry_tells_what_stays(cache: Cache) -> None:
    result = await run("retry", "--all", "--json")
    assert result.exit_code == 1
    answer = orjson.loads(result.stdout)
    assert answer["retried"] == 1
    assert list(answer["refused"].values()) == ["odd:queue: nobody here can retry letters of this queue"]
    [entry] = await Stream(cache, "discover").read("w", 5, 0.01)
    assert entry.job_id == "job-1"


@pytest.mark.usefixtures("buried")
async def test_retry_by_id(database: Database) -> None:
    [letter] = await letters.list_letters(database, queue="stream:discover")
    result = await run("retry", str(letter.id))
    assert (result.exit_code, result.stdout) == (0, "1 put back to work\n")


async def test_retry_wants_to_know_which() -> None:
    assert isinstance((await run("retry")).exception, NothingChosen)


@pytest.mark.usefixtures("buried")
async def test_prune(database: Database) -> None:
    await database.execute("UPDATE dead_letter SET updated_at = now() - interval '3 days' WHERE key = '2'")
    assert (await run("prune", "--older-than", "4d")).stdout == "0 deleted\n"
    assert orjson.loads((await run("prune", "--older-than", "50h", "--json")).stdout) == {"deleted": 1}
    assert (await run("prune", "--older-than", "soon")).exit_code == 2
