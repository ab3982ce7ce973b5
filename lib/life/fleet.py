"""The map of the fleet: which server has what size, and what runs there. Everybody reads the same file.

    hosts:
      w2: {memory: 16G, cpus: 8, services: [], units: [careers@0, descriptions@0]}

Sizes are binary like systemd's (1G = 1024 * 1024 * 1024 bytes). A keeper runs on every host and is not listed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from lib.errors import ConfigError
from lib.life.domains import DOMAINS, UnknownUnit, parse_unit, spelt

_MIB = 1 << 20
KEEPER_BYTES = 64 * _MIB
SYSTEM_BYTES = 512 * _MIB  # the kernel, systemd, journald, sshd, and a package upgrade
# Set aside, not measured: what a service is configured to keep within, or at least needs to be useful.
SERVICES: Mapping[str, int] = {
    "nginx": 64 * _MIB,
    "monitoring": 1024 * _MIB,
    "postgres": 1024 * _MIB,
    "pgbouncer": 64 * _MIB,
    "redis": 512 * _MIB,
}
_ONCE = ("postgres", "redis")  # every fleet has one of each

_LARGEST = 64 * 1024  # characters of a map; a fleet of a hundred hosts needs a quarter of it
_DEEPEST = 8
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?", re.ASCII)
_MEMORY = re.compile(r"([1-9]\d{0,8})([KMGT])", re.ASCII)
_CPUS = re.compile(r"[1-9]\d{0,3}", re.ASCII)
_POWERS = {"K": 10, "M": 20, "G": 30, "T": 40}
_KEYS = ("memory", "cpus", "services", "units")
_Plain: TypeAlias = "str | list[_Plain] | dict[str, _Plain]"


@dataclass(frozen=True, kw_only=True)
class Host:
    """A server, what it has, and what runs on it beside its keeper."""

    name: str
    memory_bytes: int
    cpus: int
    services: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    @property
    def needed_bytes(self) -> int:
        """The memory that everything on it takes: system, keeper, services and daemons at work."""
        daemons = sum(parse_unit(unit).domain.memory_bytes for unit in self.units)
        return SYSTEM_BYTES + KEEPER_BYTES + sum(SERVICES[one] for one in self.services) + daemons


@dataclass(frozen=True)
class Fleet:
    """Hosts by name, in the order of the map."""

    hosts: Mapping[str, Host]

    @property
    def units(self) -> Mapping[str, str]:
        """The host of every unit."""
        return {unit: host.name for host in self.hosts.values() for unit in host.units}

    @property
    def daemons(self) -> int:
        """How many daemons there are in all, keepers counted."""
        return len(self.units) + len(self.hosts)


def load_fleet(path: Path) -> Fleet:
    """The map in a file. Raises ConfigError with every problem."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # the latter: not UTF-8, or no path at all
        raise ConfigError([f"{path}: {error}"]) from None
    try:
        return read_fleet(text)
    except ConfigError as error:
        raise ConfigError([f"{path}: {problem}" for problem in error.problems]) from None


def read_fleet(text: str) -> Fleet:
    """The map in a YAML text. Raises ConfigError with every problem; whether the fleet can work: see `problems`."""
    try:
        document = _document(text)
    except yaml.YAMLError as error:
        raise ConfigError([f"not YAML that is read here: {_one_line(error)}"]) from None
    if not isinstance(document, dict) or not isinstance(document.get("hosts"), dict):
        raise ConfigError(["a map of hosts is expected: 'hosts:', and below it each host by its name"])
    found: list[str] = [f"{_shown(key)}: no such key, only 'hosts' is" for key in document if key != "hosts"]
    listed = document["hosts"]
    assert isinstance(listed, dict)
    hosts = {name: _host(name, facts, found) for name, facts in listed.items()}
    for unit, times in Counter(unit for host in hosts.values() for unit in host.units).items():
        if times > 1:
            found.append(f"{unit} is there {times} times: {', '.join(_having(hosts, unit))}")
    if not hosts:
        found.append("hosts: there are none")
    if found:
        raise ConfigError(found)
    return Fleet(hosts)


def problems(fleet: Fleet) -> list[str]:
    """Why this fleet cannot work; empty where it can."""
    return [*_uncovered(fleet), *_services(fleet), *_too_small(fleet)]


def _uncovered(fleet: Fleet) -> Iterator[str]:
    """Domains that nobody runs, parts that nobody does, and those that are done twice."""
    present: set[str] = set()
    doing: dict[tuple[str, str], list[str]] = defaultdict(list)
    for unit, host in fleet.units.items():
        placed = parse_unit(unit)
        present.add(placed.domain.name)
        for part in placed.share.parts:
            doing[placed.domain.name, part].append(f"{unit} on {host}")
    for domain in DOMAINS.values():
        if domain.name not in present:
            if not domain.needs:
                yield f"{domain.name}: no host runs it"
            continue
        missing = [part for part in domain.division.parts if not doing[domain.name, part]]
        if missing:
            yield f"{domain.name}: nobody does {spelt(missing)}"
        twice: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for part in domain.division.parts:
            if len(doing[domain.name, part]) > 1:
                twice[tuple(doing[domain.name, part])].append(part)
        for units, parts in twice.items():
            yield f"{domain.name}: {spelt(parts)} is done more than once, by {' and '.join(units)}"


def _services(fleet: Fleet) -> Iterator[str]:
    for service in _ONCE:
        where = [host.name for host in fleet.hosts.values() if service in host.services]
        if not where:
            yield f"{service}: no host has this service"
        elif len(where) > 1:
            yield f"{service}: one host should have it, not {' and '.join(where)}"


def _too_small(fleet: Fleet) -> Iterator[str]:
    for host in fleet.hosts.values():
        if host.needed_bytes > host.memory_bytes:
            needed, there = round(host.needed_bytes / _MIB), round(host.memory_bytes / _MIB)
            yield f"{host.name}: {needed:,} MiB of memory are needed, {there:,} MiB are there"


def _host(name: str, facts: _Plain, found: list[str]) -> Host:
    where = _shown(name)
    if not _HOST.fullmatch(name):
        found.append(f"{where}: a host's name is made of lower-case letters, digits, dots and hyphens")
    if not isinstance(facts, dict):
        found.append(f"{where}: {', '.join(_KEYS)} are expected")
        facts = {}
    found += [f"{where}: no such key: {_shown(key)}; there are {', '.join(_KEYS)}" for key in facts if key not in _KEYS]
    memory = _MEMORY.fullmatch(_text(facts.get("memory")))
    cpus = _CPUS.fullmatch(_text(facts.get("cpus")))
    if memory is None:
        found.append(f"{where}: memory: a size such as 16G expected")
    if cpus is None:
        found.append(f"{where}: cpus: how many it has is expected, such as 8")
    return Host(
        name=name,
        memory_bytes=int(memory[1]) << _POWERS[memory[2]] if memory else 0,
        cpus=int(cpus[0]) if cpus else 0,
        services=_known_services(where, facts, found),
        units=_known_units(where, facts, found),
    )


def _known_services(where: str, facts: dict[str, _Plain], found: list[str]) -> tuple[str, ...]:
    given = _texts(where, "services", facts.get("services", []), found)
    found += [
        f"{where}: no such service: {_shown(one)}; there are {', '.join(SERVICES)}"
        for one in given
        if one not in SERVICES
    ]
    found += [f"{where}: services: {one} is there {times} times" for one, times in given.items() if times > 1]
    return tuple(one for one in given if one in SERVICES)


def _known_units(where: str, facts: dict[str, _Plain], found: list[str]) -> tuple[str, ...]:
    known = []
    for unit, times in _texts(where, "units", facts.get("units", []), found).items():
        try:
            parse_unit(unit)
        except UnknownUnit as error:
            found.append(f"{where}: {error}")
        else:
            known += [unit] * times
    return tuple(known)


def _texts(where: str, key: str, given: _Plain, found: list[str]) -> Counter[str]:
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        return Counter(map(str, given))
    found.append(f"{where}: {key}: a list of names expected")
    return Counter()


def _having(hosts: Mapping[str, Host], unit: str) -> list[str]:
    return [host.name for host in hosts.values() for one in host.units if one == unit]


def _document(text: str) -> _Plain:
    """The document as texts, lists and mappings. Raises YAMLError, also for what could grow without bounds."""
    if len(text) > _LARGEST:
        raise yaml.YAMLError(f"longer than {_LARGEST:,} characters")
    depth = 0
    for event in yaml.parse(text, Loader=yaml.BaseLoader):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError(f"{_line(event)}: a reference (*{event.anchor}); write it out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"{_line(event)}: nested too deeply")
    node = yaml.compose(text, Loader=yaml.BaseLoader)
    return "" if node is None else _plain(node)


def _plain(node: yaml.Node) -> _Plain:
    if isinstance(node, yaml.MappingNode):
        plain: dict[str, _Plain] = {}
        for key, value in node.value:
            line = _line(key)
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.YAMLError(f"{line}: a name expected as key")
            if key.value in plain:
                raise yaml.YAMLError(f"{line}: {_shown(key.value)} is there twice")
            plain[key.value] = _plain(value)
        return plain
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one) for one in node.value]
    return str(node.value)


def _line(at: yaml.Event | yaml.Node) -> str:
    return f"line {at.start_mark.line + 1}" if at.start_mark else "somewhere"


def _text(given: _Plain | None) -> str:
    return given if isinstance(given, str) else ""


def _shown(text: str) -> str:
    return text if _HOST.fullmatch(text) else repr(text[:60])


def _one_line(error: yaml.YAMLError) -> str:
    return " ".join(str(error).split())[:300]
