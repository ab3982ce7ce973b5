"""A market of some systems only, so that a test of one system does not need a market of all."""

from __future__ import annotations

import pytest

from tests.sim import market
from tests.sim.systems import SYSTEMS


def playing_only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Until the test ends, new markets put their companies on boards of these systems only."""
    monkeypatch.setattr(market, "SYSTEMS", {name: SYSTEMS[name] for name in names})
