"""No answer that is something else reads as a board without postings: that would close all that it had."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from daemons.sources import SOURCES
from lib.errors import SourceError
from lib.net.messages import Request
from lib.posting.contract import Page, Source
from tests.contract.test_sources import answer, samples

PAGE = '<!DOCTYPE html><html lang="de"><head><title>{}</title></head><body class="page"><main>{}</main></body></html>'
OTHERWISE = {
    "login": PAGE.format(
        "Sign in",
        '<form action="/login" method="post"><input type="hidden" name="csrf" value="abcdef0123456789">'
        '<input name="email">'
        '<input type="password" name="password"><button>Sign in</button></form>',
    ),
    "marketing": PAGE.format(
        "Recruiting software",
        '<nav><a href="/product">Product</a><a href="/jobs">Jobs</a></nav><h1>Hire better</h1><p class="position">The '
        "system of 10,000 teams. No credit card. Page 1 of 3.</p><table><tr><td>Starter</td></tr></table>",
    ),
    "cookie wall": PAGE.format("Cookies", '<div class="modal">We use cookies.<button>Accept all</button></div>'),
    "maintenance": PAGE.format("Wartung", "<h1>Wartungsarbeiten</h1><p>We are back soon.</p>"),
    "challenge": PAGE.format("Just a moment...", "<script>window._cf_chl_opt={}</script>"),
    "no body": "",
    "blank": " \n",
    "plain text": "Service Unavailable",
    "an object": "{}",
    "an array": "[]",
    "null": "null",
    "true": "true",
    "a text": '"ok"',
    "an error": '{"error": "Not found"}',
    "errors": '{"errors": [{"message": "No such tenant"}], "data": null}',
    "a message": '{"message": "Service unavailable"}',
    "a status": '{"status": 404}',
    "a failure": '{"success": false, "error": true, "data": null, "jobs": null, "items": {}, "total": 0}',
    "an XML error": '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>',
    "an error in the feed's root": "<workzag-jobs><error>No such tenant</error></workzag-jobs>",
    "another error in a root": "<offers><error>No such tenant</error></offers>",
    "another site's sitemap": "<urlset><url><loc>https://other.example/</loc></url></urlset>",
}
# What is an empty board all the same: the source, the answer, and why.
EXCEPTIONS = {
    ("breezy", "an array"): "the board is a bare array",
    ("comeet", "an array"): "the API's list is a bare array",
    ("dvinci", "an array"): "the list is a bare array",
    ("lever", "an array"): "the board is a bare array",
    ("rippling", "an array"): "the board is a bare array in one of its versions",
    ("onlyfy", "no body"): "after the first page: the list is a part of a page, whose rows have ended",
    ("onlyfy", "blank"): "the same",
    ("xmlfeed", "another error in a root"): "what else is in a feed is its maker's choice",
}

every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())


def requests(source: Source) -> Iterator[tuple[str, Request]]:
    """What is asked for with each cursor that a saved page begins with or leads to, and with a plain number."""
    asked = set()
    for _, body, golden in samples(source):
        if "detail_of" in golden:
            continue
        tenant = golden["tenant"]
        following = source.parse(tenant, answer(source.request(tenant, golden["cursor"]), body)).cursor
        for cursor in (None, golden["cursor"], following, "2"):
            if (tenant, cursor) not in asked:
                asked.add((tenant, cursor))
                try:
                    yield tenant, source.request(tenant, cursor)
                except SourceError:
                    continue


def read(source: Source, tenant: str, request: Request, body: bytes) -> Page | None:
    try:
        return source.parse(tenant, answer(request, body))
    except SourceError:
        return None


def is_empty_board(page: Page | None) -> bool:
    """Whether the machinery would believe that the board lists nothing, or that its list ends here."""
    return page is not None and not (page.rows or page.rejected or page.total) and page.cursor is None


@every_source
def test_what_is_no_list_is_no_empty_board(source: Source) -> None:
    taken = {
        (source.name, name)
        for tenant, request in requests(source)
        for name, body in OTHERWISE.items()
        if is_empty_board(read(source, tenant, request, body.encode()))
    }
    assert taken == {known for known in EXCEPTIONS if known[0] == source.name}


@every_source
def test_a_postings_page_is_no_empty_board(source: Source) -> None:
    details = [body for _, body, golden in samples(source) if "detail_of" in golden]
    for tenant, request in requests(source):
        for body in details:
            assert not is_empty_board(read(source, tenant, request, body))


@every_source
def test_a_list_that_lost_its_form_is_no_empty_board(source: Source) -> None:
    """The rows under another type or name, classes and addresses renamed: what a redesign looks like."""
    for name, body, golden in samples(source):
        if not golden.get("page", {}).get("rows"):
            continue
        request = source.request(golden["tenant"], golden["cursor"])
        if request.url.partition("#")[2]:
            continue  # a repeated page is the end of this list
        for changed in redesigned(body):
            assert not is_empty_board(read(source, golden["tenant"], request, changed)), (name, changed[:2_000])


def redesigned(body: bytes) -> Iterator[bytes]:
    if body.lstrip().startswith((b"{", b"[")):
        document = json.loads(body)
        for changed in (None, {}, "", 0, False):
            yield from (json.dumps(one).encode() for one in with_lists_as(document, changed))
        yield json.dumps({"data": {"response": document}}).encode()
        return
    for mark, other in ((b'class="', b'class="new-'), (b'href="', b'href="/new?was='), (b"<loc>", b"<loc>x")):
        if mark in body:
            yield body.replace(mark, other)


def with_lists_as(document: Any, changed: Any) -> Iterator[Any]:
    """Copies of the document in which one of the outermost lists is something else."""
    for path in outer_lists(document, ()):
        copied = copy.deepcopy(document)
        holder = copied
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = changed
        yield copied


def outer_lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, list) and path:
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from outer_lists(inner, (*path, name))


@every_source
def test_rows_that_cannot_be_read_are_counted(source: Source) -> None:
    """A list of rows of which none has a title is no empty board: they are set aside, each with its reason."""
    for _, body, golden in samples(source):
        if not body.lstrip().startswith((b"{", b"[")) or not golden.get("page", {}).get("rows"):
            continue
        document = json.loads(body)
        for path in outer_lists(document, ()):
            holder = document
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = [{} for _ in holder[path[-1]]]
        if isinstance(document, list):
            document = [{} for _ in document]
        request = source.request(golden["tenant"], golden["cursor"])
        assert not is_empty_board(read(source, golden["tenant"], request, json.dumps(document).encode()))
