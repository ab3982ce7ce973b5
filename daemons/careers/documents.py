"""A PDF file as a job ad. Pure: the file was read before, in a process of its own."""

from __future__ import annotations

from statistics import median

from daemons.careers import ad
from daemons.careers.classifier import features, probability
from daemons.careers.reading import MIN_PROBABILITY
from daemons.careers.site import external_id
from lib.posting.contract import Posting, clean_text
from lib.posting.markup import paragraphs
from lib.text.adverts import read_advert
from lib.text.documents import Document
from lib.text.gazetteer import Gazetteer

_FIRST_LINES = 40
_LARGER = 1.15  # than the usual line: a heading
_SAME = 0.5  # points


def read_ad(document: Document, url: str, gazetteer: Gazetteer) -> tuple[Posting | None, float]:
    """The posting in a document, and how likely the document is one job ad; None when it is not, or has no title."""
    advert = read_advert(document, gazetteer)
    title = advert.title or ad.title_of(_headings(document), None)
    likely = probability(
        features(
            url=url, title=title, headings=[line.text for line in document.lines if len(line.text) <= 60],
            text=document.text, link_texts=(), job_links=0, applications=0,
        )
    )  # fmt: skip
    if title is None or likely < MIN_PROBABILITY:
        return None, likely
    posting = Posting(
        external_id=external_id(url),
        title=clean_text(title),
        url=url,
        company=advert.company,
        places=advert.places,
        valid_through=ad.deadline_of(document.text),
        html=paragraphs(clean_text(document.text, len(document.text))),
    )
    return posting, likely


def _headings(document: Document) -> list[str]:
    """The first lines that are written larger than most, those of one size put together; the largest first."""
    usual = median(line.size for line in document.lines) if document.lines else 0.0
    runs: list[tuple[float, str]] = []
    previous = 0.0
    for line in document.lines[:_FIRST_LINES]:
        if line.size >= usual * _LARGER and runs and abs(line.size - previous) < _SAME:
            runs[-1] = (runs[-1][0], f"{runs[-1][1]} {line.text}")
        elif line.size >= usual * _LARGER:
            runs.append((line.size, line.text))
        previous = line.size
    return [text for _, text in sorted(runs, key=lambda run: -run[0])]
