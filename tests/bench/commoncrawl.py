"""Common Crawl's index: a Parquet part of a million captures to its tenants, beside the bare scan by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import duckdb

from daemons.companies import columnar
from daemons.companies.captures import Tally
from daemons.companies.domains import domain_table
from tests.bench.lab import Lab
from tests.bench.rows import Row, Target, in_turns, stopwatch
from tests.integration.index_parts import write_large_part

_CAPTURES = 1_000_000
_ONE_IN = 500  # captures that are a board's; in a real crawl it is about one in 2,000
_BARE = """
SELECT url, fetch_redirect FROM read_parquet($1)
 WHERE url_host_registered_domain IN (SELECT unnest($2::VARCHAR[]))
"""


async def measure(lab: Lab) -> Sequence[Row]:
    """Captures per second from file to counted tenants, and those of the same rows fetched by DuckDB alone."""
    count = lab.count(_CAPTURES)
    part = write_large_part(lab.folder / "part.parquet", count, _ONE_IN)
    ours, bare = await in_turns(lab.rounds, partial(_scan, part, count), partial(_bare, part, count))
    part.unlink()
    return [
        Row.of_rounds(
            ours, bare, name="scan of the Common Crawl index", unit="captures/s", target=Target(">=", 0.8),
            bound="bare DuckDB, the same rows fetched",
            n=f"a Parquet part of {count:,} captures, {count // _ONE_IN:,} of them on boards",
        )
    ]  # fmt: skip


async def _scan(part: Path, count: int) -> float:
    tally = Tally(domain_table())
    with stopwatch() as watch:
        columnar.scan(part, tally)
    if (tally.rows, tally.matched) != (count, -(-count // _ONE_IN)):
        raise RuntimeError(f"{tally.rows} captures were counted, {tally.matched} of them on boards")
    return count / watch.seconds


async def _bare(part: Path, count: int) -> float:
    domains = list(domain_table())
    with stopwatch() as watch, duckdb.connect() as db:
        rows = db.execute(_BARE, [str(part), domains]).fetchall()
    if len(rows) != -(-count // _ONE_IN):
        raise RuntimeError(f"{len(rows)} rows came")
    return count / watch.seconds
