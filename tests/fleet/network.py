"""A lab's own bridge: its hosts and this machine are on it, and no way leads further."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from tests.fleet.command import CommandFailed, run

_POOL = IPv4Network("10.77.0.0/16")


def free_network(taken: Iterable[IPv4Network], pool: IPv4Network = _POOL) -> IPv4Network:
    """The first /24 of `pool` that overlaps nothing. Raises CommandFailed where there is none."""
    held = tuple(taken)
    for candidate in pool.subnets(new_prefix=24):
        if not any(candidate.overlaps(one) for one in held):
            return candidate
    raise CommandFailed(f"no /24 of {pool} is free")


@dataclass(frozen=True)
class Bridge:
    """`network`: the bridge itself has its first address, hosts follow from the tenth on."""

    name: str
    network: IPv4Network

    @classmethod
    def of(cls, label: str) -> Bridge:
        """A bridge for `label`, not made yet, on a network that is free now."""
        return cls(bridge_name(label), free_network(_taken()))

    @property
    def address(self) -> IPv4Address:
        """This machine's address on the bridge: the world outside the fleet."""
        return self.network[1]

    def host(self, number: int) -> IPv4Address:
        """The address of host `number`, from 0."""
        return self.network[10 + number]

    def make(self) -> None:
        """Makes the bridge and gives it its address."""
        run(["ip", "link", "add", self.name, "type", "bridge"])
        run(["ip", "address", "add", f"{self.address}/{self.network.prefixlen}", "dev", self.name])
        run(["ip", "link", "set", self.name, "up"])


def bridge_name(label: str) -> str:
    """The bridge's name, within the kernel's 15 characters."""
    return f"vkz-{hashlib.sha256(label.encode()).hexdigest()[:10]}"


def remove(name: str) -> None:
    """Removes a bridge, if it is there."""
    if any(link["ifname"] == name for link in json.loads(run(["ip", "-json", "link"]))):
        run(["ip", "link", "delete", name])


def _taken() -> list[IPv4Network]:
    """What this machine has addresses in or routes to, the default route aside."""
    links = json.loads(run(["ip", "-4", "-json", "address"]))
    own = [
        IPv4Network(f"{one['local']}/{one['prefixlen']}", strict=False) for link in links for one in link["addr_info"]
    ]
    routes = json.loads(run(["ip", "-4", "-json", "route"]))
    return own + [IPv4Network(one["dst"]) for one in routes if one["dst"] != "default"]
