"""`vakanz credits` as an operator meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from lib.store.connections import Database
from tests.integration.spending import Clock, account, ask, ledger

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(dsn: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("VAKANZ_")}
    return own | {"VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url, "VAKANZ_HOME": str(tmp_path)}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vakanz", "credits", *arguments],
        env=environment, cwd=_ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


async def test_an_operator_sees_raises_and_reopens(database: Database, environment: dict[str, str]) -> None:
    payer = await account(database, "anna's shop")
    books_of = ledger(database)
    await books_of.settle((await books_of.reserve(ask(payer))).id, 8, "ok")
    await books_of.reserve(ask(payer, operation="web", credits=1))

    shown = run(environment)
    assert shown.returncode == 0, shown.stderr
    for words in ("8 used, 1 reserved, 991 left of 1,000", "anna's shop", "indeed_listing is shut", "it cost 8"):
        assert words in shown.stdout
    assert "█" in shown.stdout
    status = orjson.loads(run(environment, "--json").stdout)
    assert (status["used"], status["left"], status["shut"][0]["charged"]) == (8, 991, 8)

    assert "a reason" not in run(environment, "raise", "900", "--why", "a reason").stdout
    raised = run(environment, "raise", "1500", "--why", "a fair week")
    assert raised.returncode == 0, raised.stderr
    assert "was 1,000, and is 1,500 now" in raised.stdout
    assert run(environment, "raise", "2000").returncode == 2, "no reason, no raise"
    assert run(environment, "reopen", "hasdata/indeed_listing", "--why", "looked").returncode == 0
    again = run(environment, "reopen", "hasdata/indeed_listing", "--why", "looked")
    assert (again.returncode, again.stderr) == (
        1,
        "vakanz: hasdata/indeed_listing is not shut; see `vakanz credits`\n",
    )
    rows = await database.fetch("SELECT who, action, details ->> 'why' AS why FROM admin_audit ORDER BY id")
    assert [(row["action"], row["why"]) for row in rows] == [
        ("raise credits", "a fair week"),
        ("reopen operation", "looked"),
    ]
    assert all("@" in row["who"] for row in rows)


async def test_books_are_held_against_the_providers_statement(
    database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
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
    done = run(environment, "reconcile", str(statement))
    assert done.returncode == 0, done.stderr
    assert "3 agrees, 0 differs, 0 unknown to us, 0 missing there; 15 credits there, 15 here: +0" in done.stdout

    statement.write_text(agreeing.replace("a,5", "a,6").replace("theirs-b", "x") + "d,many,now\n")
    done = run(environment, "reconcile", str(statement), "--json")
    found = orjson.loads(done.stdout)
    assert done.returncode == 1
    assert found["totals"] == {"agrees": 1, "differs": 1, "unknown": 1, "missing": 1}
    assert found["apart"] == 1
    assert found["unreadable"] == [{"line": 5, "why": "'many' is no number of credits"}]
    done = run(environment, "reconcile", str(statement), "--provider", "llm", "--since", "2026-12-01")
    assert (done.returncode, done.stdout.splitlines()[-1][:8]) == (1, "0 agrees")
    statement.write_bytes(b"\xff\xfe")
    done = run(environment, "reconcile", str(statement))
    assert (done.returncode, done.stderr.startswith("vakanz: the statement is not UTF-8")) == (1, True)


async def test_verify_says_whether_the_sums_are_what_the_entries_say(
    database: Database, environment: dict[str, str]
) -> None:
    await ledger(database, Clock()).reserve(ask(None))
    done = run(environment, "verify")
    assert (done.returncode, done.stdout) == (0, "the sums are what the entries say\n")
    await database.execute("UPDATE credit_budget SET used = 1")
    done = run(environment, "verify", "--json")
    assert done.returncode == 1
    assert orjson.loads(done.stdout) == {
        "agree": False,
        "problems": ["2026-11: 1 used and 5 reserved, but 0 and 5 by its entries"],
    }
