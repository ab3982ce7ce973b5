"""`vakanz fleet` as an operator types it."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import asyncpg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from keeper.fleet import cli
from keeper.fleet.cli import fleet_app
from keeper.fleet.health import settle
from lib.errors import ConfigError, VakanzError

DEFAULT = Path(__file__).parents[2] / "ansible" / "fleet.yml"


def fleet(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(fleet_app, arguments, env={"COLUMNS": "200"} | environment)


@pytest.fixture
def lacking(tmp_path: Path) -> Path:
    """A map that cannot work: a shard is missing, another one is done twice, and a server is too small."""
    text = DEFAULT.read_text(encoding="utf-8")
    text = text.replace("descriptions@4", "descriptions@3-3").replace("memory: 64G", "memory: 1G")
    path = tmp_path / "fleet.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_plan_is_a_table_and_needs_no_database() -> None:
    shown = fleet("plan", VAKANZ_FLEET=str(DEFAULT), VAKANZ_DSN="postgresql://nobody@127.0.0.1:1/none")
    assert shown.exit_code == 0, shown.output
    for part in ("geo@0 to 24", "crawl@0 to 5", "enrich@place.salary.employment", "65,536 MiB", "pgbouncer", "66"):
        assert part in shown.stdout


def test_an_impossible_plan_is_refused_with_every_reason(lacking: Path) -> None:
    shown = fleet("plan", str(lacking))
    assert shown.exit_code == 1
    assert "descriptions: nobody does 4" in shown.stderr
    assert "descriptions: 3 is done more than once, by descriptions@3 on w3 and descriptions@3-3 on w3" in shown.stderr
    assert "db: " in shown.stderr
    document = json.loads(fleet("plan", str(lacking), "--json").stdout)
    assert len(document["problems"]) == 3
    assert document["hosts"]["db"]["memory_bytes"] == 1 << 30
    assert document["daemons"] == 66


def test_what_is_no_map_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text("hosts: {w1: {memory: 8G, cpus: 4, units: [revenue@0]}}", encoding="utf-8")
    shown = fleet("plan", str(path))
    assert shown.exit_code == 1
    assert "no daemon is called 'revenue'; there are crawl, careers" in shown.stderr
    assert fleet("plan", str(tmp_path / "none.yml")).exit_code == 1
    (problem,) = json.loads(fleet("plan", str(path), "--json").stdout)["problems"]
    assert "revenue" in problem


@pytest.fixture
def two(dsn: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of a fleet of two servers, on whose w1 everything beats; nothing ever did on w2."""
    path = tmp_path / "two.yml"
    path.write_text(
        "hosts:\n  w1: {memory: 8G, cpus: 4, units: [crawl@0-5, enrich@text:3]}\n"
        "  w2: {memory: 8G, cpus: 4, units: [api@0]}\n",
        encoding="utf-8",
    )
    asyncio.run(_beat(dsn, "w1", "crawl@0-5", "enrich@text:3", "keeper@w1"))
    monkeypatch.setattr(cli, "settle", partial(settle, pause_s=0.01))
    return {"VAKANZ_DSN": dsn, "VAKANZ_REDIS_URL": redis_url, "VAKANZ_FLEET": str(path), "VAKANZ_HOST": "w2"}


async def _beat(dsn: str, host: str, *units: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.executemany(
        "INSERT INTO daemon (unit, host, pid, version, started_at, heartbeat_at, progress_at, state, memory_bytes)"
        " VALUES ($1, $2, 1, '2', now(), now(), now(), 'idle', 70000000)",
        [(unit, host) for unit in units],
    )
    await connection.close()


def test_the_gate_opens_for_a_server_that_is_well(two: dict[str, str]) -> None:
    shown = fleet("health", "--host", "w1", "--version", "2", **two)
    assert shown.exit_code == 0, shown.output
    assert "w1: all 3 daemons are well" in shown.stdout


def test_the_gate_stays_closed_with_a_reason_for_each_unit(two: dict[str, str]) -> None:
    shown = fleet("health", "--host", "w1", "--version", "3", "--within", "1", **two)
    assert shown.exit_code == 1
    assert shown.stdout.count("runs version 2, not 3") == 3
    document = json.loads(fleet("health", "--within", "1", "--json", **two).stdout)
    assert document["well"] is False
    assert document["units"]["enrich@text:3"] == {"host": "w1", "reason": None}
    assert document["units"]["api@0"] == {"host": "w2", "reason": "has never beaten"}


def test_an_api_has_to_answer_on_its_own_server(two: dict[str, str], dsn: str) -> None:
    class Ready(BaseHTTPRequestHandler):
        status = 503

        def do_GET(self) -> None:
            self.send_response(self.status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    asyncio.run(_beat(dsn, "w2", "api@0", "keeper@w2"))
    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        two["VAKANZ_API_PORT"] = str(server.server_port)
        closed = fleet("health", "--host", "w2", "--within", "1", **two)
        assert (closed.exit_code, "/readyz answers 503" in closed.stdout) == (1, True)
        Ready.status = 200
        assert fleet("health", "--host", "w2", **two).exit_code == 0
        server.shutdown()
    gone = fleet("health", "--host", "w2", "--within", "1", **two)
    assert (gone.exit_code, "does not answer" in gone.stdout) == (1, True)
    assert fleet("health", "--host", "w2", **two | {"VAKANZ_HOST": "w1"}).exit_code == 0


def test_a_host_or_a_map_that_is_not_there_is_a_clear_error(two: dict[str, str], tmp_path: Path) -> None:
    nobody = fleet("health", "--host", "w3", **two)
    assert isinstance(nobody.exception, VakanzError) and "there are w1, w2" in str(nobody.exception)
    missing = fleet("status", **two | {"VAKANZ_FLEET": str(tmp_path / "none.yml")})
    assert isinstance(missing.exception, ConfigError)


def test_the_status_shows_the_whole_fleet(two: dict[str, str], dsn: str) -> None:
    asyncio.run(_beat(dsn, "w9", "geo@0"))

    async def trouble() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(
            "INSERT INTO hold (target, held_by, why, until) VALUES ('crawl@*', 'ops', 'a slow disk', now() + '1 h')"
        )
        await connection.execute(
            "INSERT INTO incident (id, key, kind, title, host, content, hosts, opened_at) VALUES"
            " (gen_random_uuid(), 'host: w2', 'host', 'w2 is silent', 'w2', '{}', '{w1}', now() - interval '5 min')"
        )
        await connection.close()

    asyncio.run(trouble())
    shown = fleet("status", **two)
    assert shown.exit_code == 0, shown.output
    for part in (
        "3 of 3",
        "0 of 2",
        "api@0 has never beaten",
        "a slow disk",
        "w2 is silent",
        "geo@0 on w9",
        "210.0 MB",
    ):
        assert part in shown.stdout
    document = json.loads(fleet("status", "--json", **two).stdout)
    assert document["hosts"]["w1"]["held"] == ["crawl@0-5"]
    assert document["hosts"]["w2"]["ailing"] == {"api@0": "has never beaten", "keeper@w2": "has never beaten"}
    assert [one["title"] for one in document["incidents"]] == ["w2 is silent"]
