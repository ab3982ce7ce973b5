"""`vakanz careers` as an operator types it."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import orjson
import pytest
from typer.testing import CliRunner

from daemons.careers.cli import careers_app
from lib.errors import VakanzError
from tests.sim import Market, running
from tests.sim.careers import Sites
from tests.sim.market import FIRST_DAY


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(careers_app, list(arguments))
    if isinstance(result.exception, VakanzError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def settings(dsn: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {"DSN": dsn, "REDIS_URL": redis_url, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(f"VAKANZ_{name}", value)
    monkeypatch.setenv("COLUMNS", "250")
    return monkeypatch


async def test_a_site_is_added_crawled_and_shown(settings: pytest.MonkeyPatch) -> None:
    sites = Sites(1, 3, FIRST_DAY, postings=3)
    site = sites.sites[2]
    async with running(Market(1, 1, 1), sites=sites) as sim:
        settings.setenv("VAKANZ_SIMULATOR", sim.url)

        async def say(*arguments: str) -> str:
            return await anyio.to_thread.run_sync(lambda: invoke(*arguments))

        added = orjson.loads(await say("add", site.url, "--company", "Acme GmbH", "--json"))
        assert (added["tenant"], added["added"]) == (site.tenant, True)
        assert "known already" in await say("add", site.url)
        ran = orjson.loads(await say("run", site.url, "--json"))
        assert (ran["seen"], ran["new"], ran["error"]) == (3, 3, None)
        (listed,) = (orjson.loads(line) for line in (await say("list", "--json")).splitlines())
        assert (listed["open"], listed["pages"], listed["browser"], listed["aside"]) == (3, 4, 0, 0)
        pages = [orjson.loads(line) for line in (await say("show", site.tenant, "--json")).splitlines()]
        assert sorted(page["kind"] for page in pages) == ["ad", "ad", "ad", "list"]
        assert site.tenant in await say("list")
        assert "karriere" in await say("show", str(added["id"]))


def test_what_is_no_site_of_ours_is_a_clear_error(settings: pytest.MonkeyPatch) -> None:
    with pytest.raises(VakanzError, match="no address"):
        invoke("add", "https://10.0.0.7/")
    with pytest.raises(VakanzError, match="vakanz board add"):
        invoke("add", "https://jobs.lever.co/acme")
    with pytest.raises(VakanzError, match="careers list"):
        invoke("show", "www.unknown.example")
