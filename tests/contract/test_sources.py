"""What every source must keep to. Runs over the registry: a new source is tested on arrival."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemons.sources import SOURCES, detect
from lib.errors import Gone, Malformed, Refused
from lib.net.messages import Request, Response
from lib.posting.contract import (
    MAX_FIELD_CHARS,
    MAX_ID_CHARS,
    MAX_TEXT_CHARS,
    Completeness,
    DetailSource,
    Page,
    Posting,
    Source,
    StreamSource,
)

PAYLOADS = Path(__file__).parent.parent / "payloads"
# Postings of searches, and of boards inside companies' own pages, have addresses that do not name their board.
ELSEWHERE = frozenset({"adzuna", "beesite", "bite", "bundesagentur", "jooble"})
HEADER = ("Source", "Shape", "Units", "Errors", "Unsure")
HOSTILE_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**30,
    -(10**18),
    253402300800000,
    float("inf"),
    float("-inf"),
    float("nan"),
    "",
    " ",
    "\x00",
    "\ud800",
    "a\x00\udfffb",
    "0000-00-00T00:00:00Z",
    "99999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "-1",
    "1e999",
    "javascript:alert(1)",
    "http://[",
    "x" * 3_000,
    [],
    {},
    [None],
    [[]],
    {"a": {}},
    [{}],
    {"": ""},
)

every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
bounded = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def samples(source: Source) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Name, body and golden reading of each saved payload."""
    for golden in sorted((PAYLOADS / source.name).glob("*.golden.json")):
        (body,) = (path for path in golden.parent.glob(f"{golden.name.split('.')[0]}.*") if path != golden)
        yield body.name, body.read_bytes(), json.loads(golden.read_text())


def answer(request: Request, body: bytes) -> Response:
    return Response(request=request, url=request.url, status=200, headers={}, body=body)


def readers(source: Source) -> list[Callable[[bytes], Page | Posting]]:
    """All ways in which the source reads an answer."""
    tenant = next(golden["tenant"] for _, _, golden in samples(source))
    request = source.request(tenant, None)
    ways: list[Callable[[bytes], Page | Posting]] = [lambda body: source.parse(tenant, answer(request, body))]
    if isinstance(source, DetailSource):
        known = next(golden for _, _, golden in samples(source) if "detail_of" in golden)
        detail = source.detail_request(known["tenant"], known["detail_of"], known["row"]["url"])
        ways.append(lambda body: source.parse_detail(tenant, answer(detail, body)))
    return ways


def check_any(source: Source, body: bytes) -> None:
    """`body` gives what can be stored, or an error that says so; and the same again."""
    for read in readers(source):
        try:
            first = read(body)
        except (Malformed, Gone) as error:
            storable(str(error))
            with pytest.raises(type(error)):
                read(body)
            continue
        assert first == read(body)
        for row in first.rows if isinstance(first, Page) else (first,):
            check_row(row)
        if isinstance(first, Page):
            assert first.total is None or first.total >= 0
            for rejected in first.rejected:
                storable(rejected.raw + rejected.reason)
            for name in first.unknown:
                storable(name)


def storable(text: str) -> None:
    assert "\x00" not in text
    text.encode()


def check_row(row: Posting) -> None:
    fields = msgspec.to_builtins(row)
    storable(json.dumps(fields, ensure_ascii=False).replace("\\u0000", "\x00"))
    assert row.external_id.strip()
    assert len(row.external_id) <= MAX_ID_CHARS
    assert row.title.strip()
    assert len(row.html or "") <= MAX_TEXT_CHARS
    for value in (row.title, row.url, row.apply_url, row.company, row.employment_type, row.department, *row.places):
        assert value is None or 0 < len(value) <= MAX_FIELD_CHARS
    for link in (row.url, row.apply_url):
        assert link is None or re.match(r"https?://[^/]", link)
    assert row.country is None or re.fullmatch("[A-Z]{2}", row.country)
    assert row.language is None or re.fullmatch("[a-z]{2}", row.language)
    assert row.remote in (None, "remote", "hybrid", "onsite")
    for moment in (row.posted_at, row.valid_through):
        assert moment is None or (moment.utcoffset() is not None and 1900 <= moment.year <= 2200)
    if row.salary is not None:
        bounds = [bound for bound in (row.salary.min, row.salary.max) if bound is not None]
        assert bounds == sorted(bounds) != []
        assert all(math.isfinite(bound) and bound >= 0 for bound in bounds)


def said(row: Posting) -> dict[str, Any]:
    return {name: value for name, value in json.loads(msgspec.json.encode(row)).items() if value not in (None, [])}


@every_source
def test_file_class_and_payload_folder_carry_one_name(source: Source) -> None:
    assert SOURCES[source.name] is source
    assert type(source).__module__ == f"daemons.sources.{source.name}"
    assert list(samples(source)), f"no saved payload with a golden reading in tests/payloads/{source.name}/"
    assert source.title
    assert source.every.total_seconds() >= 60
    assert isinstance(source.completeness, Completeness)


def test_every_payload_folder_has_its_source() -> None:
    assert {folder.name for folder in PAYLOADS.iterdir() if folder.is_dir()} == set(SOURCES)


@every_source
def test_header_says_what_a_reader_must_know(source: Source) -> None:
    header = import_module(type(source).__module__).__doc__ or ""
    for subject in HEADER:
        assert re.search(rf"^{subject} {{2,}}\S", header, re.MULTILINE), f"{source.name}: {subject} is missing"


@every_source
def test_saved_payloads_give_their_golden_rows(source: Source) -> None:
    for name, body, golden in samples(source):
        if "detail_of" in golden:
            assert isinstance(source, DetailSource)
            request = source.detail_request(golden["tenant"], golden["detail_of"], golden["row"]["url"])
            assert said(source.parse_detail(golden["tenant"], answer(request, body))) == golden["row"], name
            continue
        request = source.request(golden["tenant"], golden["cursor"])
        page = source.parse(golden["tenant"], answer(request, body))
        expected = golden["page"]
        assert [said(row) for row in page.rows] == expected["rows"], name
        assert dict(page.unknown) == expected.get("unknown", {}), name
        assert len(page.rejected) == expected.get("rejected", 0), name
        assert page.skipped == expected.get("skipped", 0), name
        assert (page.total, page.cursor) == (expected.get("total"), expected.get("cursor")), name


@every_source
@given(body=st.binary(max_size=400))
@bounded
def test_any_bytes_give_a_page_or_an_error(source: Source, body: bytes) -> None:
    check_any(source, body)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@every_source
@given(rows=st.lists(JSON_VALUES, max_size=4), envelope=st.sampled_from(("", "jobs", "content")))
@bounded
def test_any_json_gives_a_page_or_an_error(source: Source, rows: list[Any], envelope: str) -> None:
    document = {envelope: rows, "totalFound": len(rows), "jobAd": {}} if envelope else rows
    check_any(source, json.dumps(document).encode())


@every_source
@given(data=st.data())
@bounded
def test_a_mutated_payload_gives_a_page_or_an_error(source: Source, data: st.DataObject) -> None:
    _, body, _ = data.draw(st.sampled_from(list(samples(source))))
    if body.lstrip().startswith(b"<"):
        check_any(source, mutated_xml(body, data))
    elif body.lstrip().startswith((b"{", b"[")):
        check_any(source, mutated_json(body, data))


@every_source
@given(data=st.data())
@bounded
def test_a_damaged_payload_gives_a_page_or_an_error(source: Source, data: st.DataObject) -> None:
    _, body, _ = data.draw(st.sampled_from(list(samples(source))))
    at = data.draw(st.integers(0, len(body)))
    if data.draw(st.booleans()):
        check_any(source, body[:at])
    else:
        check_any(source, body[:at] + data.draw(st.binary(min_size=1, max_size=4)) + body[at + 1 :])


def mutated_json(body: bytes, data: st.DataObject) -> bytes:
    document = copy.deepcopy(json.loads(body))
    for _ in range(data.draw(st.integers(1, 3))):
        spots = list(containers(document))
        holder, key = data.draw(st.sampled_from(spots)) if spots else (None, None)
        if holder is not None:
            # A copy: the next change may be inside this value, and would make it hold itself.
            holder[key] = copy.deepcopy(data.draw(st.sampled_from(HOSTILE_VALUES)))
    return json.dumps(document).encode()


def containers(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from containers(inner)


def mutated_xml(body: bytes, data: st.DataObject) -> bytes:
    texts = [found.span() for found in re.finditer(rb"(?<=>)[^<]+(?=<)", body)]
    start, end = data.draw(st.sampled_from(texts))
    hostile = data.draw(
        st.sampled_from(
            (b"", b"\x00", b"&#0;", b"&nbsp;", b"\xff\xfe", b"<!-- -->", b"<![CDATA[<]]>", b"1e999", b"<a/>", b"\x01")
        )
    )
    return body[:start] + hostile + body[end:]


def rows_in(document: Any) -> list[dict[str, Any]]:
    """The rows of a saved list: the list itself, or the one in its envelopes, whatever they are called."""
    waiting = [document]
    for value in waiting:
        is_rows = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
        inner = list(value.values()) if isinstance(value, dict) else [*value[0].values()] if is_rows else []
        if is_rows and not (len(value) == 1 and any(isinstance(one, list) and len(one) > 1 for one in inner)):
            return value  # type: ignore[no-any-return]
        waiting += inner
    raise AssertionError("no rows")


@every_source
def test_one_hostile_value_never_costs_a_neighbour(source: Source) -> None:
    """A lone surrogate, a NUL or an endless number in one row: the other rows are all still there."""
    for _, body, golden in samples(source):
        if body.lstrip().startswith(b"<") or len(golden.get("page", {}).get("rows", ())) < 2:
            continue
        request = source.request(golden["tenant"], golden["cursor"])
        document = json.loads(body)
        rows = rows_in(document)
        rows[0] = dict(zip(rows[0], HOSTILE_VALUES * 2, strict=False))
        page = source.parse(golden["tenant"], answer(request, json.dumps(document).encode()))
        assert {row.external_id for row in page.rows} >= {row["external_id"] for row in golden["page"]["rows"][1:]}


@every_source
def test_fields_that_nobody_asked_for_are_counted(source: Source) -> None:
    """Golden readings show the counting of each source's own payloads; here at least one of them must have some."""
    assert any(golden.get("page", {}).get("unknown") for _, _, golden in samples(source))


@every_source
def test_an_unending_number_of_field_names_stays_bounded(source: Source) -> None:
    for _, body, golden in samples(source):
        if body.lstrip().startswith(b"<") or not golden.get("page", {}).get("rows"):
            continue
        document = json.loads(body)
        rows = rows_in(document)
        rows[0] |= {f"name {number}": number for number in range(5_000)}
        request = source.request(golden["tenant"], golden["cursor"])
        page = source.parse(golden["tenant"], answer(request, json.dumps(document).encode()))
        assert len(page.unknown) <= 501
        assert sum(page.unknown.values()) >= 5_000


@every_source
def test_tenants_survive_the_way_through_the_board_address(source: Source) -> None:
    tenants = {golden["tenant"] for _, _, golden in samples(source)}
    for tenant in tenants | {one for one in ("acme", "acme-2") if may_be_tenant(source, one)}:
        assert source.detect(source.board_url(tenant)) == tenant
        assert detect(source.board_url(tenant)) == (source, tenant)
        request = source.request(tenant, None)
        # A feed lies on anybody's host, and a question that is sent as a body is not in the address.
        if not isinstance(source, StreamSource) and request.body is None:
            assert detect(request.url) == (source, tenant)


def may_be_tenant(source: Source, token: str) -> bool:
    """Whether the system's tenants look like that; those of some have several parts."""
    try:
        source.board_url(token)
    except Refused:
        return False
    return True


@every_source
def test_posting_addresses_are_recognised(source: Source) -> None:
    for _, body, golden in samples(source):
        if not golden.get("page", {}).get("rows") or isinstance(source, StreamSource) or source.name in ELSEWHERE:
            continue
        request = source.request(golden["tenant"], golden["cursor"])
        row = source.parse(golden["tenant"], answer(request, body)).rows[0]
        found = detect(row.url)
        assert found is not None
        assert (found[0], found[1].lower()) == (source, golden["tenant"].lower())


@every_source
def test_requests_are_plain(source: Source) -> None:
    tenant = next(golden["tenant"] for _, _, golden in samples(source))
    request = source.request(tenant, None)
    assert request.url.startswith("https://")
    assert source.request(tenant, None) == request


@every_source
def test_paging_ends(source: Source) -> None:
    """Over a server that always has a full page, and over one that says the same thing for ever."""
    tenant, body = next((golden["tenant"], body) for _, body, golden in samples(source) if golden.get("page"))
    for endless in (body, full_page(source, body)):
        cursor, seen = None, set()
        for _ in range(2_500):
            try:
                page = source.parse(tenant, answer(source.request(tenant, cursor), endless))
            except Malformed:
                break
            cursor = page.cursor
            if cursor is None:
                break
            assert cursor not in seen
            seen.add(cursor)
        else:
            pytest.fail("2,500 pages and no end")


def full_page(source: Source, body: bytes) -> bytes:
    if not body.lstrip().startswith((b"{", b"[")):
        return body
    document = json.loads(body)
    if source.completeness is Completeness.SHORT_PAGE:
        tenant = next(golden["tenant"] for _, _, golden in samples(source))
        rows = document if isinstance(document, list) else rows_in(document)
        rows[:] = [{}] * int(source.request(tenant, None).params.get("limit", 100))
        return json.dumps(document).encode()
    if source.completeness is Completeness.TOTAL:
        name = "jobs" if "jobs" in document else "content"
        return json.dumps(document | {name: [{}] * 100, "totalFound": 10**15}).encode()
    return body
