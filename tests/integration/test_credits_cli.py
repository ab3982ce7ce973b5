"""`vakanz credits` as an operator meets it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio.to_thread
import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from lib.spend.cli import credits_app
from lib.spend.office import NoRaise, NotShut
from lib.spend.statement import BadStatement
from lib.store.connections import Database
from tests.integration.spending import Clock, account, ask, ledger


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch, dsn: str, redis_url: str) -> None:
    monkeypatch.setenv("VAKANZ_DSN", dsn)
    monkeypatch.setenv("VAKANZ_REDIS_URL", redis_url)


async def run(*arguments: str) -> Result:
    """The command in a thread of its own, because it brings its own event loop."""
    runner = CliRunner()
    result: Any = await anyio.to_thread.run_sync(lambda: runner.invoke(credits_app, list(arguments)))
    return result


async def test_an_operator_sees_raises_and_reopens(database: Database) -> None:
    payer = await account(database, "anna's shop")
    books_of = ledger(database)
    await books_of.settle((await books_of.reserve(ask(payer))).id, 8, "ok")
    await books_of.reserve(ask(payer, operation="web", credits=1))

    shown = await run()
    assert shown.exit_code == 0, shown.stderr
    for words in ("8 used, 1 reserved, 991 left of 1,000", "anna's shop", "indeed_listing is shut", "it cost 8"):
        assert words in shown.stdout
    assert "█" in shown.stdout
    status = orjson.loads((await run("--json")).stdout)
    assert (status["used"], status["left"], status["shut"][0]["charged"]) == (8, 991, 8)

    assert isinstance((await run("raise", "900", "--why", "no raise")).exception, NoRaise)
    raised = await run("raise", "1500", "--why", "a fair week")
    assert raised.exit_code == 0, raised.stderr
    assert "was 1,000, and is 1,500 now" in raised.stdout
    assert (await run("raise", "2000")).exit_code == 2, "no reason, no raise"
    assert (await run("reopen", "hasdata/indeed_listing", "--why", "looked")).exit_code == 0
    again = await run("reopen", "hasdata/indeed_listing", "--why", "looked")
    assert isinstance(again.exception, NotShut)
    rows = await database.fetch("SELECT who, action, details ->> 'why' AS why FROM admin_audit ORDER BY id")
    assert [(row["action"], row["why"]) for row in rows] == [
        ("raise credits", "a fair week"),
        ("reopen operation", "looked"),
    ]
    assert all("@" in row["who"] for row in rows)


async def test_books_are_held_against_the_providers_statement(database: Database, tmp_path: Path) -> None:
    clock = Clock(datetime(2026, 11, 20, 12, tzinfo=UTC))
    books_of = ledger(database, clock)
    for request_id, provider_id in (("a", None), ("b", "theirs-b"), ("c", None)):
        made = await books_of.reserve(ask(None, request_id=request_id))
        await books_of.settle(made.id, 5, "ok", provider_id=provider_id)
    statement = tmp_path / "statement.csv"
    agreeing = "request_id,credits,time\n" + "".join(
        f"{one},5,2026-11-20T12:00:00Z\n" for one in ("a", "theirs-b", "c")
    )
    statement.write_text(agreeing)
    done = await run("reconcile", str(statement))
    assert done.exit_code == 0, done.stderr
    assert "3 agrees, 0 differs, 0 unknown to us, 0 missing there; 15 credits there, 15 here: +0" in done.stdout

    statement.write_text(agreeing.replace("a,5", "a,6").replace("theirs-b", "x") + "d,many,now\n")
    done = await run("reconcile", str(statement), "--json")
    found = orjson.loads(done.stdout)
    assert done.exit_code == 1
    assert found["totals"] == {"agrees": 1, "differs": 1, "unknown": 1, "missing": 1}
    assert found["apart"] == 1
    assert found["unreadable"] == [{"line": 5, "why": "'many' is no number of credits"}]
    done = await run("reconcile", str(statement), "--provider", "llm", "--since", "2026-12-01")
    assert (done.exit_code, done.stdout.splitlines()[-1][:8]) == (1, "0 agrees")
    statement.write_bytes(b"\xff\xfe")
    done = await run("reconcile", str(statement))
    assert isinstance(done.exception, BadStatement)


async def test_a_statement_that_ends_on_a_day_has_all_of_it(database: Database, tmp_path: Path) -> None:
    books_of = ledger(database, Clock(datetime(2026, 11, 30, 23, 59, tzinfo=UTC)))
    await books_of.settle((await books_of.reserve(ask(None))).id, 5, "ok")
    statement = tmp_path / "statement.csv"
    statement.write_text("request_id,credits,time\nx,1,2026-11-30T12:00:00Z\n")
    for until, code, totals in (
        ("2026-11-30", 1, {"agrees": 0, "differs": 0, "unknown": 1, "missing": 1}),
        ("2026-11-30T13:00:00", 1, {"agrees": 0, "differs": 0, "unknown": 1, "missing": 0}),
        ("2026-11-29", 0, {"agrees": 0, "differs": 0, "unknown": 0, "missing": 0}),
    ):
        done = await run("reconcile", str(statement), "--until", until, "--json")
        assert (done.exit_code, orjson.loads(done.stdout)["totals"]) == (code, totals)
    assert (await run("reconcile", str(statement), "--until", "yesterday")).exit_code == 2


async def test_verify_says_whether_the_sums_are_what_the_entries_say(database: Database) -> None:
    await ledger(database, Clock()).reserve(ask(None))
    done = await run("verify")
    assert (done.exit_code, done.stdout) == (0, "the sums are what the entries say\n")
    await database.execute("UPDATE credit_budget SET used = 1")
    done = await run("verify", "--json")
    assert done.exit_code == 1
    assert orjson.loads(done.stdout) == {
        "agree": False,
        "problems": ["2026-11: 1 used and 5 reserved, but 0 and 5 by its entries"],
    }
