"""`make units`: how systemd-analyze rates what each unit may do, from 0 (nothing) to 10 (anything)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UNITS = Path(__file__).parents[1] / "systemd"
PROGRAM = "/opt/vakanz/current/bin/vakanz"
EXECUTABLE_MEMORY = frozenset({"browser", "fulltext", "api", "discover"})  # these compile models or scripts as they run
_LEVEL = re.compile(r"Overall exposure level for \S+: (\d+\.\d+)")


def names() -> list[str]:
    """Every service as it runs, templates as an instance."""
    return sorted(file.name.replace("@.", "@3.") for file in UNITS.glob("*.service"))


def bound(unit: str) -> float:
    """What a unit's rating must stay below."""
    return 3.0 if unit.removeprefix("vakanz-").partition("@")[0] in EXECUTABLE_MEMORY else 2.0


def installed(root: Path) -> Path:
    """Copies all units into `root`, with a program that is there, and returns their folder."""
    folder = root / "etc" / "systemd" / "system"
    shutil.copytree(UNITS, folder)
    for file in folder.glob("*.service"):
        file.write_text(file.read_text(encoding="utf-8").replace(PROGRAM, shutil.which("true") or PROGRAM))
    return folder


def rating(root: Path, unit: str) -> float:
    """What systemd-analyze thinks of one unit installed in `root`. Raises RuntimeError when it does not say."""
    said = _analyze("security", "--offline=true", f"--root={root}", unit)
    level = _LEVEL.search(said.stdout)
    if level is None:
        raise RuntimeError(f"{unit}: {said.stderr or said.stdout}")
    return float(level[1])


def verified(folder: Path, units: list[str]) -> str:
    """What systemd-analyze has to say against units of `folder`; nothing when all is well."""
    return _analyze("verify", *units, path=f"{folder}:").stderr


def _analyze(*arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "SYSTEMD_PAGER": "", "SYSTEMD_UNIT_PATH": path, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False,
        env={name: value for name, value in environment.items() if value},
    )  # fmt: skip


def main() -> None:
    """Prints the table; exit code 1 when a unit may do more than it should."""
    with tempfile.TemporaryDirectory() as folder:
        installed(Path(folder))
        rated = {unit: rating(Path(folder), unit) for unit in names()}
    for unit, level in rated.items():
        sys.stdout.write(f"{unit:32} {level:4.1f}  below {bound(unit)}\n")
    raise SystemExit(any(level >= bound(unit) for unit, level in rated.items()))


if __name__ == "__main__":
    main()
