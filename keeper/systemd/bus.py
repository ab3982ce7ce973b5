"""systemd's manager over D-Bus, as far as a keeper needs it.

Source   the manual page org.freedesktop.systemd1(5), version 252; dbus-fast speaks the protocol
Errors   no answer, no bus or no manager: BusAway, and the next try waits on the ladder. A refusal: BusRefused.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import structlog
from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError

from lib.backoff import reconnect_delays
from lib.errors import VakanzError

_NAME = "org.freedesktop.systemd1"
_PATH = "/org/freedesktop/systemd1"
_MANAGER = f"{_NAME}.Manager"
_PATIENCE_S = 5.0
# There is a bus, but nobody answers there: as good as no bus.
_AWAY = tuple(
    f"org.freedesktop.DBus.Error.{name}"
    for name in ("ServiceUnknown", "NameHasNoOwner", "NoReply", "Disconnected", "TimedOut", "Timeout")
)


class BusAway(VakanzError):
    """systemd cannot be asked now."""


class BusRefused(VakanzError):
    """systemd does not do that. `name`: the error's name on the bus."""

    def __init__(self, name: str, message: str) -> None:
        self.name = name
        super().__init__(message or name)


@dataclass(frozen=True)
class Listed:
    """One line of ListUnitsByPatterns. `path`: the unit's object; `busy`: a job waits or runs."""

    name: str
    load: str
    active: str
    sub: str
    path: str
    busy: bool


class Systemd:
    """The manager. Connects when first asked, and again after the connection dropped.

    `address`: of the bus, the system's own where it is empty.
    """

    def __init__(self, *, address: str = "", clock: Callable[[], float], rng: random.Random) -> None:
        self._address = address
        self._clock = clock
        self._rng = rng
        self._bus: MessageBus | None = None
        self._delays = reconnect_delays(rng)
        self._next_try = 0.0
        self._up = True
        self._log = structlog.get_logger("systemd")

    async def list_units(self, pattern: str) -> list[Listed]:
        """All units in memory whose names match a shell pattern. Raises BusAway, BusRefused."""
        (rows,) = await self._manager("ListUnitsByPatterns", "asas", [[], [pattern]])
        return [Listed(row[0], row[2], row[3], row[4], row[6], row[7] != 0) for row in rows]

    async def properties(self, path: str, interface: str, names: Sequence[str]) -> dict[str, Any]:
        """Properties of a unit by name. Those that this unit or this systemd does not have are missing.

        `interface`: Unit or Service. Raises BusAway.
        """
        found: dict[str, Any] = {}

        async def get(name: str) -> None:
            try:
                (value,) = await self._call(
                    path, "org.freedesktop.DBus.Properties", "Get", "ss", [f"{_NAME}.{interface}", name]
                )
            except BusRefused:
                return
            assert isinstance(value, Variant)  # what Get always gives
            found[name] = value.value

        for name in names:
            await get(name)
        return found

    async def start(self, unit: str) -> None:
        """Queues a start. Raises BusAway, BusRefused."""
        await self._manager("StartUnit", "ss", [unit, "replace"])

    async def stop(self, unit: str) -> None:
        """Queues a stop. Raises BusAway, BusRefused."""
        await self._manager("StopUnit", "ss", [unit, "replace"])

    async def restart(self, unit: str) -> None:
        """Queues a stop, which drains, and a start. Raises BusAway, BusRefused."""
        await self._manager("RestartUnit", "ss", [unit, "replace"])

    async def kill(self, unit: str, signal: int) -> None:
        """A signal to all processes of a unit. Raises BusAway, BusRefused."""
        await self._manager("KillUnit", "ssi", [unit, "all", signal])

    async def reset_failed(self, unit: str) -> None:
        """Forgets that a unit failed, and how often it was started. Raises BusAway, BusRefused."""
        await self._manager("ResetFailedUnit", "s", [unit])

    async def aclose(self) -> None:
        """Leaves the bus."""
        self._drop()

    async def _manager(self, member: str, signature: str, body: list[Any]) -> list[Any]:
        return await self._call(_PATH, _MANAGER, member, signature, body)

    async def _call(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> list[Any]:
        message = Message(
            destination=_NAME, path=path, interface=interface, member=member, signature=signature, body=body
        )
        try:
            with anyio.fail_after(_PATIENCE_S):
                bus = await self._connected()
                reply = await bus.call(message)
        except (OSError, EOFError, DBusFastError) as error:  # TimeoutError is an OSError
            raise self._lost(f"{type(error).__name__}: {error}") from error
        if reply.message_type is MessageType.ERROR:
            text = str(reply.body[0]) if reply.body else ""
            if reply.error_name in _AWAY:
                raise self._lost(text or str(reply.error_name))
            raise BusRefused(str(reply.error_name), text)
        if not self._up:
            self._up = True
            self._log.info("systemd answers again")
        self._delays = reconnect_delays(self._rng)
        return list(reply.body)

    async def _connected(self) -> MessageBus:
        if self._bus is not None and self._bus.connected:
            return self._bus
        if self._clock() < self._next_try:
            raise BusAway("systemd does not answer; the next try is due later")
        address = self._address or None
        self._bus = await MessageBus(bus_address=address, bus_type=BusType.SYSTEM).connect()
        return self._bus

    def _lost(self, reason: str) -> BusAway:
        self._drop()
        self._next_try = self._clock() + next(self._delays)
        if self._up:
            self._up = False
            self._log.warning("systemd does not answer", reason=reason[:300])
        return BusAway(f"systemd does not answer: {reason[:200]}")

    def _drop(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None and bus.connected:
            bus.disconnect()
