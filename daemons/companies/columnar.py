"""Parquet parts of Common Crawl's columnar index, read by DuckDB: only the columns and rows of known domains.

Source of facts: the published schema of cc-index-table, read 2026-11; `fetch_redirect` is missing in older crawls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from daemons.companies.captures import Capture, Tally
from lib.errors import Malformed

_BATCH = 10_000
_LIMITS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "1GB", "threads": 2, "max_temp_directory_size": "4GB",
    "autoinstall_known_extensions": False, "autoload_known_extensions": False,
}  # fmt: skip
_MAX_CHARS = 8_000  # of an address; no browser sends longer ones
_NEEDED = ("url", "url_host_name", "url_host_registered_domain", "url_path", "url_query")

# Captures of one board are counted together before they leave DuckDB: those of one host whose paths are the same up to
# a posting (a segment for postings, or one with a long number; the first segment may be a tenant's) and whose query
# names the same tenant. That never joins two tenants, and leaves a tenth of the rows to be looked at one by one.
_UP_TO_A_POSTING = (
    r"^(/[^/]*(?:/[^/]*)*?)(?:/(?:jobs?|j|o|p|postings?|positions?|vacanc(?:y|ies)|requisitions|apply)(?:/.*)?|"
    r"/[^/]*[0-9]{5,}.*)?$"
)
_TENANT_IN_QUERY = r"(?:for|company|c|siteNumber|url_token)=([^&;,]*)"
_REDIRECT = f"CASE WHEN strlen(fetch_redirect) <= {_MAX_CHARS} THEN fetch_redirect END"
_SCAN = """
SELECT any_value(url), any_value({redirect}), count(*)
  FROM read_parquet($1)
 WHERE url_host_registered_domain IN ({domains}) AND strlen(url) <= {most}
   AND strlen(coalesce(url_path, '')) <= {most} AND strlen(coalesce(url_query, '')) <= {most}
 GROUP BY url_host_name, regexp_extract(url_path, $2, 1), regexp_extract(coalesce(url_query, ''), $3, 1)
"""


def scan(path: Path, tally: Tally) -> None:
    """Counts a part's captures into `tally`. Raises Malformed for other files."""
    name = _quoted(path)
    try:
        with _reader(path) as db:
            kinds = {row[0]: row[1] for row in db.execute("DESCRIBE SELECT * FROM read_parquet($1)", [name]).fetchall()}
            missing = [column for column in _NEEDED if kinds.get(column) != "VARCHAR"]
            if missing:
                raise Malformed(f"{path.name} is no part of the index: it has no column {', '.join(missing)}")
            counted = db.execute("SELECT num_rows FROM parquet_file_metadata($1)", [name]).fetchone()
            query = _query(tally.table, redirects=kinds.get("fetch_redirect") == "VARCHAR")
            found = db.execute(query, [name, _UP_TO_A_POSTING, _TENANT_IN_QUERY])
            while batch := found.fetchmany(_BATCH):
                for url, redirect, times in batch:
                    tally.add(Capture(url, redirect), times)
            tally.rows += counted[0] if counted else 0
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise Malformed(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0][:300]}") from error


@contextmanager
def _reader(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that reads this file alone: no other one, no network, no extensions. What does not fit into memory
    goes into a folder that is gone afterwards."""
    with TemporaryDirectory(prefix="scan-") as spill, duckdb.connect(config=_LIMITS | {"temp_directory": spill}) as db:
        db.execute("SET allowed_paths = $1", [[str(path), _quoted(path)]])
        db.execute("SET enable_external_access = false")
        db.execute("SET lock_configuration = true")
        yield db


def _quoted(path: Path) -> str:
    """The path as a pattern that only it matches."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _query(domains: Iterable[str], *, redirects: bool) -> str:
    """Domains stand in the text of the statement: only then are parts of the file skipped that hold none of them."""
    listed = ", ".join(f"'{domain}'" for domain in domains)
    return _SCAN.format(redirect=_REDIRECT if redirects else "NULL", domains=listed, most=_MAX_CHARS)
