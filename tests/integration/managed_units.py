"""systemd's manager as a test wants it: its names and signatures on a real bus, with units that do as they are told."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

NAME = "org.freedesktop.systemd1"
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>custom</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
</policy>
</busconfig>"""
DBUS = shutil.which("dbus-daemon")


@contextmanager
def bus(folder: Path) -> Iterator[str]:
    """The address of a bus of the test's own."""
    assert DBUS is not None
    socket, config = folder / "bus", folder / "bus.conf"
    config.write_text(_CONFIG.format(socket=socket))
    with subprocess.Popen(
        [DBUS, f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE
    ) as daemon:
        assert daemon.stdout is not None
        try:
            yield daemon.stdout.readline().decode().strip()
        finally:
            daemon.terminate()


def now_us() -> int:
    return time.monotonic_ns() // 1_000


@dataclass
class Managed:
    """One unit. Properties have systemd's names; those of Unit and of Service are together."""

    load: str = "loaded"
    active: str = "inactive"
    sub: str = "dead"
    job: int = 0
    restarts_itself: bool = True
    properties: dict[str, Variant] = field(default_factory=dict)

    def put(self, **values: Variant) -> None:
        self.properties |= values


@dataclass
class Manager:
    """All units, and what was asked of them. `missing`: units of which there is no file."""

    units: dict[str, Managed] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    pid: int = 1000

    def start(self, name: str) -> None:
        """The unit runs."""
        self.pid += 1
        unit = self.units.setdefault(name, Managed())
        unit.active, unit.sub = "active", "running"
        unit.put(
            MainPID=Variant("u", self.pid),
            ExecMainPID=Variant("u", self.pid),
            ExecMainStartTimestampMonotonic=Variant("t", now_us()),
            ActiveEnterTimestampMonotonic=Variant("t", now_us()),
            NRestarts=unit.properties.get("NRestarts", Variant("u", 0)),
            ControlGroup=Variant("s", f"/vakanz.slice/vakanz-follow.slice/{name}"),
            Result=Variant("s", "success"),
        )

    def end(self, name: str, result: str, *, code: int = 1, status: int = 0, failed: bool = False) -> None:
        """The unit's process ended. A failed one stays down, a clean one was stopped, others wait for their restart."""
        unit = self.units[name]
        unit.active, unit.sub = ("failed", "failed") if failed else ("inactive", "dead")
        if result != "success" and not failed:
            unit.active, unit.sub = "activating", "auto-restart"
        unit.put(
            MainPID=Variant("u", 0),
            Result=Variant("s", result),
            ExecMainCode=Variant("i", code),
            ExecMainStatus=Variant("i", status),
            ExecMainExitTimestampMonotonic=Variant("t", now_us()),
            InactiveEnterTimestampMonotonic=Variant("t", now_us()),
            ControlGroup=Variant("s", ""),
        )

    def restart_by_itself(self, name: str) -> None:
        """What systemd does after RestartSec."""
        count = self.units[name].properties["NRestarts"].value
        self.start(name)
        self.units[name].put(NRestarts=Variant("u", count + 1))

    async def serve(self, address: str) -> MessageBus:
        """Answers on the bus until the connection is closed."""
        connection = await MessageBus(bus_address=address).connect()
        connection.add_message_handler(self._answer)
        await connection.request_name(NAME)
        return connection

    def _answer(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or not (message.path or "").startswith(
            "/org/freedesktop"
        ):
            return None
        match message.interface, message.member, message.signature:
            case "org.freedesktop.DBus.Properties", "Get", "ss":
                return self._property(message)
            case "org.freedesktop.systemd1.Manager", "ListUnitsByPatterns", "asas":
                return Message.new_method_return(message, "a(ssssssouso)", [self._listed(message.body[1])])
            case "org.freedesktop.systemd1.Manager", "StartUnit" | "StopUnit" | "RestartUnit", "ss":
                return self._job(message)
            case "org.freedesktop.systemd1.Manager", "KillUnit", "ssi":
                name, who, number = message.body
                self.asked.append(f"kill {name} {who} {number}")
                self.end(name, "signal", code=2, status=number)
                self.restart_by_itself(name)
                return Message.new_method_return(message)
            case "org.freedesktop.systemd1.Manager", "ResetFailedUnit", "s":
                self.asked.append(f"reset {message.body[0]}")
                unit = self.units[message.body[0]]
                unit.active, unit.sub = "inactive", "dead"
                unit.put(Result=Variant("s", "success"), NRestarts=Variant("u", 0))
                return Message.new_method_return(message)
        return None

    def _listed(self, patterns: list[str]) -> list[list[Any]]:
        (prefix, suffix) = patterns[0].split("*")
        return [
            [name, "", unit.load, unit.active, unit.sub, "", _path(name), unit.job, "start" if unit.job else "", "/"]
            for name, unit in self.units.items()
            if name.startswith(prefix) and name.endswith(suffix)
        ]

    def _property(self, message: Message) -> Message:
        unit = next(unit for name, unit in self.units.items() if _path(name) == message.path)
        value = unit.properties.get(message.body[1])
        if value is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownProperty", message.body[1])
        return Message.new_method_return(message, "v", [value])

    def _job(self, message: Message) -> Message:
        name, mode = message.body
        assert mode == "replace"
        verb = str(message.member).removesuffix("Unit").lower()
        self.asked.append(f"{verb} {name}")
        if name in self.missing:
            return Message.new_error(message, f"{NAME}.NoSuchUnit", f"Unit {name} not found.")
        if verb == "stop":
            self.end(name, "success")
        else:
            self.start(name)
        return Message.new_method_return(message, "o", [f"/org/freedesktop/systemd1/job/{self.pid}"])


def _path(name: str) -> str:
    spelt = "".join(one if one.isalnum() else f"_{ord(one):02x}" for one in name)
    return f"/org/freedesktop/systemd1/unit/{spelt}"
