"""Matches among many postings, without the embedding of the query: how long they take, and what they find."""

from __future__ import annotations

from tests.bench import match
from tests.bench.lab import Lab
from tests.bench.rows import Row, Target

_POSTINGS = 100_000
_QUERIES = 150
_KEPT = {"all": "no limits", "tenth": "limits that keep 10 %", "hundredth": "limits that keep 1 %"}


async def measure(lab: Lab) -> list[Row]:
    """Two rows for each kind of limits."""
    count = lab.count(_POSTINGS)
    async with lab.template() as template, lab.clone(template) as dsn:
        found = await match.measure(dsn, count, _QUERIES)
    n = f"{count:,} postings, {_QUERIES} matches, one at a time"
    rows = []
    for name, kept in _KEPT.items():
        slowest, bare = found[f"{name}_p99_ms"], found[f"{name}_bare_p99_ms"]
        rows.append(
            Row(
                name=f"match p99, {kept}", figure=slowest, unit="ms", target=Target("<=", 50, "figure"), n=n,
                bound="ms, its bare candidate statement", bound_figure=bare, ratio=slowest / bare,
                beside={"p50, ms": found[f"{name}_p50_ms"], "its bare p50, ms": found[f"{name}_bare_p50_ms"]},
            )
        )  # fmt: skip
        rows.append(
            Row(
                name=f"match recall@100, {kept}", figure=found[f"{name}_recall_at_100"], unit="of exact search", n=n,
                target=Target(">=", 0.95, "figure"), beside={"seconds to build the index": found["index_s"]},
            )
        )  # fmt: skip
    return rows
