"""A simulated job market for demos, tests and measurements: every supported system behind one local server.

    async with running(Market(seed=1)) as simulator:
        ...  # send each request to simulator.url with the original Host header and path

As a process: `python -m tests.sim --help`.
"""

from __future__ import annotations

from tests.sim.market import Changes, Market, Rates
from tests.sim.replay import Replay
from tests.sim.server import Simulator, running

__all__ = ["Changes", "Market", "Rates", "Replay", "Simulator", "running"]
