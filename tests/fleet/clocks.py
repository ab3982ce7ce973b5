"""Wrong clocks for single services of a host: all hosts share the machine's own, so libfaketime lies to processes.

Only the wall clock is wrong; the monotonic one, the kernel's own and the journal's stay right.
"""

from __future__ import annotations

from tests.fleet.machine import Machine

_CONTENT = (
    "[Service]\\nEnvironment=LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
    ' DONT_FAKE_MONOTONIC=1 FAKETIME_DISABLE_SHM=1 FAKETIME_NO_CACHE=1\\nEnvironment="FAKETIME={wrong}"\\n'
)


def fake_clock(machine: Machine, wrong: str, services: str) -> None:
    """What systemd starts from now on of `services` (a unit, or a prefix such as vakanz-.service) sees another time.

    `wrong` is in libfaketime's words: +1h, or @2026-11-22 04:30:00 in UTC. Raises CommandFailed.
    """
    folder = f"/etc/systemd/system/{services}.d"
    machine.shell("DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes libfaketime", limit_s=120)
    content = _CONTENT.format(wrong=wrong)
    machine.shell(f"mkdir -p {folder} && printf '{content}' > {folder}/95-clock.conf && systemctl daemon-reload")


def right_clock(machine: Machine, services: str) -> None:
    """Takes that back, for what is started from now on."""
    machine.shell(f"rm -f /etc/systemd/system/{services}.d/95-clock.conf && systemctl daemon-reload")
