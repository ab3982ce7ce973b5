"""A PDF file as a job ad. Pure: the file was read before, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

from daemons.careers import ad
from daemons.careers.classifier import features, probability
from daemons.careers.reading import MIN_PROBABILITY
from daemons.careers.site import external_id
from lib.posting.contract import Posting, clean_text
from lib.posting.markup import paragraphs
from lib.posting.values import places
from lib.text.documents import Document

_TITLE_LINES = 40
_LARGER = 1.15  # than the usual line: a heading


def read_ad(document: Document, url: str) -> tuple[Posting | None, tuple[str, ...], float]:
    """The posting in a document, towns to be looked up, and how likely the document is one job ad.

    None when it is not likely, or has no title.
    """
    lines = [line.strip() for line in document.text.splitlines() if line.strip()]
    headings = list(_headings(document))
    title = ad.title_of([*headings[:8], document.title or "", *lines[:5]], None)
    likely = probability(
        features(
            url=url, title=title, headings=[*headings, *(line for line in lines if len(line) <= 60)],
            text=document.text, link_texts=(), job_links=0, applications=0,
        )
    )  # fmt: skip
    if title is None or likely < MIN_PROBABILITY:
        return None, (), likely
    posting = Posting(
        external_id=external_id(url),
        title=clean_text(title),
        url=url,
        company=ad.company_of((), document.title or "", (), document.text),
        places=places(ad.places_said(lines)),
        valid_through=ad.deadline_of(document.text),
        html=paragraphs(clean_text(document.text, len(document.text))),
    )
    return posting, () if posting.places else ad.place_hints(posting.title, lines), likely


def _headings(document: Document) -> Iterator[str]:
    """The runs of lines that are written larger than most, the largest first, each run as one line."""
    sizes = sorted(line.size for line in document.lines)
    if not sizes:
        return
    usual = sizes[len(sizes) // 2]
    runs: list[tuple[float, str]] = []
    previous = 0.0
    for line in document.lines[:_TITLE_LINES]:
        if line.size >= usual * _LARGER:
            if runs and abs(line.size - previous) < 0.5:
                runs[-1] = (runs[-1][0], f"{runs[-1][1]} {line.text}")
            else:
                runs.append((line.size, line.text))
        previous = line.size
    for _, text in sorted(runs, key=lambda run: -run[0]):
        yield text
