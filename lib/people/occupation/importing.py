"""The taxonomies' published files as one corpus.

ESCO, O*NET and the BA's list are read by `lib.match.training.taxonomies`. Two more are read here:
AuxCo    auxiliary classification of occupations 2.0, auxco_categories.csv: a title, a task, KldB and ISCO each
BA names "vam_beruf_kurz.csv": twelve columns without a header; the second is the code ("B 11412-107"), the tenth the
         name ("Koch/Köchin")

ESCO gives ISCO only. An ESCO occupation gets the KldB of the BA's list where most of its German names stand there under
one code, and the O*NET-SOC code likewise by its English names.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lib.errors import ConfigError
from lib.match.training.tables import table, text_of
from lib.match.training.taxonomies import Concept, Exclusions, read_esco, read_kldb, read_onet
from lib.people.occupation.codes import is_code
from lib.people.occupation.corpus import Corpus, Labelled, Occupation
from lib.text.titles import clean_title

_MOSTLY = 0.6
_STUDY = re.compile(r"\b(?:Bachelor|Master|Magister|Diplom) (?:of|-)|\((?:grundständig|weiterführend)\)|-Studium\b")
_BA_COLUMNS = 12

Names = dict[str, list[tuple[str, str]]]


def read_folder(folder: Path, without: Exclusions) -> Corpus:
    """Everything known in `folder` and below. Raises ConfigError where a taxonomy is missing or malformed."""
    esco = sorted({path.parent for path in _files(folder, "occupations_*.csv*", "ESCO's CSV files")})
    onet = _files(folder, "Occupation_Data.txt*", "O*NET's text files")[0].parent
    auxco = _files(folder, "auxco_categories.csv*", "AuxCo's categories")[0]
    concepts, soc = read_esco(esco, without), read_onet(onet, without)
    kldb = read_kldb(_files(folder, "Gesamtberufsliste*.xlsx", "the BA's list of occupations")[0], without)
    for path in sorted(folder.rglob("vam_beruf_kurz.csv*")):
        _add_short_names(kldb, path, without)
    categories = list(_categories(auxco))
    occupations = _occupations(concepts, kldb, soc)
    names = [*_esco_names(concepts, occupations), *_kldb_names(kldb, categories), *_onet_names(soc)]
    texts = [*_descriptions(esco, occupations), *_duties(onet), *categories]
    return Corpus(names, texts, [one for one in occupations.values() if one.de or one.en], categories)


def _files(folder: Path, pattern: str, what: str) -> list[Path]:
    paths = sorted(folder.rglob(pattern))
    if not paths:
        raise ConfigError([f"{folder} holds no {what} ({pattern})"])
    return paths


def _occupations(concepts: Mapping[str, Concept], kldb: Names, soc: Mapping[str, list[str]]) -> dict[str, Occupation]:
    """ESCO's concepts, with codes of the other two where most of their names that stand there agree."""
    german = _codes_by_name((name, code) for code, pairs in kldb.items() for pair in pairs for name in pair)
    english = _codes_by_name((name, code) for code, names in soc.items() for name in names)
    return {
        uri: Occupation(
            de=next(iter(concept.names.get("de", ())), ""),
            en=next(iter(concept.names.get("en", ())), ""),
            isco=concept.isco,
            kldb=_most(german.get(name.casefold()) for name in concept.names.get("de", ())),
            soc=_most(english.get(name.casefold()) for name in concept.names.get("en", ())),
        )
        for uri, concept in concepts.items()
    }


def _codes_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Folded name -> its code; names that stand under several codes are left out."""
    codes: dict[str, set[str]] = defaultdict(set)
    for name, code in pairs:
        codes[name.casefold()].add(code)
    return {name: found.pop() for name, found in codes.items() if len(found) == 1}


def _most(codes: Iterable[str | None]) -> str | None:
    """The code that clearly leads, by two names at least; None where there is none."""
    counts = Counter(code for code in codes if code is not None)
    ranked = counts.most_common(1)
    return ranked[0][0] if ranked and ranked[0][1] >= max(2, _MOSTLY * counts.total()) else None


def _esco_names(concepts: Mapping[str, Concept], occupations: Mapping[str, Occupation]) -> Iterator[Labelled]:
    for uri, concept in concepts.items():
        one = occupations[uri]
        for language, names in concept.names.items():
            for name in names:
                yield Labelled(name, f"esco_{language}", one.isco, one.kldb, one.soc)


def _kldb_names(kldb: Names, categories: Iterable[Labelled]) -> Iterator[Labelled]:
    """Both forms of each name, with ISCO where AuxCo puts all of a KldB code into one unit group."""
    groups: dict[str, set[str]] = defaultdict(set)
    for category in categories:
        if category.kldb is not None and category.isco is not None:
            groups[category.kldb].add(category.isco)
    for code, pairs in kldb.items():
        isco = next(iter(groups[code])) if len(groups[code]) == 1 else None
        for name in sorted({name for pair in pairs for name in pair}):
            yield Labelled(name, "kldb", isco, code)


def _onet_names(soc: Mapping[str, list[str]]) -> Iterator[Labelled]:
    return (Labelled(name, "onet", soc=code) for code, names in soc.items() for name in names)


def _add_short_names(kldb: Names, path: Path, without: Exclusions) -> None:
    """Adds the names that `kldb` does not have; courses of study are no occupations."""
    known = {name for pairs in kldb.values() for pair in pairs for name in pair}
    for row in csv.reader(text_of(path)):
        if len(row) != _BA_COLUMNS or not is_code("kldb", row[1][2:7]):
            raise ConfigError([f"{path} has rows that are no occupations of the BA"])
        name = clean_title(row[9])
        if name not in known and not _STUDY.search(name) and without.allows(row[9]):
            kldb.setdefault(row[1][2:7], []).append((name, name))


def _categories(path: Path) -> Iterator[Labelled]:
    columns = ("title", "task", "task_description", "default_kldb_id", "default_isco_id")
    for title, task, duties, kldb, isco in table(path, columns, ","):
        codes = {"isco": isco if is_code("isco", isco) else None, "kldb": kldb if is_code("kldb", kldb) else None}
        yield Labelled("\n".join((title, task, duties)), "auxco", **codes)


def _descriptions(folders: Iterable[Path], occupations: Mapping[str, Occupation]) -> Iterator[Labelled]:
    for folder in folders:
        for path in _files(folder, "occupations_*.csv*", "ESCO's CSV files"):
            for uri, text in table(path, ("conceptUri", "description"), ","):
                if text and uri in occupations:
                    one = occupations[uri]
                    yield Labelled(
                        text, path.name.split(".")[0].replace("occupations", "esco"), one.isco, one.kldb, one.soc
                    )


def _duties(folder: Path) -> Iterator[Labelled]:
    for path in _files(folder, "Occupation_Data.txt*", "O*NET's text files"):
        for code, text in table(path, ("O*NET-SOC Code", "Description"), "\t"):
            yield Labelled(text, "onet", soc=code)
