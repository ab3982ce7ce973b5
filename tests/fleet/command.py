"""Programs of this machine, run to their end."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

_TOLD = 2_000  # characters of a failed program's output


class CommandFailed(Exception):
    """A program failed or took too long; the message has its last output."""


def run(
    line: Sequence[str],
    *,
    limit_s: float = 60.0,
    given: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """What `line` writes to standard output. `given`: its standard input. Raises CommandFailed."""
    try:
        ended = subprocess.run(
            line, input=given, env=environment, capture_output=True, text=True, errors="replace", timeout=limit_s,
            check=False, stdin=None if given is not None else subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"{' '.join(line)}: not done within {limit_s:.0f} s") from None
    except OSError as error:
        raise CommandFailed(f"{line[0]}: {error}") from error
    if ended.returncode:
        told = (ended.stderr.strip() or ended.stdout.strip())[-_TOLD:]
        raise CommandFailed(f"{' '.join(line)}: exit code {ended.returncode}\n{told}")
    return ended.stdout
