"""Accounts and keys on the command line: each change under the name of whoever typed it."""

import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import Result
from typer import Typer
from typer.testing import CliRunner

from api.account_cli import account_app, key_app
from lib.errors import VakanzError
from lib.life.person import person

PASSWORD = "a long enough password"
_ROOMS: dict[str, Typer] = {"account": account_app, "key": key_app}


@pytest.fixture(autouse=True)
def environment(
    dsn: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_passwords: None
) -> None:
    for name, value in (("DSN", dsn), ("REDIS_URL", redis_url), ("HOME", str(tmp_path))):
        monkeypatch.setenv(f"VAKANZ_{name}", value)


def vakanz(room: str, *arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(_ROOMS[room], arguments, input=given)


def done(room: str, *arguments: str, given: str = "") -> str:
    result = vakanz(room, *arguments, given=given)
    assert result.exit_code == 0, result.exception
    return result.stdout


def listed(room: str, command: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = orjson.loads(done(room, command, "--json"))
    return rows


def test_a_life_of_an_account() -> None:
    done("account", "create", "someone", "--tier", "paid", "--password-stdin", given=PASSWORD)
    made = done(
        "key", "create", "--account", "someone", "--scope", "jobs", "--scope", "match", "--expires", "30",
        "--label", "etl", "--json",
    )  # fmt: skip
    assert done("key", "rotate", str(orjson.loads(made)["id"]), "--overlap", "2").startswith("vk_")
    keys = listed("key", "list")
    assert [(key["account"], key["scopes"], key["label"]) for key in keys] == [
        ("someone", ["jobs", "match"], "etl")
    ] * 2
    assert keys[0]["expires_at"] < keys[1]["expires_at"]
    assert "etl" in done("key", "list")
    done("account", "tier", "someone", "partner")
    done("account", "password", "someone", given=PASSWORD + "\n")
    done("account", "close", "someone")
    operator, someone = listed("account", "list")
    assert (operator["name"], operator["tier"], operator["signs_in"]) == ("operator", "free", False)
    assert (someone["tier"], someone["signs_in"], someone["keys"]) == ("partner", True, 0)
    assert someone["closed_at"] is not None
    assert "partner" in done("account", "list")
    deeds = listed("account", "audit")
    assert len(deeds) == 6
    assert deeds[0]["action"] == "account closed"
    assert {deed["who"].partition("@")[0] for deed in deeds} == {person(os.environ)}
    assert PASSWORD not in str(deeds)
    assert "key rotated" in done("account", "audit", "--most", "10")


def test_a_change_is_of_whoever_called_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "anna")
    done("account", "create", "someone")
    assert [deed["who"].partition("@")[0] for deed in listed("account", "audit")] == ["anna"]


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
def test_errors_say_what_is_wrong(arguments: tuple[str, ...], given: str, says: str) -> None:
    error = vakanz(*arguments, given=given).exception
    assert isinstance(error, VakanzError)
    assert says in str(error)
