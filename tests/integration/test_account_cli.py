"""Accounts and keys on the command line: real processes, each change under the name of whoever typed it."""

import getpass
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

_ROOT = Path(__file__).parents[2]
PASSWORD = "a long enough password"


@pytest.fixture
def environment(dsn: str, redis_url: str, tmp_path: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("VAKANZ_")}
    return own | {"VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url, "VAKANZ_HOME": str(tmp_path)}


def vakanz(environment: dict[str, str], *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vakanz", *arguments],
        env=environment, cwd=_ROOT, input=given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def listed(environment: dict[str, str], *arguments: str) -> list[dict[str, Any]]:
    done = vakanz(environment, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = orjson.loads(done.stdout)
    return rows


def test_a_life_of_an_account(environment: dict[str, str]) -> None:
    opened = vakanz(environment, "account", "create", "someone", "--tier", "paid", "--password-stdin", given=PASSWORD)
    assert opened.returncode == 0, opened.stderr
    made = vakanz(
        environment, "key", "create", "--account", "someone", "--scope", "jobs", "--scope", "match", "--expires", "30",
        "--label", "etl", "--json",
    )  # fmt: skip
    first = orjson.loads(made.stdout)["id"]
    rotated = vakanz(environment, "key", "rotate", str(first), "--overlap", "2")
    assert rotated.stdout.startswith("vk_")
    keys = listed(environment, "key", "list")
    assert [(key["account"], key["scopes"], key["label"]) for key in keys] == [
        ("someone", ["jobs", "match"], "etl")
    ] * 2
    assert keys[0]["expires_at"] < keys[1]["expires_at"]
    assert vakanz(environment, "account", "tier", "someone", "partner").returncode == 0
    assert vakanz(environment, "account", "password", "someone", given=PASSWORD + "\n").returncode == 0
    assert vakanz(environment, "account", "close", "someone").returncode == 0
    operator, someone = listed(environment, "account", "list")
    assert (operator["name"], operator["tier"], operator["signs_in"]) == ("operator", "free", False)
    assert (someone["tier"], someone["signs_in"], someone["keys"]) == ("partner", True, 0)
    assert someone["closed_at"] is not None
    deeds = listed(environment, "account", "audit")
    assert len(deeds) == 6
    assert deeds[0]["action"] == "account closed"
    assert {deed["who"].partition("@")[0] for deed in deeds} == {getpass.getuser()}
    assert PASSWORD not in str(deeds)


@pytest.mark.parametrize(
    ("arguments", "given", "says"),
    [
        (("account", "create", "Some One"), "", "small letters"),
        (("account", "create", "someone", "--tier", "gold"), "", "free, paid, partner, admin"),
        (("account", "create", "someone", "--password-stdin"), "short", "12 to 256"),
        (("account", "create", "operator"), "", "already"),
        (("account", "close", "nobody"), "", "no open account 'nobody'"),
        (("key", "create", "--account", "nobody"), "", "no open account 'nobody'"),
        (("key", "create", "--scope", "all"), "", "no scope 'all'"),
        (("key", "create", "--scope", "admin"), "", "cannot have the scope admin"),
        (("key", "rotate", "7"), "", "no valid key 7"),
    ],
)
def test_errors_say_what_is_wrong(
    environment: dict[str, str], arguments: tuple[str, ...], given: str, says: str
) -> None:
    done = vakanz(environment, *arguments, given=given)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert says in done.stderr
