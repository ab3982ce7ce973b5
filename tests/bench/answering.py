"""The latency of a stream job, from being published to being in its handler's hands."""

from __future__ import annotations

from tests.bench import streams
from tests.bench.lab import Lab
from tests.bench.rows import Row, Target

_JOBS = 2_000


async def measure(lab: Lab) -> list[Row]:
    """The row `stream job`."""
    async with lab.template() as template, lab.clone(template) as dsn:
        found = await streams.measure(f"{lab.servers.redis_url}?db=1", dsn, _JOBS)
    beside = {"arq p50, ms": found["arq_p50_ms"]} if "arq_p50_ms" in found else {}
    return [
        Row(
            name="stream job, p50", figure=found["latency_p50_ms"], unit="ms", bound="ms, bare XADD and XREADGROUP",
            bound_figure=found["bare_p50_ms"], ratio=found["ratio"], target=Target("<=", 1.5), beside=beside,
            n=f"{_JOBS:,} jobs, one at a time",
        )
    ]  # fmt: skip
