"""The classifier that is trained on imported taxonomies, and its file."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.utils import default_process

from lib.errors import ConfigError
from lib.match.encoder import TitleEncoder
from lib.people.occupation.codes import CLASSIFICATIONS, Classification
from lib.people.occupation.corpus import Occupation
from lib.people.occupation.features import BUCKETS, Rarity, text_row, title_row, weighed
from lib.people.occupation.guesses import Guess, Taxonomy
from lib.people.occupation.heads import ARRAYS, Chances, Floats, Head

# What a text's words count beside a title. For ESCO's own descriptions twice as much would be better (log loss of names
# kept back: .93 without, .82 at .3, .76 at .7); most of a résumé is beside the point.
_TEXT_SHARE = 0.3
_SHOWN = 4
_KNOWN, _LEADS = 0.1, 0.5  # the least probability of a code that is told, and its least share among those possible
_AGREES = 0.2  # of a cosine: what a code in common adds to how near two titles are


class Described(msgspec.Struct, frozen=True):
    """What the file holds beside arrays. `links`: ISCO code -> the codes of others that occur with it."""

    codes: dict[Classification, list[str]]
    occupations: list[Occupation]
    links: dict[Classification, dict[str, list[str]]]


@dataclass(frozen=True)
class Model:
    """Three heads over the same columns. `title_rarity` and `text_rarity`: (BUCKETS,), zero for unseen columns."""

    heads: Mapping[Classification, Head]
    title_rarity: Rarity
    text_rarity: Rarity
    occupations: Sequence[Occupation]
    links: Mapping[Classification, Mapping[str, Sequence[str]]]

    def title_scores(self, kind: Classification, title: str) -> Chances:
        """Scores of a title's words."""
        return self.heads[kind].scores(weighed(title_row(title), self.title_rarity))

    def save(self, path: Path) -> None:
        """Writes one file, whole or not at all."""
        codes = {kind: list(head.codes) for kind, head in self.heads.items()}
        links = {kind: {isco: list(them) for isco, them in of.items()} for kind, of in self.links.items()}
        described = msgspec.json.encode(Described(codes, list(self.occupations), links))
        arrays = {f"{kind}_{name}": array for kind, head in self.heads.items() for name, array in head.arrays().items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_suffix(".part.npz")
        np.savez(
            scratch,
            described=np.frombuffer(described, dtype=np.uint8),
            title_rarity=self.title_rarity,
            text_rarity=self.text_rarity,
            **arrays,  # type: ignore[arg-type]
        )
        scratch.replace(path)

    @classmethod
    def load(cls, path: Path) -> Model:
        """Raises ConfigError where the file is missing or no such model."""
        try:
            with np.load(path, allow_pickle=False) as file:
                described = msgspec.json.decode(file["described"].tobytes(), type=Described)
                heads = {
                    kind: Head.of(described.codes[kind], {name: file[f"{kind}_{name}"] for name in ARRAYS})
                    for kind in CLASSIFICATIONS
                }
                title_rarity, text_rarity = file["title_rarity"], file["text_rarity"]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
            raise ConfigError([f"the model of occupations {path} cannot be read: {error}"]) from error
        if not title_rarity.shape == text_rarity.shape == (BUCKETS,):
            raise ConfigError([f"the model of occupations {path} is of another version: train it again"])
        return cls(heads, title_rarity, text_rarity, described.occupations, described.links)


class Trained:
    """Answers with a model. `encoder` finds the nearest title among the occupations of one ISCO unit group."""

    taxonomy: Taxonomy = "imported"

    def __init__(self, model: Model, encoder: TitleEncoder) -> None:
        self._model, self._encoder = model, encoder
        self._of_unit: dict[str, list[Occupation]] = defaultdict(list)
        for one in model.occupations:
            self._of_unit[one.isco].append(one)
        self._vectors: dict[str, Floats] = {}

    def rank(self, phrases: Sequence[str], text: str, language: str | None) -> list[list[Guess]]:
        """See `Classifier`."""
        model = self._model
        context = weighed(text_row(text), model.text_rarity)
        beside = {kind: head.scores(context) * _TEXT_SHARE for kind, head in model.heads.items()}
        return [self._of_phrase(phrase, beside, language) for phrase in phrases]

    def _of_phrase(self, phrase: str, beside: Mapping[Classification, Chances], language: str | None) -> list[Guess]:
        row = weighed(title_row(phrase), self._model.title_rarity)
        if not row[1].any():
            return []
        chances = {kind: head.chances(head.scores(row) + beside[kind]) for kind, head in self._model.heads.items()}
        best = np.argsort(-chances["isco"], kind="stable")[:_SHOWN]
        return [self._guess(int(unit), chances, phrase, language) for unit in best]

    def _guess(self, unit: int, chances: Mapping[Classification, Chances], phrase: str, language: str | None) -> Guess:
        isco = self._model.heads["isco"].codes[unit]
        kldb, soc = (self._linked(kind, isco, chances[kind]) for kind in ("kldb", "soc"))
        nearest = self._nearest(isco, phrase, kldb, soc)
        return Guess(
            title=nearest.title(language) if nearest else phrase,
            kldb=kldb or (nearest.kldb if nearest else None),
            isco=isco,
            soc=soc or (nearest.soc if nearest else None),
            confidence=round(float(chances["isco"][unit]), 3),
        )

    def _linked(self, kind: Classification, isco: str, chances: Chances) -> str | None:
        """The most probable of the codes that occur with an ISCO code; None where none of them is or leads."""
        codes = self._model.heads[kind].codes
        allowed = set(self._model.links[kind].get(isco, ()))
        probable = [(float(chances[place]), code) for place, code in enumerate(codes) if code in allowed]
        chance, code = max(probable, default=(0.0, None))
        return code if chance >= max(_KNOWN, _LEADS * sum(other for other, _ in probable)) else None

    def _nearest(self, isco: str, phrase: str, kldb: str | None, soc: str | None) -> Occupation | None:
        """The occupation of an ISCO unit group whose title is nearest, by its meaning and its letters."""
        ours = self._of_unit.get(isco)
        if not ours:
            return None
        if isco not in self._vectors:
            self._vectors[isco] = self._encoder.encode([title for one in ours for title in (one.de, one.en)])
        meaning = (self._vectors[isco] @ self._encoder.encode([phrase])[0]).reshape(-1, 2).max(axis=1)
        letters = [
            max(fuzz.token_sort_ratio(phrase, title, processor=default_process) for title in (one.de, one.en))
            for one in ours
        ]
        agree = [(one.kldb == kldb is not None) + (one.soc == soc is not None) for one in ours]
        return ours[int(np.argmax(meaning + np.array(letters) / 100.0 + _AGREES * np.array(agree)))]
