"""`python -m tests.bench`: every figure that Vakanz promises, each beside its bound, as a table and as JSON."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path

import anyio
import orjson
from rich.console import Console

from lib.life import logs
from lib.store import embedded
from tests.bench.lab import Lab
from tests.bench.rows import Row, table

MEASUREMENTS = (
    "ingest", "following", "details", "answering", "matching", "searching", "vectors", "memory", "parse", "crawl",
    "feed", "commoncrawl", "live", "replay", "resumes",
)  # fmt: skip
Measure = Callable[[Lab], Awaitable[Sequence[Row]]]


def _arguments(line: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--postings", type=int, metavar="N", help="measure with so many (default: differs, see table)")
    parser.add_argument("--only", nargs="+", choices=MEASUREMENTS, default=MEASUREMENTS, metavar="NAME",
                        help=f"of {', '.join(MEASUREMENTS)}")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="how often figure and bound take turns (default: 3)")
    parser.add_argument("--json", type=Path, default=Path("var/bench.json"), help="default: %(default)s")
    options = parser.parse_args(line)
    if (options.postings is not None and options.postings < 1) or options.rounds < 1:
        parser.error("--postings and --rounds are at least 1")
    return options


async def _measure(lab: Lab, names: Sequence[str], console: Console) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        started = time.perf_counter()
        measure: Measure = import_module(f"tests.bench.{name}").measure
        with console.status(f"measuring {name}"):
            found = await measure(lab)
        console.print(f"{name}: {time.perf_counter() - started:.0f} s")
        for row in found:  # the table comes at the end, which a run of an hour may never see
            console.print(f"  {row.name}: {row.shown}", markup=False, highlight=False)
        rows += found
    return rows


def main(line: Sequence[str]) -> int:
    """Measures and prints. Returns 0, also where a target is missed: a figure is no test."""
    options = _arguments(line)
    logs.configure("console", "error")
    console = Console(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="vakanz-bench-"))
    started = time.perf_counter()
    try:
        with embedded.embedded(folder / "servers") as servers:
            lab = Lab(servers, folder, options.postings, options.rounds)
            rows = anyio.run(_measure, lab, options.only, console, backend_options={"use_uvloop": True})
    finally:
        embedded.remove(folder / "servers")
        shutil.rmtree(folder, ignore_errors=True)
    seconds = time.perf_counter() - started
    options.json.parent.mkdir(parents=True, exist_ok=True)
    said = {"cores": os.cpu_count(), "python": sys.version.split()[0], "seconds": round(seconds, 1),
            "rows": [row.document() for row in rows]}  # fmt: skip
    options.json.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2) + b"\n")
    Console(width=None if sys.stdout.isatty() else 160).print(table(rows))
    console.print(f"{seconds:.0f} s on {os.cpu_count()} cores; as JSON in {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
