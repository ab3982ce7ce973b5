"""`python -m tests.fleet`: labs of real systemd hosts, and the rehearsal in one."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from rich.console import Console

from tests.fleet import hosts
from tests.fleet.able import obstacles
from tests.fleet.command import CommandFailed
from tests.fleet.rehearse import MAPS, Wanted, rehearse
from tests.fleet.scenes.all import chosen
from tests.fleet.stage import NotInTime

_EPILOG = """
  python -m tests.fleet hosts up w1 w2 --lab mine     two hosts on a bridge of their own, reachable by SSH
  python -m tests.fleet hosts exec w1 --lab mine -- systemctl status
  ansible-playbook -i /var/lib/vakanz-rehearsal/mine/hosts.yml ...
  python -m tests.fleet hosts down --lab mine
  python -m tests.fleet rehearse --hosts 3 --scenes short
"""


def main(line: list[str]) -> int:
    """Returns the exit code."""
    options = _arguments(line)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        problems = obstacles()
        if problems:
            raise CommandFailed("; ".join(problems))
        code: int = options.act(options)
    except (CommandFailed, NotInTime) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _arguments(line: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fleet",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    rooms = parser.add_subparsers(required=True)
    actions = rooms.add_parser("hosts", help="labs of hosts").add_subparsers(required=True)
    up = actions.add_parser("up", help="boot hosts; an earlier lab of the same label is removed")
    up.add_argument("names", nargs="+", metavar="NAME")
    up.add_argument("--rebuild", action="store_true", help="build the image anew")
    up.add_argument("--json", action="store_true", help="print addresses and files as JSON")
    up.set_defaults(act=_up)
    down = actions.add_parser("down", help="end a lab and remove all of it")
    down.set_defaults(act=_down)
    listed = actions.add_parser("list", help="the labs that are there")
    listed.set_defaults(act=_list)
    inside = actions.add_parser("exec", help="run a program in a host, without its network")
    inside.set_defaults(act=_exec)
    enter = actions.add_parser("ssh", help="enter a host over SSH")
    enter.set_defaults(act=_ssh)
    for one in (inside, enter):
        one.add_argument("name", help="the host; what it shall run follows after --")
    for one in (up, down, inside, enter):
        one.add_argument("--lab", default="lab", help="label (default: %(default)s)")
    rooms.add_parser("able", help="say whether this machine can boot hosts").set_defaults(act=lambda options: 0)
    played = rooms.add_parser("rehearse", help="roll the fleet out to hosts, and break things")
    played.add_argument("--hosts", type=int, choices=MAPS, default=7, help="size of the fleet (default: %(default)s)")
    played.add_argument("--scenes", default="all", help="all, short, or names separated by commas")
    played.add_argument("--lab", default="rehearsal", help="label (default: %(default)s)")
    played.add_argument("--keep", action="store_true", help="leave the hosts running afterwards")
    played.add_argument("--json", type=Path, default=Path("var/rehearsal.json"), help="default: %(default)s")
    played.set_defaults(act=_rehearse)
    end = line.index("--") if "--" in line else len(line)
    options = parser.parse_args(line[:end])
    options.command = line[end + 1 :]
    return options


def _up(options: argparse.Namespace) -> int:
    lab = hosts.up(options.lab, options.names, rebuild=options.rebuild)
    if options.json:
        told = {
            "lab": lab.label,
            "world": str(lab.bridge.address),
            "hosts": {machine.name: str(machine.address) for machine in lab.machines},
            "inventory": str(lab.inventory),
            "ssh_config": str(lab.folder / "ssh_config"),
        }
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        _show(lab)
    return 0


def _down(options: argparse.Namespace) -> int:
    hosts.down(options.lab)
    return 0


def _list(options: argparse.Namespace) -> int:
    for label in hosts.labels():
        _show(hosts.find(label))
    return 0


def _show(lab: hosts.Lab) -> None:
    sys.stdout.write(f"{lab.label}: this machine is {lab.bridge.address}, inventory {lab.inventory}\n")
    for machine in lab.machines:
        state = "on" if machine.group.processes() else "off"
        sys.stdout.write(f"  {machine.name:<10} {machine.address!s:<15} {state}\n")


def _exec(options: argparse.Namespace) -> int:
    sys.stdout.write(hosts.find(options.lab).host(options.name).run(options.command, limit_s=600))
    return 0


def _ssh(options: argparse.Namespace) -> int:
    line = [*hosts.find(options.lab).ssh_line(options.name), *options.command]
    os.execvp(line[0], line)


def _rehearse(options: argparse.Namespace) -> int:
    wanted = Wanted(options.lab, options.hosts, chosen(options.scenes), options.json, options.keep)
    return 0 if rehearse(wanted, Console(width=None if sys.stdout.isatty() else 160)) else 1


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
