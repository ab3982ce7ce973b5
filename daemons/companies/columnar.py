"""Parquet parts of Common Crawl's columnar index, read by DuckDB: only the columns and rows of known domains.

Source of facts: the published schema of cc-index-table, read 2026-11; `fetch_redirect` is missing in older crawls.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from daemons.companies.captures import Capture, Tally
from lib.errors import Malformed

_BATCH = 10_000
_MEMORY = "1GB"


def scan(path: Path, tally: Tally, progress: Callable[[int], None] = lambda _: None) -> None:
    """Counts a part's captures into `tally`; `progress` is told of matched rows. Raises Malformed for other files."""
    try:
        with duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": ""}) as db:
            names = {row[0] for row in db.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(path)]).fetchall()}
            missing = {"url", "url_host_registered_domain"} - names
            if missing:
                raise Malformed(f"{path.name} is no part of the index: it has no column {', '.join(sorted(missing))}")
            counted = db.execute("SELECT num_rows FROM parquet_file_metadata($1)", [str(path)]).fetchone()
            found = db.execute(_query("fetch_redirect" in names), [str(path), list(tally.table)])
            while batch := found.fetchmany(_BATCH):
                for url, redirect in batch:
                    tally.add(Capture(url, redirect))
                progress(len(batch))
            tally.rows += counted[0] if counted else 0
    except duckdb.Error as error:
        raise Malformed(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0][:300]}") from error


def _query(redirects: bool) -> str:
    redirect = "fetch_redirect" if redirects else "NULL"
    return (
        f"SELECT url, {redirect} FROM read_parquet($1)"
        " WHERE url IS NOT NULL AND url_host_registered_domain IN (SELECT unnest($2::VARCHAR[]))"
    )
