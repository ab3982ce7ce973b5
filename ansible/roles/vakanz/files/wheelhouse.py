"""Makes on the control machine what a release is installed from, and prints as JSON where it is.

`dependencies.tar` has every wheel that the lock names for the hosts' Python, and the installer; it is called by a hash
of the lock. `release.tar` has the wheel of Vakanz with its hash, and the units of systemd; it is called by a hash of
the source. Both are made where they are missing only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

INSTALLER = Path(__file__).with_name("installer.txt")
_NUMBER = re.compile(r'^version = "[^"]*"$', re.MULTILINE)
_EPOCH = 1_577_836_800  # of all files in what is made, so that the same source gives the same bytes
_OLDEST_GLIBC = 5


@dataclass(frozen=True)
class Target:
    """The hosts that wheels are for: Python without its patch number, glibc's minor version, processor."""

    python: str
    glibc: int
    machine: str

    def wants(self, line: str) -> bool:
        """Whether a line of a lock is for some patch release of this Python on Linux."""
        marker = Requirement(line).marker
        common = {"python_version": self.python, "sys_platform": "linux", "platform_machine": self.machine}
        common |= {"os_name": "posix", "platform_system": "Linux", "implementation_name": "cpython"}
        return marker is None or any(
            marker.evaluate({**common, "python_full_version": f"{self.python}.{patch}"}) for patch in range(30)
        )

    @property
    def options(self) -> list[str]:
        """What tells pip to fetch for these hosts, not for this machine."""
        tags = [f"manylinux_2_{minor}" for minor in range(self.glibc, _OLDEST_GLIBC - 1, -1)] + ["manylinux2014"]
        platforms = [f"--platform={tag}_{self.machine}" for tag in tags]
        return ["--only-binary=:all:", "--no-deps", f"--python-version={self.python}", *platforms]


@dataclass(frozen=True)
class Made:
    """What hosts need to know: files on this machine, and the names of folders."""

    version: str
    lock: str
    source: str
    dependencies: str
    release: str
    made: tuple[str, ...]


class Unusable(Exception):
    """The source cannot be made into a release; the message says why."""


def main(line: Sequence[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="a checkout")
    parser.add_argument("--into", type=Path, required=True, help="folder that keeps what was made")
    parser.add_argument("--version", default="", help="instead of the one in pyproject.toml")
    parser.add_argument("--python", default="3.11", help="of the hosts (default: %(default)s)")
    parser.add_argument("--glibc", type=int, default=36, help="minor version on the hosts (default: %(default)s)")
    parser.add_argument("--machine", default="x86_64", help="processor of the hosts (default: %(default)s)")
    given = parser.parse_args(line)
    try:
        made = make(given.source, given.into, given.version, Target(given.python, given.glibc, given.machine))
    except (Unusable, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"error: {' '.join(error.cmd[:6])} ...: exit code {error.returncode}\n{error.stderr}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(made)) + "\n")
    return 0


def make(source: Path, into: Path, version: str, target: Target) -> Made:
    """Both archives. Raises Unusable, OSError, CalledProcessError."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    version = _checked(version or project["project"]["version"])
    lock = source / "requirements" / "run.txt"
    files = sorted(_sources(source, project))
    lock_name = _digest([lock, INSTALLER], Path("/"), repr(target))
    source_name = _digest(files, source, f"{version} {lock_name}")
    dependencies = into / f"dependencies-{lock_name}.tar"
    release = into / f"release-{version}-{source_name}.tar"
    into.mkdir(parents=True, exist_ok=True)
    missing = [file for file in (dependencies, release) if not file.exists()]
    with tempfile.TemporaryDirectory(dir=into, prefix=".making-") as scratch:
        if dependencies in missing:
            _make_dependencies(lock, target, Path(scratch), dependencies)
        if release in missing:
            _make_release(files, source, version, dependencies, Path(scratch), release)
    return Made(version, lock_name, source_name, str(dependencies), str(release), tuple(file.name for file in missing))


def lines(lock: str, target: Target) -> Iterator[str]:
    """The entries of a lock that are for `target`, without their conditions: pip would judge by its own Python."""
    for entry in re.split(r"\n(?=\S)", lock):
        pinned, backslash, hashes = entry.partition(" \\\n")
        if not pinned.startswith("#") and pinned.strip() and target.wants(pinned):
            yield f"{pinned.partition(' ;')[0]}{backslash}{hashes}"


def _checked(version: str) -> str:
    try:
        normal = str(Version(version))
    except InvalidVersion:
        normal = ""
    if normal != version:
        raise Unusable(f"version {version}: a number such as {normal or '1.4.0'} is expected (PEP 440)")
    return version


def _sources(source: Path, project: dict[str, object]) -> Iterator[Path]:
    """Files that the wheel is built from, and the units. What a checkout has besides belongs to no release."""
    match project:
        case {"tool": {"setuptools": {"py-modules": modules, "packages": {"find": {"include": packages}}}}}:
            names = [f"{module}.py" for module in modules] + [package.rstrip("*") for package in packages]
        case _:
            raise Unusable(f"{source}: pyproject.toml does not say what belongs to the wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "requirements", "systemd", *names):
        place = source / name
        if not place.exists():
            raise Unusable(f"{place} is missing")
        found = [place] if place.is_file() else (file for file in place.rglob("*") if file.is_file())
        yield from (file for file in found if file.suffix != ".pyc")


def _digest(files: Sequence[Path], root: Path, word: str) -> str:
    digest = hashlib.sha256(word.encode())
    for file in files:
        name = file.relative_to(root) if root != Path("/") else Path(file.name)
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\n".encode())
    return digest.hexdigest()[:12]


def _make_dependencies(lock: Path, target: Target, scratch: Path, archive: Path) -> None:
    folder = scratch / "dependencies"
    wheels, installer = folder / "wheels", scratch / "installer"
    for wanted, place in ((lock, wheels), (INSTALLER, installer)):
        listed = scratch / "listed.txt"
        listed.write_text("\n".join(lines(wanted.read_text(encoding="utf-8"), target)) + "\n", encoding="utf-8")
        _pip("download", "--require-hashes", *target.options, f"--dest={place}", f"--requirement={listed}")
    with zipfile.ZipFile(next(installer.glob("uv-*.whl"))) as wheel:
        name = next(one for one in wheel.namelist() if one.endswith(".data/scripts/uv"))
        (folder / "uv").write_bytes(wheel.read(name))
    (folder / "uv").chmod(0o755)
    shutil.copyfile(lock, folder / "lock.txt")
    # The lock comes last: where it is, all of the archive is.
    _pack(archive, folder, ["uv", *sorted(f"wheels/{file.name}" for file in wheels.iterdir()), "lock.txt"])


def _make_release(
    files: Sequence[Path], source: Path, version: str, dependencies: Path, scratch: Path, archive: Path
) -> None:
    tree, folder, tools = scratch / "tree", scratch / "release", scratch / "tools"
    for file in files:
        place = tree / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    description = tree / "pyproject.toml"
    numbered = _NUMBER.sub(f'version = "{version}"', description.read_text(encoding="utf-8"), count=1)
    description.write_text(numbered, encoding="utf-8")
    tools.mkdir()
    with tarfile.open(dependencies) as packed:
        for one in packed:
            if one.name.startswith("wheels/setuptools-") and (wheel_file := packed.extractfile(one)) is not None:
                (tools / Path(one.name).name).write_bytes(wheel_file.read())
    _pip("wheel", "--no-index", f"--find-links={tools}", "--no-deps", f"--wheel-dir={folder}", str(tree))
    wheel = next(folder.glob("vakanz-*.whl"))
    pinned = f"vakanz=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
    (folder / "release.txt").write_text(pinned, encoding="utf-8")
    # A folder that is called by a version of systemd has what older ones would complain about.
    for units in (tree / "systemd", *(tree / "systemd").glob("[0-9][0-9][0-9]")):
        place = folder / "-".join(["units", *units.relative_to(tree / "systemd").parts])
        shutil.copytree(units, place, ignore=shutil.ignore_patterns("[0-9][0-9][0-9]"))
    names = (str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    _pack(archive, folder, sorted(names))


def _pip(*arguments: str) -> None:
    line = [sys.executable, "-m", "pip", arguments[0], "--quiet", "--disable-pip-version-check", *arguments[1:]]
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(_EPOCH)}
    subprocess.run(line, check=True, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)


def _pack(archive: Path, folder: Path, names: Sequence[str]) -> None:
    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = _EPOCH
        entry.mode = 0o755 if entry.mode & 0o100 else 0o644
        return entry

    partial = archive.with_suffix(".partial")
    with tarfile.open(partial, "w", format=tarfile.GNU_FORMAT) as packed:
        for name in names:
            packed.add(folder / name, name, filter=plain)
    partial.rename(archive)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
