"""Parts of the Common Crawl index, made by DuckDB after the published schema (cc-index-table, flat form)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

COLUMNS = {
    "url_surtkey": "VARCHAR", "url": "VARCHAR", "url_host_name": "VARCHAR", "url_host_tld": "VARCHAR",
    "url_host_2nd_last_part": "VARCHAR", "url_host_3rd_last_part": "VARCHAR", "url_host_4th_last_part": "VARCHAR",
    "url_host_5th_last_part": "VARCHAR", "url_host_registry_suffix": "VARCHAR",
    "url_host_registered_domain": "VARCHAR", "url_host_private_suffix": "VARCHAR",
    "url_host_private_domain": "VARCHAR", "url_host_name_reversed": "VARCHAR", "url_protocol": "VARCHAR",
    "url_port": "INTEGER", "url_path": "VARCHAR", "url_query": "VARCHAR", "fetch_time": "TIMESTAMP",
    "fetch_status": "SMALLINT", "fetch_redirect": "VARCHAR", "content_digest": "VARCHAR",
    "content_mime_type": "VARCHAR", "content_mime_detected": "VARCHAR", "content_charset": "VARCHAR",
    "content_languages": "VARCHAR", "content_truncated": "VARCHAR", "warc_filename": "VARCHAR",
    "warc_record_offset": "INTEGER", "warc_record_length": "INTEGER", "warc_segment": "VARCHAR",
    "crawl": "VARCHAR", "subset": "VARCHAR",
}  # fmt: skip


def write_part(
    path: Path, captures: Iterable[tuple[str, str | None]], *, without: frozenset[str] = frozenset()
) -> Path:
    """A part that holds these (url, redirect) captures, sorted as the real ones are."""
    rows = [(url, urlsplit(url).hostname or "", redirect) for url, redirect in captures]
    with duckdb.connect() as db:
        db.execute("CREATE TABLE given (url VARCHAR, host VARCHAR, redirect VARCHAR)")
        db.executemany("INSERT INTO given VALUES (?, ?, ?)", rows)
        _write(db, path, "given", without)
    return path


def write_large_part(path: Path, rows: int, boards: int, first: int = 0) -> Path:
    """A part of `rows` captures, one in `boards` of them on Greenhouse; numbers begin with `first`."""
    with duckdb.connect() as db:
        db.execute(
            f"""CREATE TABLE given AS
            SELECT CASE WHEN i % {boards} = 0
                   THEN 'https://boards.greenhouse.io/acme' || (i // {boards} % 100) || '/jobs/' || i
                   ELSE 'https://www.host' || (i % 40009) || '.example/path/' || (i % 97) || '/page-' || i END AS url,
                   CASE WHEN i % {boards} = 0 THEN 'boards.greenhouse.io'
                   ELSE 'www.host' || (i % 40009) || '.example' END AS host,
                   NULL::VARCHAR AS redirect
              FROM range({first}, {first + rows}) AS numbers (i)"""
        )
        _write(db, path, "given", frozenset())
    return path


def _write(db: duckdb.DuckDBPyConnection, path: Path, table: str, without: frozenset[str]) -> None:
    known = {
        "url": "url",
        "url_host_name": "host",
        "url_host_registered_domain": "array_to_string(list_slice(string_split(host, '.'), -2, -1), '.')",
        "url_surtkey": "array_to_string(list_reverse(string_split(host, '.')), ',') || ')' || url",
        "url_protocol": "'https'",
        "url_path": "regexp_extract(url, '^[a-z]+://[^/]*(/[^?]*)', 1)",
        "url_query": "nullif(regexp_extract(url, '[?](.*)$', 1), '')",
        "fetch_status": "200",
        "fetch_redirect": "redirect",
        "crawl": "'CC-MAIN-2026-25'",
        "subset": "'warc'",
        "warc_filename": "'crawl-data/CC-MAIN-2026-25/segments/0/warc/0.warc.gz'",
    }
    chosen = ", ".join(
        f"({known.get(name, 'NULL')})::{kind} AS {name}" for name, kind in COLUMNS.items() if name not in without
    )
    quoted = str(path).replace("'", "''")
    db.execute(
        f"COPY (SELECT {chosen} FROM {table} ORDER BY url_surtkey) TO '{quoted}' (FORMAT parquet, COMPRESSION gzip)"
    )
