"""An answer of twice the length takes twice as long: whoever answers can make it as long, and as odd, as he wants."""

from __future__ import annotations

import gc
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from daemons.sources import SOURCES
from lib.errors import SourceError
from lib.posting.contract import DetailSource, Source
from lib.posting.jobposting import job_postings
from tests.contract.test_sources import answer, containers, rows_in, samples

SHORT, LONG = 150, 600
AT_ONCE_S = 0.6  # what takes no longer is not looked at twice
WORST = 2.5 * LONG / SHORT  # between the fourfold time of linear work and the sixteenfold of quadratic work
ELEMENTS = ("a", "td", "tr", "li", "div", "item", "position", "offer", "job", "url")
LOOPED = (" ", ".", '"', "<", "1", "&amp;", "-", "/", "a ", "(")

every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())


def cpu_s(read: Callable[[bytes], object], body: bytes) -> float:
    """The collector rests meanwhile: what it costs depends on what other tests left in memory."""
    gc.disable()
    try:
        started = time.process_time()
        with suppress(SourceError):
            read(body)
        return time.process_time() - started
    finally:
        gc.enable()


def check_growth(read: Callable[[bytes], object], build: Callable[[int], bytes], shape: str) -> None:
    """Reads the long body and, where that is not done at once, compares the best of several readings with the short."""
    long, short = build(LONG), build(SHORT)
    if cpu_s(read, long) < AT_ONCE_S:
        return
    longer, shorter = (min(cpu_s(read, body) for _ in range(3)) for body in (long, short))
    assert longer < max(AT_ONCE_S, WORST * shorter), (
        f"{shape}: {shorter:.2f} s, and {longer:.2f} s for {LONG / SHORT:g} times"
    )


def readings(source: Source) -> Iterator[tuple[str, bytes, Callable[[bytes], object]]]:
    for name, body, golden in samples(source):
        yield name, body, reading(source, golden)


def reading(source: Source, golden: dict[str, Any]) -> Callable[[bytes], object]:
    tenant = golden["tenant"]
    if "detail_of" in golden and isinstance(source, DetailSource):
        detail, asked = source, source.detail_request(tenant, golden["detail_of"], golden["row"]["url"])
        return lambda body: detail.parse_detail(tenant, answer(asked, body))
    request = source.request(tenant, golden["cursor"])
    return lambda body: source.parse(tenant, answer(request, body))


def renumbered(text: str, by: int) -> str:
    return re.sub(r"\d{1,9}", lambda found: str(int(found[0]) + by), text)


@every_source
def test_elements_that_repeat_in_their_place(source: Source) -> None:
    """Hundreds of postings in one row, of rows in one table: each with ids of its own, and all with the same."""
    for name, body, read in readings(source):
        page = body.decode("utf-8", "replace")
        for tag in ELEMENTS:
            found = re.search(rf"<{tag}\b.*?</{tag}>", page, re.DOTALL)
            if found is None:
                continue
            before, element, after = page[: found.end()], found[0], page[found.end() :]

            def other(times: int, before: str = before, element: str = element, after: str = after) -> bytes:
                return (before + "".join(renumbered(element, by) for by in range(times)) + after).encode()

            check_growth(read, other, f"{name}, {tag}")


@every_source
def test_rows_that_repeat(source: Source) -> None:
    for name, body, golden in samples(source):
        if not body.lstrip().startswith((b"{", b"[")) or not golden.get("page", {}).get("rows"):
            continue
        read, document = reading(source, golden), json.loads(body)
        rows = rows_in(document)
        held = list(rows)

        def many(times: int, document: Any = document, rows: Any = rows, held: Any = held) -> bytes:
            rows[:] = held * times
            return json.dumps(document).encode()

        check_growth(read, many, name)


@every_source
def test_texts_without_an_end(source: Source) -> None:
    """What a regular expression may loop over, behind the beginning of every text and every attribute."""
    for name, body, read in readings(source):
        for looped in LOOPED:

            def longer(times: int, body: bytes = body, looped: str = looped) -> bytes:
                return with_tail(body, looped * (times * 10))

            check_growth(read, longer, f"{name}, {looped!r}")


def with_tail(body: bytes, tail: str) -> bytes:
    if body.lstrip().startswith((b"{", b"[")):
        document = json.loads(body)
        for holder, key in list(containers(document)):
            if isinstance(holder[key], str):
                holder[key] += f"{tail}!"
        return json.dumps(document).encode()
    page = re.sub(r"(?<=>)[^<>\s][^<>]*(?=<)", lambda found: f"{found[0]}{tail}!", body.decode("utf-8", "replace"))
    return re.sub(r'(?<==")[^"<>]+(?=")', lambda found: found[0] + tail.replace('"', "'") + "!", page).encode()


@pytest.mark.parametrize(
    "properties",
    [lambda times: '<i itemprop="title">x</i>' * times, lambda times: f'<i itemprop="{"a " * times}">x</i>'],
)
def test_properties_that_repeat(properties: Callable[[int], str]) -> None:
    def build(times: int) -> bytes:
        return f'<p itemscope itemtype="https://schema.org/JobPosting">{properties(times * 100)}</p>'.encode()

    check_growth(job_postings, build, "microdata")
