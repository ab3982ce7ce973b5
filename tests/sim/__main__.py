"""`python -m tests.sim`: the simulated market as a process of its own."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from tests.sim import Market, Replay, running
from tests.sim.careers import Sites
from tests.sim.server import World
from tests.sim.serving import add_arguments, run, until_stopped
from tests.sim.systems import SYSTEMS

_EPILOG = """
The URL is printed as one line when the simulator is ready. Send requests there with the Host header of the system
that you mean, for example:

  curl -H 'Host: api.ashbyhq.com' URL/posting-api/job-board/TENANT
  curl URL/_sim/                          what can be asked and controlled
  curl URL/_sim/boards                    the boards with their public URLs
  curl URL/_sim/misbehave -d '{"kind": "rate_limited", "source": "lever", "times": 3}'
  curl -X POST URL/_sim/advance           the next day: new, edited, closed and reopened postings

SIGTERM and SIGINT stop it.
"""


def _arguments(line: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.sim",
        description="Plays the public job boards of every supported system, with invented companies and postings.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    parser.add_argument("--seed", type=int, default=1, help="another seed is another market (default: %(default)s)")
    parser.add_argument("--companies", type=int, help="default: one for every fifty postings")
    parser.add_argument("--postings", type=int, default=3_000, help="open on the first day (default: %(default)s)")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, metavar="NAME", help="default: all of them, in turn")
    parser.add_argument("--sites", type=int, default=9, help="companies' own career pages (default: %(default)s)")
    parser.add_argument("--start", type=date.fromisoformat, help="the first day, YYYY-MM-DD (default: today, UTC)")
    parser.add_argument("--replay", type=Path, metavar="DIR", help="play a folder of saved payloads instead")
    parser.add_argument("--no-validators", action="store_true", help="send no ETags, never answer 304")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer (default: none)")
    return parser.parse_args(line)


async def _serve(options: argparse.Namespace) -> None:
    validators = not options.no_validators
    start = options.start or datetime.now(UTC).date()
    world: World = (
        Replay(options.replay)
        if options.replay
        else Market(options.seed, options.companies, options.postings, start=start, systems=options.systems)
    )
    sites = None if options.replay or not options.sites else Sites(options.seed, options.sites, start)
    async with running(
        world, port=options.port, host=options.host, seed=options.seed, validators=validators,
        latency_s=options.latency_ms / 1000, sites=sites,
    ) as simulator:  # fmt: skip
        await until_stopped(simulator.url, until_eof=options.until_eof)


def main(line: list[str]) -> int:
    """Serves until a signal. Returns the exit code."""
    return run(_serve(_arguments(line)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
