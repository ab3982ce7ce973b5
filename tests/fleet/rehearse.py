"""The rehearsal: boots the hosts, rolls the fleet out, plays the scenes, judges each, and takes everything down."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console

from tests.fleet import hosts
from tests.fleet.command import CommandFailed
from tests.fleet.control import ROOT, Control
from tests.fleet.keepers import measured
from tests.fleet.market import Difference
from tests.fleet.report import Check, Played, Row, equal, judged, table, target
from tests.fleet.scenes import Scene
from tests.fleet.stage import NotInTime, Stage
from tests.fleet.world import world

MAPS: Mapping[int, Path] = {7: ROOT / "ansible/fleet.yml", 3: Path(__file__).with_name("three.yml")}
COMPANIES, POSTINGS = 24, 960
_ROLLOUT_S, _AGAIN_S = 600.0, 60.0
_CALM_S = 240.0
_FIRST_DAY_S = 900.0
# A small disk of its own for the state of the server whose disk is to be full.
_SMALL_DISK = "w2"
_DISK = "tmpfs /var/lib/vakanz tmpfs size=256M,mode=0755 0 0"


@dataclass(frozen=True)
class Wanted:
    """What to rehearse. `keep`: the lab stays, to be looked at and taken down by hand."""

    label: str
    hosts: int
    scenes: Sequence[Scene]
    report: Path
    keep: bool


def rehearse(wanted: Wanted, console: Console) -> bool:
    """Plays everything; says whether all was as expected. Raises CommandFailed or NotInTime where nothing can."""
    plan = MAPS[wanted.hosts]
    names = list(yaml.safe_load(plan.read_text(encoding="utf-8"))["hosts"])
    started = time.monotonic()
    with _alone(wanted.label), _lab(wanted, names, console) as lab:
        size = {"companies": COMPANIES, "postings": POSTINGS}
        with world(lab.label, lab.bridge.address, lab.folder, **size) as outside:
            stage = Stage(lab, outside, Control(lab, outside, plan))
            rows = [_first_rollout(stage, console)]
            _say(rows[0], console)
            for scene in wanted.scenes:
                console.print(f"{scene.name}: {scene.what}", highlight=False)
                rows.append(_play(stage, scene))
                _say(rows[-1], console)
                if not rows[-1].passed:
                    _keep_journals(stage, wanted.report.with_name(f"journal-{scene.name}"), rows[-1].seconds)
        # Before the lab is taken down, which takes a while on some disks.
        _report(rows, names, time.monotonic() - started, wanted.report, console)
    return all(row.passed for row in rows)


def _report(rows: Sequence[Row], names: Sequence[str], seconds: float, file: Path, console: Console) -> None:
    console.print(table(rows))
    document = {"hosts": names, "seconds": round(seconds, 1), "rows": [row.document() for row in rows]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    console.print(f"{seconds:.0f} s; as JSON in {file}", highlight=False)


@contextmanager
def _alone(label: str) -> Iterator[None]:
    """One rehearsal of a label at a time. Raises CommandFailed."""
    hosts.LABS.mkdir(parents=True, exist_ok=True)
    with (hosts.LABS / f".{label}.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandFailed(f"a rehearsal {label} is under way already") from None
        yield


@contextmanager
def _lab(wanted: Wanted, names: Sequence[str], console: Console) -> Iterator[hosts.Lab]:
    started = time.monotonic()
    lab = hosts.up(wanted.label, names)
    console.print(f"{len(names)} hosts are up after {time.monotonic() - started:.0f} s", highlight=False)
    try:
        yield lab
    finally:
        if not wanted.keep:
            hosts.down(wanted.label)


def _first_rollout(stage: Stage, console: Console) -> Row:
    """From nothing to a working fleet, and the same once more, which changes nothing."""
    for machine in stage.lab.machines:
        if machine.name == _SMALL_DISK:
            machine.shell(f"mkdir -p /var/lib/vakanz && echo '{_DISK}' >> /etc/fstab && mount /var/lib/vakanz")
    console.print("rolling out from nothing, which takes some minutes", highlight=False)
    first = stage.control.play("site").succeeded()
    console.print(f"rolled out in {first.seconds:.0f} s", highlight=False)
    running = stage.wait("all units run", lambda: not stage.amiss(), 120)
    again = stage.control.play("site")
    console.print(f"and once more in {again.seconds:.0f} s", highlight=False)
    master = stage.serving("nginx")
    add = ["xargs", "--max-procs=4", "--max-args=1", "vakanz", "board", "add"]
    master.run(add, given="\n".join(stage.world.boards()), limit_s=300)
    master.run(["vakanz", "account", "create", "rehearsal", "--tier", "partner"], limit_s=60)  # may ask often
    stage.key = master.run(["vakanz", "key", "create", "--account", "rehearsal"], limit_s=60).strip()
    console.print("the first day's work", highlight=False)
    worked = stage.wait("the first day's work is done", stage.finished, _FIRST_DAY_S, every_s=2.0)
    difference = stage.difference()
    keepers = measured(stage)
    changed = {host: count for host, count in again.changed.items() if count}
    checks = (
        target("rollout", first.seconds, _ROLLOUT_S),
        target("unchanged rollout", again.seconds, _AGAIN_S),
        equal("changed by the unchanged rollout", changed, {}),
        equal("failed by the unchanged rollout", sum(again.failed.values()), 0),
        *keepers.checks(),
        *judged(difference),
    )
    facts = {"rollout_s": first.seconds, "again_s": again.seconds, "all_up_s": running, "first_day_s": worked}
    facts |= {"keeper_mb": keepers.megabytes, "keeper_percent": keepers.percent}
    played = Played(healed_s=first.seconds, facts=facts)
    return Row(
        scene="site", seconds=first.seconds, played=played, difference=difference, alerts=(), checks=checks
    )  # fmt: skip


def _play(stage: Stage, scene: Scene) -> Row:
    """One scene, from a calm fleet to a calm fleet, with what the people were told meanwhile."""
    started = time.monotonic()
    played, difference, error = Played(), Difference(), ""
    told = len(stage.world.told())
    try:
        stage.wait("the fleet is calm before the scene", lambda: _calm(stage), _CALM_S)
        told = len(stage.world.told())
        stage.next_day()
        played = scene.play(stage)
        stage.wait("the fleet is calm after the scene", lambda: stage.finished() and _calm(stage), _CALM_S)
        difference = stage.difference()
    except (NotInTime, CommandFailed) as problem:
        error = f"{type(problem).__name__}: {problem}; {_standing(stage)}"
    alerts = [message.title for message in stage.world.told()[told:] if not message.reply]
    least, most = scene.alerts
    wanted = f"{least}" if least == most else f"{least} to {most}"
    checks = (
        *played.checks,
        *judged(difference),
        Check(f"alerts: {wanted}", f"{alerts}", least <= len(alerts) <= most),
    )
    seconds = time.monotonic() - started
    return Row(
        scene=scene.name, seconds=seconds, played=played, difference=difference, alerts=alerts, checks=checks,
        error=error,
    )  # fmt: skip


def _keep_journals(stage: Stage, folder: Path, seconds: float) -> None:
    """What every host wrote during a scene that did not go as expected; the lab itself is about to go."""
    folder.mkdir(parents=True, exist_ok=True)
    line = ["journalctl", "--no-pager", "--output=short-iso", f"--since=-{seconds + 5:.0f}s"]
    for machine in stage.lab.machines:
        with suppress(CommandFailed):  # a host that is off
            (folder / f"{machine.name}.log").write_text(machine.run(line), encoding="utf-8")


def _calm(stage: Stage) -> bool:
    """Whether everything runs where it should, and nobody sees anything wrong."""
    return not stage.amiss() and not stage.open_incidents()


def _standing(stage: Stage) -> str:
    """How the fleet stands, for who has to find out why a scene could not be played."""
    try:
        return f"not where they should be: {stage.amiss()}, incidents: {stage.open_incidents()}, lag: {stage.lag()}"
    except CommandFailed as error:
        return f"the fleet does not say how it stands: {error}"


def _say(row: Row, console: Console) -> None:
    for line in row.remarks:
        console.print(f"  {line}", style="yellow" if row.passed else "red", markup=False, highlight=False)
    if row.passed:
        console.print(f"  as expected, {row.seconds:.0f} s", highlight=False)
