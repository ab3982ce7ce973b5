"""What is learned from: names and descriptions of occupations with their codes."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import zstandard

from lib.errors import ConfigError
from lib.people.occupation.codes import Classification

_MOST_BYTES = 1 << 30


class Labelled(msgspec.Struct, frozen=True, array_like=True):
    """A name or a description. `source`: kldb, esco_de, esco_en, onet, auxco; codes are None where nobody says."""

    text: str
    source: str
    isco: str | None = None
    kldb: str | None = None
    soc: str | None = None

    def code(self, classification: Classification) -> str | None:
        """Its code of one classification."""
        return {"isco": self.isco, "kldb": self.kldb, "soc": self.soc}[classification]


class Occupation(msgspec.Struct, frozen=True, array_like=True):
    """One canonical occupation with its titles and codes."""

    de: str
    en: str
    isco: str
    kldb: str | None = None
    soc: str | None = None

    def title(self, language: str | None) -> str:
        """English where that is asked, else German; each stands in for the other where it is missing."""
        return (self.en or self.de) if language == "en" else (self.de or self.en)

    def code(self, classification: Classification) -> str | None:
        """Its code of one classification."""
        return {"isco": self.isco, "kldb": self.kldb, "soc": self.soc}[classification]


class Corpus(msgspec.Struct, frozen=True):
    """`names` are titles, `texts` descriptions. `links`: codes that belong together, beyond those of `occupations`."""

    names: list[Labelled]
    texts: list[Labelled]
    occupations: list[Occupation]
    links: list[Labelled]

    def save(self, path: Path) -> None:
        """Writes one compressed file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part")
        scratch.write_bytes(zstandard.compress(msgspec.msgpack.encode(self)))
        scratch.replace(path)

    @classmethod
    def load(cls, path: Path) -> Corpus:
        """Raises ConfigError where the file is missing or no corpus."""
        try:
            data = zstandard.ZstdDecompressor().decompress(path.read_bytes(), max_output_size=_MOST_BYTES)
            return msgspec.msgpack.decode(data, type=cls)
        except FileNotFoundError:
            raise ConfigError([f"{path} is missing: `vakanz occupations import FOLDER` writes it"]) from None
        except (OSError, zstandard.ZstdError, msgspec.MsgspecError) as error:
            raise ConfigError([f"{path} cannot be read: {error}"]) from error

    def counts(self) -> Counter[str]:
        """Names by source."""
        return Counter(name.source for name in self.names)

    def where(self, keep: Callable[[Labelled], bool]) -> Corpus:
        """The same without the names that `keep` refuses."""
        return Corpus([name for name in self.names if keep(name)], self.texts, self.occupations, self.links)


_WORD = re.compile(r"[^\W_]+")
_FRAU = re.compile(r"frau$")
_FEMININE = re.compile(r"(?<=\w{4})(?:innen|in)$")
_ENDING = re.compile(r"(?<=\w{4})[ersn]+$")
_UMLAUTS = str.maketrans("äöü", "aou")


def stem(title: str) -> str:
    """What the genders, the numbers and the word orders of a title have in common, to tell whether two are one name."""
    words = (_ENDING.sub("", _FEMININE.sub("", _FRAU.sub("mann", word))) for word in _WORD.findall(title.casefold()))
    return " ".join(sorted(word.translate(_UMLAUTS) for word in words))


def kept_for(purpose: str, title: str) -> bool:
    """Whether a title is of the tenth that is kept from training for this purpose: all of its forms, or none."""
    digest = hashlib.sha256(f"{purpose}\n{stem(title)}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") % 10 == 0


def codes_of(entries: Iterable[Labelled], classification: Classification) -> Sequence[str]:
    """The codes that occur, sorted."""
    return sorted({code for entry in entries if (code := entry.code(classification)) is not None})
