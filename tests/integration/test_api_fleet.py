"""What the API tells Prometheus of the fleet: where figures are, and what the control plane knows."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.server import serve
from lib.life.actor import Life
from lib.life.config import Config
from lib.store.connections import Cache, Connection, Database
from lib.store.spans import place
from tests.integration.open_market import encoders
from tests.integration.spending import ask, ledger

Client = TestClient[Any, Any]
Figures = dict[tuple[str, str], float]

MAP = """
hosts:
  master: {memory: 16G, cpus: 8, services: [nginx, monitoring, postgres, redis], units: [api@0]}
  w2: {memory: 16G, cpus: 8, units: [crawl@0]}
"""


@pytest.fixture
async def client(database: Database, cache: Cache, tmp_path: Path) -> AsyncIterator[Client]:
    """On the machine `master` of a fleet of two."""
    (tmp_path / "fleet.yml").write_text(MAP)
    config = Config(host="master", fleet=tmp_path / "fleet.yml")
    async with TestClient(TestServer(create_app(config, database, cache, encoders()))) as client:
        yield client


async def daemon(database: Database, unit: str, host: str = "w1", address: str | None = None, **values: str) -> None:
    """A daemon that beat just now; `values` are further columns, as SQL."""
    given = {"heartbeat_at": "now()", "stop_requested": "false", "state": "'working'"} | values
    await database.execute(
        "INSERT INTO daemon (unit, host, pid, version, started_at, progress_at, memory_bytes, metrics_address,"
        f" {', '.join(given)}) VALUES ($1, $2, 1, '1.2', now(), now(), 5000, $3, {', '.join(given.values())})",
        unit, host, address,
    )  # fmt: skip


async def figures(client: Client) -> Figures:
    """Value by (name, label values joined by a blank)."""
    text = await (await client.get("/metrics")).text()
    return {
        (sample.name, " ".join(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def targets(client: Client) -> dict[str, dict[str, str]]:
    response = await client.get("/fleet/targets")
    assert response.status == 200, await response.text()
    assert response.headers["Content-Type"] == "application/json"
    return {address: one["labels"] for one in await response.json() for address in one["targets"]}


async def test_targets_are_daemons_with_figures_and_every_server(client: Client, database: Database) -> None:
    await daemon(database, "crawl@0", "w2", "w2:9201")
    await daemon(database, "upkeep@0", "master")
    assert await targets(client) == {
        "w2:9201": {"unit": "crawl@0", "host": "w2", "__meta_vakanz_kind": "daemon"},
        "master:9100": {"host": "master", "__meta_vakanz_kind": "host"},
        "w2:9100": {"host": "w2", "__meta_vakanz_kind": "host"},
    }


async def test_what_only_its_own_machine_reaches_is_told_there(client: Client, database: Database) -> None:
    for unit, host, address in (
        ("api@0", "master", "127.0.0.1:8080"),
        ("api@1", "w2", "127.0.0.1:8080"),
        ("api@2", "w2", "[::1]:8080"),
        ("api@3", "w2", "localhost:8080"),
    ):
        await daemon(database, unit, host, address)
    found = await targets(client)
    assert found.pop("127.0.0.1:8080")["unit"] == "api@0"
    assert set(found) == {"master:9100", "w2:9100"}


async def test_a_daemon_that_left_the_map_is_no_target(client: Client, database: Database) -> None:
    await daemon(database, "crawl@0", "w2", "w2:9201")
    await daemon(database, "careers@0", "w2", "w2:9202")
    await place(database, {"w2": ["crawl@0", "careers@0"]})
    await place(database, {"w2": ["crawl@0"]})
    assert "w2:9201" in await targets(client)
    assert "w2:9202" not in await targets(client)


async def test_without_a_map_there_are_no_servers(database: Database, cache: Cache, tmp_path: Path) -> None:
    config = Config(fleet=tmp_path / "none.yml")
    async with TestClient(TestServer(create_app(config, database, cache, encoders()))) as client:
        assert await targets(client) == {}


async def test_a_broken_map_says_so(database: Database, cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "fleet.yml").write_text("hosts: [1, 2")
    config = Config(fleet=tmp_path / "fleet.yml")
    async with TestClient(TestServer(create_app(config, database, cache, encoders()))) as client:
        response = await client.get("/fleet/targets")
        assert response.status == 503
        assert "fleet.yml" in (await response.json())["detail"]


async def test_targets_are_for_this_machine_or_a_key(database: Database, cache: Cache) -> None:
    config = Config(api_host="0.0.0.0")
    async with TestClient(TestServer(create_app(config, database, cache, encoders()))) as client:
        assert (await client.get("/fleet/targets")).status == 401


async def test_an_api_tells_where_its_figures_are(
    database: Database, cache: Cache, dsn: str, redis_url: str, tmp_path: Path
) -> None:
    config = Config(home=tmp_path, dsn=dsn, redis_url=redis_url, host="master", api_port=0)
    life = Life("api@0", config, database, cache)
    urls: list[str] = []

    def ready(url: str) -> None:
        urls.append(url)
        life.stop.set()

    with anyio.fail_after(10):
        await serve(life, ready)
    assert urls == [f"http://{life.metrics_address}"]


async def test_what_every_daemon_does_and_should_do(client: Client, database: Database) -> None:
    await daemon(database, "crawl@0", heartbeat_at="now() - interval '70 s'")
    await daemon(database, "careers@0", stop_requested="true", state="'stopped'")
    await daemon(database, "upkeep@0", "w2")
    await database.execute(
        "INSERT INTO hold (target, held_by, why, until) VALUES ('w2', 'x', 'disks', now() + interval '1 h')"
    )
    found = await figures(client)
    assert found["vakanz_daemon_silent_seconds", "w1 crawl@0"] == pytest.approx(70, abs=5)
    assert found["vakanz_daemon_memory_bytes", "w1 crawl@0"] == 5000
    assert found["vakanz_daemon_info", "w1 crawl@0 1.2"] == 1
    assert [found["vakanz_daemon_running", unit] for unit in ("w1 crawl@0", "w1 careers@0", "w2 upkeep@0")] == [1, 0, 1]
    assert [found["vakanz_daemon_wanted", unit] for unit in ("w1 crawl@0", "w1 careers@0", "w2 upkeep@0")] == [1, 0, 0]


async def test_the_map_decides_who_is_shown(client: Client, database: Database) -> None:
    await daemon(database, "crawl@0", "w2")
    await daemon(database, "crawl@1", "w2")
    await place(database, {"w2": ["crawl@0", "crawl@1", "crawl@2"]})
    await place(database, {"w2": ["crawl@0", "crawl@2"]})
    await database.execute("UPDATE placement SET placed_at = now() - interval '1 h'")
    found = await figures(client)
    shown = {labels for name, labels in found if name == "vakanz_daemon_silent_seconds"}
    assert shown == {"w2 crawl@0", "w2 crawl@2"}
    assert found["vakanz_daemon_silent_seconds", "w2 crawl@2"] == pytest.approx(3600, abs=5)
    assert found["vakanz_daemon_running", "w2 crawl@2"] == 0


async def test_uptime_and_restarts(client: Client, database: Database) -> None:
    await database.execute(
        "INSERT INTO daemon_span (unit, host, began_at, pid, beat_at) VALUES"
        " ('crawl@0', 'w1', now() - interval '40 h', 1, now() - interval '30 h'),"
        " ('crawl@0', 'w1', now() - interval '29 h', 2, now() - interval '11 h'),"
        " ('crawl@0', 'w1', now() - interval '10 h', 3, now())"
    )
    found = await figures(client)
    assert found["vakanz_daemon_uptime_ratio", "w1 crawl@0"] == pytest.approx(38 / 40, abs=1e-3)
    assert found["vakanz_fleet_uptime_ratio", ""] == pytest.approx(38 / 40, abs=1e-3)
    assert math.isnan(found["vakanz_serving_uptime_ratio", ""])
    assert found["vakanz_daemon_restarts", "w1 crawl@0"] == 1


async def test_incidents_and_messages(client: Client, database: Database) -> None:
    await database.execute(
        "INSERT INTO incident (id, key, kind, title, host, content, hosts, opened_at, closed_at) VALUES"
        " (gen_random_uuid(), 'miss: a', 'miss', '', '', '{}', '{}', now(), NULL),"
        " (gen_random_uuid(), 'miss: b', 'miss', '', '', '{}', '{}', now(), NULL),"
        " (gen_random_uuid(), 'host: c', 'host', '', '', '{}', '{}', now(), now())"
    )
    await database.execute(
        "INSERT INTO alert_outbox (id, channel, purpose, text, shown, created_at) VALUES"
        " (gen_random_uuid(), 'webhook', 'notice', 'new', 'old', now()),"
        " (gen_random_uuid(), 'webhook', 'notice', 'same', 'same', now())"
    )
    found = await figures(client)
    assert found["vakanz_incidents_open", "miss"] == 2
    assert ("vakanz_incidents_open", "host") not in found
    assert found["vakanz_alert_messages_waiting", ""] == 1


async def test_a_transaction_that_writes_holds_up_the_horizon(client: Client, database: Database) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute("SELECT pg_current_xact_id()")
        await anyio.sleep(0.2)
        assert (await figures(client))["vakanz_horizon_age_seconds", ""] >= 0.2

    await database.transaction(work)


async def test_credits_are_shown_once_some_were_asked_for(client: Client, database: Database) -> None:
    assert ("vakanz_credits", "used") not in await figures(client)
    await ledger(database).reserve(ask(None))
    found = await figures(client)
    assert [found["vakanz_credits", what] for what in ("granted", "used", "reserved")] == [1_000, 0, 5]


async def test_an_empty_market_has_no_age(client: Client) -> None:
    found = await figures(client)
    assert found["vakanz_open_postings", ""] == 0
    assert math.isnan(found["vakanz_newest_posting_age_seconds", ""])


async def test_requests_are_counted_by_operation(client: Client) -> None:
    before = await figures(client)
    for path in ("/jobs/7", "/jobs/8", "/nowhere", "/healthz"):
        await client.get(path)
    after = await figures(client)

    def more(path: str, status: int) -> float:
        key = ("vakanz_requests_total", f"{path} {status}")
        return after.get(key, 0) - before.get(key, 0)

    assert more("/jobs/{id}", 401) == 2
    assert more("other", 401) == 1
    assert more("/healthz", 200) == 1
    assert after["vakanz_request_seconds_count", "/healthz"] >= 1
