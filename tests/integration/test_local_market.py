"""The simulated market as a child of `make up`: it is there for as long as that is, and no longer."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from keeper.local.market import NoMarket, simulated_market

_ROOT = Path(__file__).parents[2]
_STARTER = """
import anyio
from keeper.local.market import simulated_market

async def main():
    async with simulated_market(companies=1, postings=1, seed=1) as address:
        print(address, flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


def test_the_market_ends_with_a_starter_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _STARTER], cwd=_ROOT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline().startswith("http://127.0.0.1:")
        (market,) = psutil.Process(starter.pid).children()
        starter.send_signal(signal.SIGKILL)
        starter.wait(timeout=60)
        market.wait(timeout=60)  # raises when it still lives


async def test_the_market_ends_with_its_context_soon() -> None:
    async with simulated_market(companies=1, postings=1, seed=1):
        (market,) = (child for child in psutil.Process().children() if "tests.sim" in child.cmdline())
        left = time.monotonic()
    market.wait(timeout=60)
    assert time.monotonic() - left < 60


async def test_a_market_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(NoMarket, match=f"no payload of .* in {tmp_path}"):
        async with simulated_market(companies=1, postings=1, seed=1, replay=tmp_path):
            raise AssertionError("it started")
