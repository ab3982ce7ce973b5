"""What systemd says of the fleet's units. Pure readers of `systemctl show`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PROPERTIES = "Id,MainPID,ActiveState,SubState,NRestarts,Result,ActiveEnterTimestampMonotonic"
PREFIX, SUFFIX = "vakanz-", ".service"


@dataclass(frozen=True)
class State:
    """One unit on one host. `restarts`: how often systemd started it again by itself. `entered_us`: when it became
    active, on the clock since boot."""

    unit: str
    host: str
    pid: int
    active: str
    sub: str
    restarts: int
    result: str
    entered_us: int

    @property
    def up(self) -> bool:
        """Whether it runs, and said that it is ready."""
        return self.active == "active" and self.sub == "running"


def service(unit: str) -> str:
    """systemd's name of a unit such as descriptions@3; keeper@w1 is vakanz-keeper.service on w1."""
    return f"{PREFIX}{'keeper' if unit.startswith('keeper@') else unit}{SUFFIX}"


def read_states(shown: str, host: str) -> Iterator[State]:
    """The daemons, and the keeper, in what `systemctl show --property=PROPERTIES 'vakanz-*'` writes."""
    for block in shown.strip().split("\n\n"):
        fields = dict(line.partition("=")[::2] for line in block.splitlines())
        name = fields.get("Id", "").removeprefix(PREFIX).removesuffix(SUFFIX)
        if "@" in name or name == "keeper":
            yield State(
                unit=name if "@" in name else f"keeper@{host}",
                host=host,
                pid=int(fields["MainPID"]),
                active=fields["ActiveState"],
                sub=fields["SubState"],
                restarts=int(fields["NRestarts"]),
                result=fields["Result"],
                entered_us=int(fields["ActiveEnterTimestampMonotonic"] or 0),
            )
