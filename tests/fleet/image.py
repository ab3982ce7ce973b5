"""The image that every host starts from: Debian 12 as a hoster hands it over, and a package repository beside it.

Built once with debootstrap and kept under CACHE by what goes into it. Where packages come from is read from this
machine's own apt settings.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.fleet.command import run

CACHE = Path("/var/cache/vakanz-rehearsal")
SUITE = "bookworm"
_MIRROR = "http://deb.debian.org/debian"
_BASE = (
    "ca-certificates", "dbus", "iproute2", "iputils-ping", "libpam-systemd", "netbase", "openssh-server", "procps",
    "python3", "python3-apt", "sudo", "systemd", "systemd-sysv", "tzdata",
)  # fmt: skip
_LIMIT_S = 900.0
_REPOSITORY = "srv/packages"
# A host that nobody took down, because the rehearsal was killed and never came back, ends by itself.
_END = """[Unit]
Description=The end of a forgotten host
[Timer]
OnBootSec=4h
Unit=poweroff.target
[Install]
WantedBy=timers.target
"""
_FILES = {
    "etc/apt/sources.list": f"deb [trusted=yes] file:/{_REPOSITORY} ./\n",
    "etc/dpkg/dpkg.cfg.d/rehearsal": "force-unsafe-io\n",  # a host that loses its disk is made anew
    "etc/hostname": "",
    "etc/machine-id": "",
    "etc/resolv.conf": "",
    "etc/systemd/system/forgotten.timer": _END,
    "etc/ssh/sshd_config.d/rehearsal.conf": "UseDNS no\nMaxStartups 100\nMaxSessions 100\n",
}
_RECIPE = 1  # raise it when what is done below changes


def packages() -> tuple[str, ...]:
    """What the repository of the image offers."""
    lines = Path(__file__).with_name("packages.txt").read_text(encoding="utf-8").splitlines()
    return tuple(sorted({line.strip() for line in lines if line.strip() and not line.startswith("#")}))


def image(*, rebuild: bool = False) -> Path:
    """The image's folder, built if it is not there (two minutes); never written to afterwards.

    Raises CommandFailed.
    """
    root = CACHE / image_name(packages())
    with _locked(CACHE / "build.lock"):
        if rebuild:
            shutil.rmtree(root, ignore_errors=True)
        if not root.exists():
            partial = root.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            _build(partial)
            partial.rename(root)
    return root


def image_name(offered: Sequence[str]) -> str:
    """A name that differs where the image would."""
    recipe = (str(_RECIPE), SUITE, *_BASE, "", *offered, "", *(f"{name}\n{text}" for name, text in _FILES.items()))
    return hashlib.sha256("\n".join(recipe).encode()).hexdigest()[:16]


def mirror(sources: str, suite: str = SUITE) -> str:
    """The address from which this machine gets `suite`, out of its apt sources in either format."""
    for stanza in re.split(r"\n\s*\n", sources):
        fields = dict(re.findall(r"^(\w[\w-]*):[ \t]*(.*)$", stanza, re.MULTILINE))
        if suite in fields.get("Suites", "").split() and fields.get("URIs"):
            return str(fields["URIs"].split()[0])
    found = re.search(rf"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+{suite}\s", sources, re.MULTILINE)
    return found[1] if found else _MIRROR


def proxy(dump: str) -> dict[str, str]:
    """The environment that names the proxy of `apt-config dump`, empty where there is none."""
    found = re.search(r'^Acquire::http::Proxy "([^"]+)";', dump, re.MULTILINE)
    return {"http_proxy": found[1]} if found and found[1] != "DIRECT" else {}


def _build(root: Path) -> None:
    environment = {**os.environ, **proxy(run(["apt-config", "dump"])), "DEBIAN_FRONTEND": "noninteractive"}
    lists = (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*")))
    source = mirror("\n\n".join(file.read_text(encoding="utf-8") for file in lists if file.is_file()))
    debootstrap = ["debootstrap", "--variant=minbase", f"--include={','.join(_BASE)}", SUITE, str(root), source]
    run(debootstrap, limit_s=_LIMIT_S, environment=environment)
    (root / "etc/apt/sources.list").write_text(f"deb {source} {SUITE} main\n", encoding="utf-8")
    shutil.copyfile("/etc/resolv.conf", root / "etc/resolv.conf")
    inside = ["chroot", str(root), "apt-get", "-qq", "-o", "Acquire::Languages=none"]
    run([*inside, "update"], limit_s=_LIMIT_S, environment=environment)
    only = ["install", "--download-only", "--no-install-recommends", "--yes", "--", *packages()]
    run([*inside, *only], limit_s=_LIMIT_S, environment=environment)
    offered = root / _REPOSITORY
    offered.mkdir()
    for archive in (root / "var/cache/apt/archives").glob("*.deb"):
        archive.rename(offered / archive.name)
    (offered / "Packages").write_text("\n".join(_entries(offered)), encoding="utf-8")
    for name, text in _FILES.items():
        (root / name).write_text(text, encoding="utf-8")
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    shutil.rmtree(root / "var/lib/apt/lists")
    run([*inside, "update"], environment=environment)
    run(["systemctl", f"--root={root}", "enable", "forgotten.timer", "systemd-networkd.service"])


def _entries(folder: Path) -> Iterator[str]:
    for archive in sorted(folder.glob("*.deb")):
        control = run(["dpkg-deb", "--field", str(archive)]).strip()
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        yield f"{control}\nFilename: ./{archive.name}\nSize: {archive.stat().st_size}\nSHA256: {digest}\n"


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
