"""One host: systemd booted by systemd-nspawn, from an overlay over the image, with one network card on a bridge.

Its mounts live in a mount namespace of their own and its processes in a control group of their own, so that nothing
stays when the group is killed, whoever kills it.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from tests.fleet.command import CommandFailed, run
from tests.fleet.groups import Group
from tests.fleet.network import Bridge

_NETWORK = """[Match]
Name=host0
[Network]
Address={address}/{bits}
LinkLocalAddressing=no
IPv6AcceptRA=no
"""
# Sorts before systemd's own 80-container-host0.network, which would ask for an address by DHCP.
_NETWORK_FILE = "etc/systemd/network/10-rehearsal.network"
_START = """set -e
mount -t overlay overlay -o "lowerdir=$IMAGE,upperdir=$HOST/upper,workdir=$HOST/work" "$HOST/root"
exec systemd-nspawn --boot --quiet --register=no --keep-unit --resolv-conf=off --timezone=off --link-journal=no \
  --console=read-only --directory="$HOST/root" --machine="$MACHINE" --hostname="$NAME" --network-bridge="$BRIDGE"
"""
_INSIDE = ("env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")


@dataclass(frozen=True)
class Machine:
    """A host of a lab. `folder` keeps its disk: `upper` is what differs from the image."""

    name: str
    label: str
    address: IPv4Address
    bridge: Bridge
    folder: Path

    @property
    def group(self) -> Group:
        """The control group that the host lives in."""
        return Group(f"vakanz-rehearsal-{self.label}/{self.name}")

    def prepare(self, files: Mapping[str, str]) -> None:
        """An empty disk with `files` (secret: mode 0600), a name and an address. The host must not be running."""
        own = {
            "etc/hostname": f"{self.name}\n",
            "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n",
            "etc/machine-id": f"{uuid.uuid4().hex}\n",
            _NETWORK_FILE: _NETWORK.format(address=self.address, bits=self.bridge.network.prefixlen),
        }
        for part in ("upper", "work", "root"):
            (self.folder / part).mkdir(parents=True)
        for folder in ("root", "root/.ssh"):
            (self.folder / "upper" / folder).mkdir(mode=0o700)
        for name, text in files.items() | own.items():
            file = self.folder / "upper" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600 if name in files else 0o644)

    def boot(self, image: Path) -> None:
        """Switches the host on; it is not up yet when this returns."""
        self.group.make()
        environment = {
            "PATH": os.environ["PATH"],
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
            "IMAGE": str(image),
            "HOST": str(self.folder),
            "MACHINE": f"{self.label}-{self.name}",
            "NAME": self.name,
            "BRIDGE": self.bridge.name,
        }
        with (self.folder / "console.log").open("ab") as console:
            subprocess.Popen(
                self.group.entering(["unshare", "--mount", "--propagation", "private", "sh", "-c", _START]),
                env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
            )  # fmt: skip

    def cut_power(self) -> None:
        """Switches the host off as a pulled plug does; `boot` brings it back with its disk as it was."""
        self.group.kill()

    @property
    def leader(self) -> int:
        """The process that is the host's first. Raises CommandFailed where the host is off."""
        with suppress(OSError, IndexError):
            scope = self.group.folders()[0] / "payload/init.scope/cgroup.procs"
            return int(scope.read_text(encoding="ascii").split()[0])
        raise CommandFailed(f"{self.name} is off")

    def run(self, line: Sequence[str], *, limit_s: float = 30.0, given: str | None = None) -> str:
        """What `line`, run in the host as root, writes; needs no network. Raises CommandFailed."""
        inside = ["nsenter", f"--target={self.leader}", "--all", *_INSIDE, *line]
        return run(inside, limit_s=limit_s, given=given)

    def shell(self, text: str, *, limit_s: float = 30.0) -> str:
        """The same for a line of sh."""
        return self.run(["sh", "-c", text], limit_s=limit_s)

    def card(self) -> str:
        """The bridge's end of the host's network cable. Raises CommandFailed."""
        index = self.run(["cat", "/sys/class/net/host0/iflink"]).strip()
        links = run(["ip", "-oneline", "link"])
        for line in links.splitlines():
            number, name, _ = line.split(":", 2)
            if number == index:
                return name.strip().partition("@")[0]
        raise CommandFailed(f"{self.name}: no network card number {index}")

    def cut_network(self) -> None:
        """Pulls the network cable: what is in flight is lost, neither side is told."""
        run(["ip", "link", "set", self.card(), "nomaster"])

    def heal_network(self) -> None:
        """Puts the cable back."""
        run(["ip", "link", "set", self.card(), "master", self.bridge.name])
