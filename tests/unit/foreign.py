"""What parsers of foreign files do at their worst, to be run in the sandbox."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from lib.errors import Malformed, Refused


def size(data: bytes) -> int:
    return len(data)


def surroundings(data: bytes) -> dict[str, str]:
    descriptors = " ".join(one.name for one in Path("/proc/self/fd").iterdir())
    return dict(os.environ) | {"descriptors": descriptors, "cwd": str(Path.cwd())}


def complain(data: bytes) -> int:
    raise Malformed(data.decode())


def refuse(data: bytes) -> int:
    raise Refused("an error that the caller did not name")


def fail(data: bytes) -> int:
    raise KeyError("a bug")


def lie(data: bytes) -> int:
    return "no number"  # type: ignore[return-value]


def chatter(data: bytes) -> int:
    os.write(1, b"loud")
    subprocess.run([sys.executable, "-c", "print('louder')"], check=True)
    sys.stderr.write("loudest")
    return 7


def flood(data: bytes) -> bytes:
    return b"x" * 200_000


def die(data: bytes) -> int:
    ctypes.string_at(0)
    return 0


def leave(data: bytes) -> int:
    os._exit(3)


def spin(data: bytes) -> int:
    while True:
        pass


def sleep(data: bytes) -> int:
    """Sleeps in a child of its own as well; both ids are told through the socket whose path is `data`."""
    child = subprocess.Popen(["sleep", "60"])
    with socket.socket(socket.AF_UNIX) as teller:
        teller.connect(data)
        teller.sendall(f"{os.getpid()} {child.pid}".encode())
    time.sleep(60)
    return 0


def devour(data: bytes) -> int:
    held = []
    while True:
        held.append(bytearray(10_000_000))


def scribble(data: bytes) -> int:
    Path(data.decode()).write_bytes(b"x" * 10_000)
    return 0
