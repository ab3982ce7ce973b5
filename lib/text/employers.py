"""Who seeks somebody: the employer's name out of the lines of a job advert.

A name is believed for its legal form or for being an institution, more so when the advert's own mail and web addresses
agree with it. Customers, banks and partners have legal forms as well; two names that are equally likely give None.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from lib.text.gazetteer import fold

_MAX_CHARS = 60_000

_ARTICLE = r"(?:Die|Der|Das|Bei|Als|Wir|Unsere?|Firma|Für|Im|In|The|At|Kunden?|Firmen) "
_WORD = rf"(?:(?!{_ARTICLE})[A-ZÄÖÜ0-9][\w+'’-]*(?:\.\w+)*|&|\+)"
_FORM = (
    r"(?:GmbH ?& ?Co\.? ?KG(?:aA)?|(?:g|gem\. )?GmbH|AG ?& ?Co\.? ?KG(?:aA)?|AG|SE|KGaA|KG|OHG|mbH|eG|e\. ?V\.|"
    r"e\. ?K\.|UG(?: \(haftungsbeschränkt\))?|PartG(?: ?mbB)?|AöR|A\.ö\.R\.|KdöR|Ltd\.?|Inc\.?|B\.V\.|S\.A\.|Sàrl)"
)
_COMPANY = re.compile(rf"(?<![\w&-])(?!\d+ )({_WORD}(?: (?:{_WORD}|und|für|der|des)){{0,5}}? {_FORM})(?![\w-])")
_PROPER = r"[A-ZÄÖÜ][a-zäöüß][\w.-]*"
_INSTITUTION = re.compile(
    rf"(?<![\w-])((?:Institut für {_PROPER} an der )?(?:"
    rf"[A-ZÄÖÜ][\w-]*-(?:Universität|Hochschule)(?!\w)(?: (?:für )?{_PROPER}){{0,2}}|"
    rf"(?:(?:Technische|Freie|Medizinische|Pädagogische)[nr]? )?(?:Universität|Hochschule|Universitätsklinikum)"
    rf"(?: (?:für )?{_PROPER}){{1,2}}|"
    rf"(?:Landkreis|Stadt|Gemeinde|Klinikum|Landeshauptstadt|Bistum|Erzbistum) {_PROPER}|"
    rf"(?:[A-ZÄÖÜ]\w+\sResearch Institute|(?:Max-Planck|Fraunhofer|Leibniz)-Institut)(?: (?:für )?{_PROPER}){{0,2}}|"
    r"(?:Statistisches |Umwelt|Kraftfahrt-)[Bb]undesamt|Bundes(?:agentur|amt|anstalt) für [A-ZÄÖÜ][\w-]+))"
)
_NOT_OURS = re.compile(
    r"(?i)(?:kunden?|mandanten?|partner|customers?|clients?|bank|blz|iban|versicherung bei)\W+(?:\w+\W+){0,2}$"
)
_BANK = re.compile(r"(?i)bank\b.*(?:eG|AG)$|sparkasse")
_ADDRESS = re.compile(
    r"(?i)(?:@|www\.|https?://)(?:[a-z0-9-]{1,40}\.){0,4}([a-z0-9-]{2,40})"
    r"\.(?:de|com|at|ch|net|org|eu|io|auto|info|jobs|team|ag)\b"
)
# Mail providers, portals and job boards: their addresses say nothing about who seeks.
_STRANGERS = re.compile(
    r"gmail|googlemail|gmx|web|t-online|yahoo|outlook|hotmail|aol|icloud|freenet|posteo|mailbox|interamt|stepstone|"
    r"indeed|linkedin|xing|facebook|instagram|twitter|youtube|kununu|softgarden|personio|join|talention|google|whatsapp"
)


def employer(lines: Sequence[str], author: str | None = None) -> str | None:
    """The employer's name as it is written; None when none is clear. `author`: whom the file says that it is by."""
    text = "\n".join([author or "", *lines])[:_MAX_CHARS]
    stems = _stems(text)
    votes: Counter[str] = Counter()
    written: dict[str, str] = {}
    for name, start in _named(text):
        key = _key(name)
        written.setdefault(key, name)
        votes[key] += 1 + (4 if any(_agrees(stem, name) for stem in stems) else 0)
        if _NOT_OURS.search(text[max(0, start - 60) : start]) or _BANK.search(name):
            votes[key] -= 6
    likely = [(key, count) for key, count in votes.most_common(2) if count > 0]
    if likely and (len(likely) == 1 or likely[0][1] > likely[1][1]):
        return written[likely[0][0]]
    return None if likely else _spelt_like(stems, text)


def _named(text: str) -> Iterator[tuple[str, int]]:
    for pattern in (_COMPANY, _INSTITUTION):
        for found in pattern.finditer(text):
            yield " ".join(found[1].split()).rstrip(".,"), found.start()


def _key(name: str) -> str:
    return fold(re.sub(rf" {_FORM}$", "", name))


def _stems(text: str) -> list[str]:
    """What the mail and web addresses are called after, most frequent first."""
    found = Counter(match[1].lower() for match in _ADDRESS.finditer(text))
    return [stem for stem, _ in found.most_common(4) if not _STRANGERS.fullmatch(stem)]


def _agrees(stem: str, name: str) -> bool:
    """ "lachmann-rink" and "Lachmann & Rink GmbH", "klett" and "Ernst Klett Verlag GmbH", "uni-kassel" and "Universität
    Kassel"."""
    words = _key(name).split()
    if stem.startswith("uni-"):
        return any(word.endswith("universitat") for word in words) and (stem[4:] in words or len(words) <= 2)
    plain = stem.replace("-", "")
    return plain == "".join(words) or (len(plain) >= 4 and (plain in words or "".join(words).startswith(plain)))


def _spelt_like(stems: Sequence[str], text: str) -> str | None:
    """The words of the text that an address is called after: "Lachmann & Rink" by www.lachmann-rink.de."""
    for stem in stems:
        parts = [re.escape(part) for part in stem.split("-")]
        if len(stem) < 4 or any(len(part) < 3 for part in parts):
            continue
        pattern = re.compile(rf"(?i)(?<![\w@./-]){'(?: & | und |[ -])'.join(parts)}(?![\w@/-]|\.\w)")
        found = Counter(match[0] for match in pattern.finditer(text))
        if found:
            return found.most_common(1)[0][0]
    return None
