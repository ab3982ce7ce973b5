"""Names of occupations from public taxonomies, without those that are kept for measuring.

ESCO 1.2   CSV download, one folder per language with occupations_<language>.csv (or .csv.gz)
O*NET 29   text download: Occupation_Data.txt, Alternate_Titles.txt, Sample_of_Reported_Titles.txt (or .gz)
KldB 2010  "Gesamtberufsliste der BA" (.xlsx): code "B 11412-107", masculine and feminine long names
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib.errors import ConfigError
from lib.match.training.tables import found, table, workbook_rows
from lib.text.titles import clean_title

_ESCO_FILES = "occupations_*.csv*"


@dataclass(frozen=True)
class Exclusions:
    """What training never sees: ESCO concepts, and titles by SHA-256 of their stripped lower-case UTF-8."""

    concepts: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()

    def allows(self, title: str) -> bool:
        """Whether neither `title` nor its cleaned form is excluded."""
        return self.titles.isdisjoint({title_digest(title), title_digest(clean_title(title))})


def title_digest(title: str) -> str:
    """What lists of excluded titles hold of a title."""
    return hashlib.sha256(title.strip().lower().encode("utf-8", "replace")).hexdigest()


@dataclass
class Concept:
    """One ESCO occupation: its ISCO-08 group and its names by language."""

    isco: str
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Taxonomies:
    """Cleaned names: ESCO by concept, O*NET by occupation code, KldB by 5 digits as (masculine, feminine)."""

    esco: dict[str, Concept]
    onet: dict[str, list[str]]
    kldb: dict[str, list[tuple[str, str]]]

    def names(self) -> list[str]:
        """Every name once, sorted."""
        esco = (name for concept in self.esco.values() for names in concept.names.values() for name in names)
        onet = (name for names in self.onet.values() for name in names)
        kldb = (name for pairs in self.kldb.values() for pair in pairs for name in pair)
        return sorted({*esco, *onet, *kldb})


def read_taxonomies(esco: Sequence[Path], onet: Path, kldb: Path, without: Exclusions) -> Taxonomies:
    """Reads all three. Raises ConfigError where a file is missing or has other columns."""
    return Taxonomies(read_esco(esco, without), read_onet(onet, without), read_kldb(kldb, without))


def read_esco(folders: Sequence[Path], without: Exclusions) -> dict[str, Concept]:
    """Concepts by URI with the names of every folder's language."""
    concepts: dict[str, Concept] = {}
    for folder in folders:
        for path in found(folder, _ESCO_FILES):
            language = path.name.removeprefix("occupations_").split(".")[0]
            columns = ("conceptUri", "iscoGroup", "preferredLabel", "altLabels")
            for uri, isco, preferred, alternative in table(path, columns, ","):
                if uri not in without.concepts:
                    names = concepts.setdefault(uri, Concept(isco)).names[language]
                    _extend(names, [preferred, *alternative.split("\n")], without)
    return concepts


def read_descriptions(folders: Sequence[Path], without: Exclusions) -> list[str]:
    """What ESCO says about its occupations, in the languages of the folders, sorted."""
    return sorted(
        {
            description
            for folder in folders
            for path in found(folder, _ESCO_FILES)
            for uri, description in table(path, ("conceptUri", "description"), ",")
            if description and uri not in without.concepts
        }
    )


def read_onet(folder: Path, without: Exclusions) -> dict[str, list[str]]:
    """Names by O*NET-SOC code."""
    occupations: dict[str, list[str]] = defaultdict(list)
    files = {
        "Occupation_Data.txt*": "Title",
        "Alternate_Titles.txt*": "Alternate Title",
        "Sample_of_Reported_Titles.txt*": "Reported Job Title",
    }
    for pattern, column in files.items():
        for path in found(folder, pattern):
            for code, title in table(path, ("O*NET-SOC Code", column), "\t"):
                _extend(occupations[code], [title], without)
    return dict(occupations)


def read_kldb(path: Path, without: Exclusions) -> dict[str, list[tuple[str, str]]]:
    """(masculine, feminine) names by KldB 2010 code of five digits. `path` is the workbook or its folder."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for book in [path] if path.is_file() else found(path, "*.xlsx"):
        for row in workbook_rows(book):
            code, masculine, feminine = row.get("B", ""), row.get("E", ""), row.get("F", "")
            if code.startswith("B ") and masculine and without.allows(masculine) and without.allows(feminine):
                groups[code[2:7]].append((clean_title(masculine), clean_title(feminine or masculine)))
    if not groups:
        raise ConfigError([f"{path} holds no rows with codes like 'B 11412-107'"])
    return dict(groups)


def _extend(names: list[str], raw: Iterable[str], without: Exclusions) -> None:
    """Appends cleaned new names; of "Koch/Köchin" both forms."""
    for title in raw:
        cleaned = clean_title(title)
        halves = [clean_title(half) for half in title.split("/")] if "/" in title and "/" not in cleaned else []
        for name in [cleaned, *halves]:
            if len(name) > 2 and name not in names and without.allows(title) and without.allows(name):
                names.append(name)


def read_exclusions(concepts: Path | None, titles: Path | None) -> Exclusions:
    """Two lists, one entry a line; None reads nothing. Raises ConfigError where a file is missing."""
    try:
        lines = [frozenset(path.read_text("utf-8").split()) if path else frozenset() for path in (concepts, titles)]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"the list of what to leave out cannot be read: {error}"]) from error
    return Exclusions(*lines)
