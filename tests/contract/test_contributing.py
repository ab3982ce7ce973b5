"""The source that CONTRIBUTING walks through is a real one: put beside the others, it keeps the contract."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest

import daemons.sources
from lib.posting.contract import DetailSource
from tests.contract import test_detail_addresses as addresses
from tests.contract import test_sources as contract

GUIDE = Path(__file__).parents[2] / "CONTRIBUTING.md"
MOST_LINES = 45
BOARD = "https://muster.acme-recruiting.example"
COOK = {"id": 7, "title": "Koch", "url": f"{BOARD}/jobs/7-koch", "cities": ["Ulm"], "published": "2026-11-02T08:00:00Z"}
BAKER = {"id": "8", "title": "Bäcker ", "pay_from": 32_000, "pay_to": 38_000, "perks": "Obst"}
READ_COOK = {
    "external_id": "7", "title": "Koch", "url": f"{BOARD}/jobs/7-koch", "places": ["Ulm"],
    "posted_at": "2026-11-02T08:00:00Z",
}  # fmt: skip
READ_BAKER = {
    "external_id": "8", "title": "Bäcker", "url": f"{BOARD}/jobs/8",
    "salary": {"min": 32_000.0, "max": 38_000.0, "currency": "EUR", "period": "year"},
}  # fmt: skip
NODE = {"@type": "JobPosting", "title": "Koch", "description": "<p>Sie kochen.</p>"}
PAGE = f'<html><script type="application/ld+json">{json.dumps(NODE)}</script></html>'
SAVED = {
    "list.json": json.dumps({"jobs": [COOK, BAKER, {"id": "../x"}], "total": 9}),
    "list.golden.json": json.dumps({
        "tenant": "muster", "cursor": None,
        "page": {
            "rows": [READ_COOK, READ_BAKER], "rejected": 1, "unknown": {"perks": 1}, "total": 9, "cursor": "3",
        },
    }),
    "page.html": PAGE,
    "page.golden.json": json.dumps({
        "tenant": "muster", "detail_of": "7",
        "row": {"external_id": "7", "title": "Koch", "url": f"{BOARD}/jobs/7-koch", "html": "<p>Sie kochen.</p>"},
    }),
}  # fmt: skip


def shown() -> str:
    (code,) = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return code


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DetailSource:
    """The guide's source, found by the registry like all others, with its saved answers."""
    package, payloads = tmp_path / "sources", tmp_path / "payloads" / "acme"
    package.mkdir()
    payloads.mkdir(parents=True)
    (package / "acme.py").write_text(shown())
    for name, text in SAVED.items():
        (payloads / name).write_text(text)
    monkeypatch.setattr(daemons.sources, "__path__", [*daemons.sources.__path__, str(package)])
    monkeypatch.setitem(sys.modules, "daemons.sources.acme", None)  # forgotten again after the test
    del sys.modules["daemons.sources.acme"]
    found = daemons.sources._discover()
    source = found["acme"]
    assert isinstance(source, DetailSource)
    everything = MappingProxyType(dict(daemons.sources.SOURCES) | {"acme": source})
    for place in (daemons.sources, contract):
        monkeypatch.setattr(place, "SOURCES", everything)
    monkeypatch.setattr(contract, "PAYLOADS", tmp_path / "payloads")
    return source


def checks() -> list[Callable[..., None]]:
    """All that the contract asks of each source."""
    named = [one for name, one in vars(contract).items() if name.startswith("test_")]
    return [one for one in named if list(inspect.signature(one).parameters) == ["source"]]


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.__name__)
def test_the_guides_source_keeps_the_contract(check: Callable[..., None], acme: DetailSource) -> None:
    check(source=acme)


def test_the_guides_source_asks_where_its_list_says(acme: DetailSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(addresses.DETAILS, "acme", acme)
    monkeypatch.setitem(addresses.KNOWN, "acme", {"tenant": "muster", "detail_of": "7"})
    addresses.test_no_other_host_is_ever_asked("acme")
    addresses.test_only_an_address_that_the_list_gave_can_say_that_a_posting_is_gone(
        "acme", ("muster", "7", f"{BOARD}/jobs/7-koch")
    )


def test_the_contract_finds_fault_with_a_source_that_breaks_it(
    acme: DetailSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acme, "ending", ".elsewhere.example", raising=False)
    with pytest.raises(AssertionError):
        contract.test_saved_payloads_give_their_golden_rows(source=acme)


def test_the_guides_source_has_about_forty_lines() -> None:
    code = shown().split('"""')[2]
    assert len([line for line in code.splitlines() if line.strip()]) <= MOST_LINES
    assert max(map(len, shown().splitlines())) <= 120
