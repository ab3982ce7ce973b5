"""What a list has shown: which rows are to be written, once, and what is left of those that were held."""

from __future__ import annotations

from msgspec.structs import replace

from daemons.crawl.ledger import MAX_REJECTED, Ledger
from daemons.sources import source
from lib.posting.contract import Page, Posting, Rejected
from lib.posting.writing import Listed


def row(external_id: str, html: str | None = "<p>Text</p>", title: str = "Koch") -> Posting:
    return Posting(external_id=external_id, title=title, url=f"https://b.example/{external_id}", html=html)


def hash_of(posting: Posting) -> bytes:
    return Listed.of(posting).hash


def written(ledger: Ledger, *pages: Page) -> list[list[tuple[str, str | None]]]:
    """Ids and texts of the batches that come of these pages, and of the end."""
    found = []
    for number, page in enumerate(pages):
        ledger.take(page, number)
        found += list(ledger.batches())
    found += list(ledger.batches(last=True))
    return [[(one.posting.external_id, one.posting.html) for one in batch] for batch in found]


def test_rows_are_handed_out_in_full_batches_on_the_way() -> None:
    ledger = Ledger(None, {})
    ledger.take(Page(rows=tuple(row(str(n)) for n in range(130))), 1)
    assert [len(batch) for batch in ledger.batches()] == [50, 50]
    assert list(ledger.batches()) == []
    assert [len(batch) for batch in ledger.batches(last=True)] == [30]
    assert (ledger.new, len(ledger.written), len(ledger.seen)) == (130, 130, 130)


def test_only_what_is_new_changed_or_closed_is_written() -> None:
    held = {"same": hash_of(row("same")), "changed": b"other", "closed": None, "gone": hash_of(row("gone"))}
    ledger = Ledger(None, held)
    page = Page(rows=(row("same"), row("changed"), row("closed"), row("new")))
    assert written(ledger, page) == [[(one, "<p>Text</p>") for one in ("changed", "closed", "new")]]
    assert (ledger.new, ledger.open_before) == (1, 3)
    assert (ledger.missing(), ledger.kept()) == (["gone"], ["same"])


def test_of_rows_with_one_id_the_first_with_text_wins_on_whatever_pages() -> None:
    pages = [
        Page(rows=(row("a", None), row("b", "<p>de</p>"), row("c", None))),
        Page(rows=(row("a", "<p>en</p>"), row("b", "<p>en</p>"), row("c", None, "Cook"))),
        Page(rows=(row("a", "<p>fr</p>"), row("a", None))),
    ]
    ledger = Ledger(None, {}, waits=True)
    assert written(ledger, *pages) == [[("b", "<p>de</p>"), ("a", "<p>en</p>"), ("c", None)]]


def test_a_row_without_text_waits_for_the_end_where_texts_may_follow() -> None:
    bare = Page(rows=tuple(row(str(n), None) for n in range(60)))
    full = Page(rows=tuple(row(str(n)) for n in range(60)))
    held = {str(n): hash_of(row(str(n))) for n in range(60)}
    assert written(Ledger(None, held, waits=True), bare, full) == []  # known with text: nothing happens at all
    assert [len(batch) for batch in written(Ledger(None, {}, waits=True), bare)] == [50, 10]
    at_once = Ledger(None, {})
    at_once.take(bare, 1)
    assert [len(batch) for batch in at_once.batches()] == [50]


def test_a_row_that_was_written_without_text_is_written_again_with_it() -> None:
    held = {str(n): hash_of(row(str(n))) for n in range(50)}
    ledger = Ledger(None, held)
    batches = written(
        ledger, Page(rows=tuple(row(str(n), None) for n in range(50))), Page(rows=(row("7"),)), Page(rows=(row("7"),))
    )
    assert [len(batch) for batch in batches] == [50, 1]
    assert batches[1] == [("7", "<p>Text</p>")]


def test_a_batch_never_has_an_id_twice() -> None:
    ledger = Ledger(None, {})
    batches = written(ledger, Page(rows=(row("a", None), row("b"))), Page(rows=(row("a"),)))
    assert batches == [[("b", "<p>Text</p>"), ("a", "<p>Text</p>")]]


def test_a_row_without_a_company_is_the_boards() -> None:
    ledger = Ledger("Gasthaus AG", {})
    ledger.take(Page(rows=(row("a"), replace(row("b"), company="Wirtshaus GmbH"))), 1)
    (batch,) = ledger.batches(last=True)
    assert [one.posting.company for one in batch] == ["Gasthaus AG", "Wirtshaus GmbH"]


def test_too_many_unreadable_rows_are_counted_and_not_kept() -> None:
    ledger = Ledger(None, {})
    for _ in range(3):
        ledger.take(Page(rows=(), rejected=(Rejected("{}", "why"),) * 1_000), 1)
    assert (ledger.rejections, len(ledger.rejected)) == (3_000, MAX_REJECTED)
    assert len(ledger.doubts()) == MAX_REJECTED + 1  # the last one may be any of them
    assert ledger.facts(source("ashby"), ended=True).rejected == 3_000


def test_an_excerpt_has_no_end() -> None:
    ledger = Ledger(None, {})
    ledger.take(Page(rows=(row("a"),), excerpt=True), 1)
    ledger.take(Page(rows=(row("b"),)), 1)
    assert not ledger.facts(source("ashby"), ended=True).ended
