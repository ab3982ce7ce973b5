"""systemd's notification protocol: one datagram per state, to the socket that NOTIFY_SOCKET names.

Source: the manual page sd_notify(3). Without the variable every call does nothing, so daemons behave the same as
plain processes.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class Notifier:
    """Tells the service manager how this process is."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        microseconds = environment.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(microseconds) / 1_000_000 if microseconds.isdigit() else None

    def send(self, **states: str) -> None:
        """Sends states such as READY="1", STATUS="...". Raises OSError when the manager's socket is gone."""
        if not self._address:
            return
        message = "\n".join(f"{key}={value}" for key, value in states.items()).encode()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.connect(self._address)
            # A manager too busy to read must not hang its daemons; every state but the first is sent again and again.
            with suppress(BlockingIOError):
                sender.send(message)
