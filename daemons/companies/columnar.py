"""Parquet parts of Common Crawl's columnar index, read by DuckDB: only the columns and rows of known domains.

Source of facts: the published schema of cc-index-table, read 2026-11; `fetch_redirect` is missing in older crawls.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from daemons.companies.captures import Capture, Tally
from lib.errors import Malformed

_BATCH = 10_000
_MEMORY = "1GB"
_NEEDED = ("url", "url_host_name", "url_host_registered_domain", "url_path", "url_query")

# Captures of one board are counted together before they leave DuckDB: those of one host whose paths are the same up to
# a posting (a segment for postings, or one with a long number; the first segment may be a tenant's) and whose query
# names the same tenant. That never joins two tenants, and leaves a tenth of the rows to be looked at one by one.
_UP_TO_A_POSTING = (
    r"^(/[^/]*(?:/[^/]*)*?)(?:/(?:jobs?|j|o|p|postings?|positions?|vacanc(?:y|ies)|requisitions|apply)(?:/.*)?|"
    r"/[^/]*[0-9]{5,}.*)?$"
)
_TENANT_IN_QUERY = r"(?:for|company|c|siteNumber|url_token)=([^&;,]*)"
_SCAN = """
SELECT any_value(url), any_value({redirect}), count(*)
  FROM read_parquet($1)
 WHERE url_host_registered_domain IN ({domains}) AND url IS NOT NULL
 GROUP BY url_host_name, regexp_extract(url_path, $2, 1), regexp_extract(coalesce(url_query, ''), $3, 1)
"""


def scan(path: Path, tally: Tally) -> None:
    """Counts a part's captures into `tally`. Raises Malformed for other files."""
    try:
        with duckdb.connect(config={"memory_limit": _MEMORY}) as db:
            names = {row[0] for row in db.execute("DESCRIBE SELECT * FROM read_parquet($1)", [str(path)]).fetchall()}
            missing = [name for name in _NEEDED if name not in names]
            if missing:
                raise Malformed(f"{path.name} is no part of the index: it has no column {', '.join(missing)}")
            counted = db.execute("SELECT num_rows FROM parquet_file_metadata($1)", [str(path)]).fetchone()
            query = _query(tally.table, redirects="fetch_redirect" in names)
            found = db.execute(query, [str(path), _UP_TO_A_POSTING, _TENANT_IN_QUERY])
            while batch := found.fetchmany(_BATCH):
                for url, redirect, times in batch:
                    tally.add(Capture(url, redirect), times)
            tally.rows += counted[0] if counted else 0
    except duckdb.Error as error:
        raise Malformed(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0][:300]}") from error


def _query(domains: Iterable[str], *, redirects: bool) -> str:
    """Domains stand in the text of the statement: only then are parts of the file skipped that hold none of them."""
    listed = ", ".join(f"'{domain}'" for domain in domains)
    return _SCAN.format(redirect="fetch_redirect" if redirects else "NULL", domains=listed)
