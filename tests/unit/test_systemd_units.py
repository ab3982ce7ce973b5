"""The units: they say what is there, ask for no more than they need, and a template exists for every daemon."""

from __future__ import annotations

import re
import shutil
from dataclasses import fields
from pathlib import Path

import pytest

from lib.life import actor
from lib.life.config import Config
from lib.life.domains import DOMAINS
from tests import units

analyzed = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
_OWN = ("User=", "Restart=", "WatchdogSec=", "TimeoutStopSec=", "OOMPolicy=", "TasksMax=", "KillMode=")


def test_every_daemon_has_a_template_and_every_template_a_daemon() -> None:
    templates = {file.name.removeprefix("vakanz-").removesuffix("@.service") for file in units.UNITS.glob("*@.service")}
    assert templates == set(DOMAINS)


@pytest.mark.parametrize("file", sorted(units.UNITS.glob("*@.service")), ids=lambda file: file.name)
def test_a_template_says_what_its_daemon_is_and_how_large(file: Path) -> None:
    text, domain = file.read_text(encoding="utf-8"), file.name.removeprefix("vakanz-").partition("@")[0]
    assert f"\nExecStart={units.PROGRAM} daemon {domain}@%i\n" in text
    assert "\nMemoryHigh=" in text and "\nMemoryMax=" in text and "WantedBy=vakanz.target" in text
    # Drop-ins win over the unit: what those say would be lost here.
    assert not [line for line in text.splitlines() if line.startswith(_OWN)]


@pytest.mark.parametrize("file", sorted(units.UNITS.glob("*.service")), ids=lambda file: file.name)
def test_a_unit_is_in_a_slice_that_exists(file: Path) -> None:
    slices = [line.partition("=")[2] for line in file.read_text().splitlines() if line.startswith("Slice=")]
    assert all((units.UNITS / name).is_file() for name in slices)
    assert slices or file.name == "vakanz-keeper.service"  # beside the daemons, not among them


def test_secrets_are_settings_and_a_missing_one_fails_no_unit() -> None:
    known = {one.name for one in fields(Config)}
    for file in (*units.UNITS.rglob("*.service"), *units.UNITS.rglob("*.conf")):
        lines = file.read_text(encoding="utf-8").splitlines()
        loaded = [line.partition("=")[2].partition(":") for line in lines if line.startswith("LoadCredential=")]
        for name, _, path in loaded:
            assert name in known, f"{file.name}: {name} is no setting"
            assert path == f"/etc/vakanz/credentials/{name}"
            assert f"SetCredential={name}:\\n" in lines


def test_systemd_waits_longer_than_a_daemon_takes_to_end() -> None:
    life = (units.UNITS / "vakanz-@.service.d" / "10-life.conf").read_text(encoding="utf-8")
    found = re.search(r"^TimeoutStopSec=(\d+)$", life, re.MULTILINE)
    assert found is not None and int(found[1]) > Config().drain_s + actor.ENDING_S + actor.CLEANUP_S


@analyzed
@pytest.mark.parametrize("unit", units.names())
def test_the_sandbox_is_tight(unit: str, tmp_path: Path) -> None:
    units.installed(tmp_path)
    assert units.rating(tmp_path, unit) < units.bound(unit)


@analyzed
def test_systemd_finds_nothing_to_say_against_the_units(tmp_path: Path) -> None:
    folder = units.installed(tmp_path)
    others = [file.name for kind in ("slice", "target", "timer") for file in folder.glob(f"*.{kind}")]
    assert units.verified(folder, units.names() + others) == ""


@analyzed
def test_drop_ins_of_all_daemons_reach_an_instance(tmp_path: Path) -> None:
    folder = units.installed(tmp_path)
    for drop_in in ("vakanz-.service.d", "vakanz-@.service.d"):
        (folder / drop_in / f"{len(drop_in)}-odd.conf").write_text("[Service]\nUnheardOf=1\n")
    said = units.verified(folder, ["vakanz-descriptions@3.service"])
    assert said.count("UnheardOf") == 2
