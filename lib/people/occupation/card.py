"""The card beside a trained model: what it is, what it was made of, and whose data that was."""

from __future__ import annotations

from lib.people.occupation.codes import CLASSIFICATIONS
from lib.people.occupation.corpus import Corpus
from lib.people.occupation.model import Model

_TEXT = """# vakanz-occupations: KldB 2010, ISCO-08 and O*NET-SOC codes of job titles, German and English

Linear support vector machines, one against the rest, over hashed words and character 3-5-grams of a cleaned title and
words of the text around it; for each classification first the group of two characters, then the code within it. Made by
`vakanz occupations train`; `vakanz occupations measure FOLDER` says how good the same recipe is on names it never saw.

| classification | codes | groups | weights | temperatures (group, code) |
| --- | --- | --- | --- | --- |
{heads}

Learned from {names:,} names ({sources}) and {texts:,} descriptions. Temperatures suit a tenth of the names, kept back.

## Data and licences
- ESCO, European Commission: reuse allowed with attribution. "This service uses the ESCO classification of the European
  Commission."
- O*NET Database by the U.S. Department of Labor, Employment and Training Administration, CC BY 4.0; used with
  modifications, not endorsed by USDOL/ETA.
- Names and KldB 2010 codes of the Bundesagentur für Arbeit; AuxCo, the auxiliary classification of occupations.

## Limits
Titles of these taxonomies are tidier than those people write. A code of O*NET-SOC is hard to tell from a title alone.
The confidence is that of titles; words that name no occupation may still look like one.
"""


def card(corpus: Corpus, model: Model) -> str:
    """Markdown."""
    rows = []
    for kind in CLASSIFICATIONS:
        head = model.heads[kind]
        group, code = (f"{temperature:.1f}" for temperature in head.temperatures.tolist())
        rows.append(f"| {kind} | {len(head.codes)} | {len(head.groups)} | {len(head.weights):,} | {group}, {code} |")
    sources = ", ".join(f"{source} {count:,}" for source, count in corpus.counts().items())
    return _TEXT.format(heads="\n".join(rows), names=len(corpus.names), sources=sources, texts=len(corpus.texts))
