"""`vakanz fleet` as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from keeper.fleet.cli import fleet_app

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
    for part in ("geo@0 to 24", "crawl@0 to 5", "enrich@place.salary.employment", "65,536 MiB", "pgbouncer", "63"):
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
    assert document["daemons"] == 63


def test_what_is_no_map_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text("hosts: {w1: {memory: 8G, cpus: 4, units: [gateway@0]}}", encoding="utf-8")
    shown = fleet("plan", str(path))
    assert shown.exit_code == 1
    assert "no daemon is called 'gateway'; there are crawl, careers" in shown.stderr
    assert fleet("plan", str(tmp_path / "none.yml")).exit_code == 1
    (problem,) = json.loads(fleet("plan", str(path), "--json").stdout)["problems"]
    assert "gateway" in problem
