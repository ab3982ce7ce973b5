"""`python -m tests.fleet`: labs of real systemd hosts, and the rehearsal in one."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from types import FrameType

from tests.fleet import hosts
from tests.fleet.command import CommandFailed

_EPILOG = """
  python -m tests.fleet hosts up w1 w2 --lab mine     two hosts on a bridge of their own, reachable by SSH
  python -m tests.fleet hosts exec w1 --lab mine -- systemctl status
  ansible-playbook -i /var/lib/vakanz-rehearsal/mine/hosts.yml ...
  python -m tests.fleet hosts down --lab mine
"""


def main(line: list[str]) -> int:
    """Returns the exit code."""
    options = _arguments(line)
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        if os.geteuid() != 0:
            raise CommandFailed("hosts are booted by root only")
        code: int = options.act(options)
    except CommandFailed as error:
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


def _interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
