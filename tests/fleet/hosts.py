"""A lab: hosts side by side on a bridge of their own, with a key to enter them and an inventory that names them."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

import yaml

from tests.fleet.command import CommandFailed, run
from tests.fleet.groups import Group
from tests.fleet.image import image
from tests.fleet.machine import Machine
from tests.fleet.network import Bridge, bridge_name, remove

LABS = Path("/var/lib/vakanz-rehearsal")
_LABEL = re.compile(r"[a-z][a-z0-9-]{0,19}")
_NAME = re.compile(r"[a-z][a-z0-9]{0,14}")
_UP_S = 90.0
_SSH = """Host {name}
  HostName {address}
  User root
  IdentityFile {folder}/key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  StrictHostKeyChecking yes
  ConnectTimeout 3
  ServerAliveInterval 5
"""


@dataclass(frozen=True)
class Lab:
    """Hosts that are prepared; whether one is running, it knows itself."""

    label: str
    bridge: Bridge
    image: Path
    machines: tuple[Machine, ...]

    @property
    def folder(self) -> Path:
        """Where the lab's key, inventory and disks are."""
        return LABS / self.label

    @property
    def inventory(self) -> Path:
        """An Ansible inventory of the hosts, and nothing else."""
        return self.folder / "hosts.yml"

    def host(self, name: str) -> Machine:
        """The host that is called so. Raises CommandFailed."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise CommandFailed(f"{self.label} has no host {name}, only {', '.join(one.name for one in self.machines)}")

    def ssh(self, name: str, command: Sequence[str], *, limit_s: float = 30.0) -> str:
        """What `command` writes when it is run over SSH. Raises CommandFailed."""
        return run([*self.ssh_line(name), *command], limit_s=limit_s)

    def ssh_line(self, name: str) -> list[str]:
        """The program that enters the host."""
        return ["ssh", "-F", str(self.folder / "ssh_config"), name]

    def boot(self, machines: Sequence[Machine], *, limit_s: float = _UP_S) -> None:
        """Switches hosts on and waits until they are up. Raises CommandFailed, with what does not run there."""
        for machine in machines:
            machine.boot(self.image)
        until = time.monotonic() + limit_s
        with ThreadPoolExecutor(len(machines)) as pool:
            list(pool.map(lambda one: self._ready(one, until), machines))

    def _ready(self, machine: Machine, until: float) -> None:
        _by(until, machine, lambda: machine.run(["systemctl", "is-system-running", "--wait"], limit_s=30))
        _by(until, machine, lambda: self.ssh(machine.name, ["true"], limit_s=5))


def _by(until: float, machine: Machine, look: Callable[[], str]) -> None:
    """Tries until it works. Raises CommandFailed with what the host says of itself."""
    while True:
        try:
            look()
        except CommandFailed as error:
            if time.monotonic() > until:
                console = (machine.folder / "console.log").read_text(encoding="utf-8", errors="replace")
                raise CommandFailed(f"{machine.name} is not up: {error}\n{console[-1_500:]}") from None
            time.sleep(0.3)
        else:
            return


def up(label: str, names: Sequence[str], *, rebuild: bool = False) -> Lab:
    """A new lab with running hosts; what an earlier one of this label left behind is removed first.

    Nothing of it stays if this fails. Raises CommandFailed.
    """
    _check(_LABEL, label)
    for name in names:
        _check(_NAME, name)
    folder = LABS / label
    root = image(rebuild=rebuild)
    down(label)
    try:
        folder.mkdir(parents=True, mode=0o700)
        with _locked():
            bridge = Bridge.of(label)
            bridge.make()
        machines = tuple(
            Machine(name, label, bridge.host(number), bridge, folder / name) for number, name in enumerate(names)
        )
        lab = Lab(label, bridge, root, machines)
        _furnish(lab)
        lab.boot(machines)
    except BaseException:
        down(label)
        raise
    return lab


def down(label: str) -> None:
    """Ends all processes of a lab and removes its bridge and its disks, however it was left. Raises CommandFailed."""
    _check(_LABEL, label)
    Group(f"vakanz-rehearsal-{label}").kill()
    remove(bridge_name(label))
    if (LABS / label).exists():
        shutil.rmtree(LABS / label)


def find(label: str) -> Lab:
    """The lab of this label. Raises CommandFailed where there is none."""
    try:
        record = json.loads((LABS / _check(_LABEL, label) / "lab.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CommandFailed(f"there is no lab {label}") from None
    bridge = Bridge(record["bridge"], IPv4Network(record["network"]))
    machines = tuple(
        Machine(name, label, bridge.host(number), bridge, LABS / label / name)
        for number, name in enumerate(record["hosts"])
    )
    return Lab(label, bridge, Path(record["image"]), machines)


def labels() -> list[str]:
    """The labs that are there."""
    return sorted(file.parent.name for file in LABS.glob("*/lab.json"))


def _furnish(lab: Lab) -> None:
    """Keys, disks, and the files that say how to get in."""
    for key in ("key", "host_key"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rehearsal", "-f", str(lab.folder / key)])
    public, host_public = ((lab.folder / f"{key}.pub").read_text(encoding="utf-8") for key in ("key", "host_key"))
    files = {
        "root/.ssh/authorized_keys": public,
        "etc/ssh/ssh_host_ed25519_key": (lab.folder / "host_key").read_text(encoding="utf-8"),
        "etc/ssh/ssh_host_ed25519_key.pub": host_public,
    }
    for machine in lab.machines:
        machine.prepare(files)
    known = "".join(f"{machine.address} {host_public}" for machine in lab.machines)
    (lab.folder / "known_hosts").write_text(known, encoding="utf-8")
    config = (_SSH.format(name=one.name, address=one.address, folder=lab.folder) for one in lab.machines)
    (lab.folder / "ssh_config").write_text("".join(config), encoding="utf-8")
    inventory = {
        "all": {
            "vars": {
                "ansible_user": "root",
                "ansible_ssh_private_key_file": str(lab.folder / "key"),
                "ansible_ssh_common_args": f"-o UserKnownHostsFile={lab.folder}/known_hosts -o IdentitiesOnly=yes",
                "ansible_python_interpreter": "/usr/bin/python3",
            },
            "hosts": {machine.name: {"ansible_host": str(machine.address)} for machine in lab.machines},
        }
    }
    lab.inventory.write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")
    record = {
        "bridge": lab.bridge.name,
        "network": str(lab.bridge.network),
        "image": str(lab.image),
        "hosts": [machine.name for machine in lab.machines],
    }
    (lab.folder / "lab.json").write_text(json.dumps(record), encoding="utf-8")


def _check(pattern: re.Pattern[str], given: str) -> str:
    if not pattern.fullmatch(given):
        raise CommandFailed(f"{given!r}: small letters and digits are expected")
    return given


@contextmanager
def _locked() -> Iterator[None]:
    """One lab at a time looks for a free network."""
    with (LABS / ".network.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
