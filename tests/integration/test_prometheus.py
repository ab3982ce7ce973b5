"""A real Prometheus with the role's description finds and reads a fleet."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import aiohttp
import anyio
import jinja2
import pytest
import yaml
from aiohttp.test_utils import TestServer
from anyio.streams.text import TextReceiveStream

from api.app import create_app
from lib.life.config import Config
from lib.store.connections import Cache, Database
from tests.integration.open_market import encoders

ROLE = Path(__file__).parents[2] / "ansible" / "roles" / "monitoring"
MAP = """
hosts:
  master: {memory: 16G, cpus: 8, services: [postgres, redis, monitoring], units: [api@0, crawl@0]}
"""


def description(folder: Path, api: str) -> Path:
    """The role's prometheus.yml, without rules and in a hurry."""
    template = jinja2.Template((ROLE / "templates" / "prometheus.yml.j2").read_text(), trim_blocks=True)
    variables = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    variables |= {"monitoring_apis": [api], "monitoring_interval": "1s", "ansible_managed": "managed"}
    path = folder / "prometheus.yml"
    (folder / "rules.yml").write_text("groups: []\n")
    path.write_text(template.render(variables | {"monitoring_rules_path": str(folder / "rules.yml")}))
    return path


@asynccontextmanager
async def prometheus(program: str, description: Path) -> AsyncIterator[str]:
    """Its address while it runs."""
    command = [
        program, f"--config.file={description}", f"--storage.tsdb.path={description.parent / 'data'}",
        "--web.listen-address=127.0.0.1:0",
    ]  # fmt: skip
    async with await anyio.open_process(command, stdout=DEVNULL, stderr=PIPE) as process:
        try:
            assert process.stderr is not None
            said = ""
            async for part in TextReceiveStream(process.stderr):
                said += part
                if listening := re.search(r'"Listening on" address=(\S+)', said):
                    yield listening[1]
                    return
            raise AssertionError(f"Prometheus did not start: {said}")
        finally:
            process.kill()


async def test_prometheus_finds_and_reads_the_fleet(database: Database, cache: Cache, tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is absent")
    (tmp_path / "fleet.yml").write_text(MAP)
    config = Config(host="master", fleet=tmp_path / "fleet.yml")
    async with TestServer(create_app(config, database, cache, encoders())) as server:
        api = f"127.0.0.1:{server.port}"
        for unit, address in (("api@0", api), ("crawl@0", None)):
            await database.execute(
                "INSERT INTO daemon (unit, host, pid, version, started_at, heartbeat_at, progress_at, state,"
                " metrics_address) VALUES ($1, 'master', 1, '1', now(), now(), now(), 'idle', $2)",
                unit, address,
            )  # fmt: skip
        with anyio.fail_after(50):
            async with prometheus(program, description(tmp_path, api)) as address, aiohttp.ClientSession() as client:

                async def ask(query: str) -> list[dict[str, str]]:
                    while True:
                        async with client.get(f"http://{address}/api/v1/query", params={"query": query}) as answer:
                            if answer.status == 200:  # not before it has read its data
                                found: list[Any] = (await answer.json())["data"]["result"]
                                if found:
                                    return [one["metric"] | {"value": one["value"][1]} for one in found]
                        await anyio.sleep(0.2)

                read = await ask("vakanz_daemon_running")
                # The figures' own words win over those of the API that shows them.
                assert {one["unit"] for one in read} == {"api@0", "crawl@0"}
                assert not any(name.startswith("exported_") for one in read for name in one)
                (own,) = await ask('up{job="vakanz"}')
                assert (own["unit"], own["host"], own["instance"], own["value"]) == ("api@0", "master", api, "1")
                nodes = await ask('up{job="node"}')
                assert [(one["host"], one["instance"]) for one in nodes] == [("master", "master:9100")]
                assert not any(name.startswith("__") for one in (own, *nodes) for name in one if name != "__name__")
