"""The static table: a title's vector is the mean of its tokens' vectors. No network, some 50 us a title.

A title is split twice, into the pieces of multilingual-e5 and into longer pieces of an own vocabulary made from
names of occupations; both kinds are averaged together. (`model2vec`, which would otherwise fit, knows one
tokenizer per model; the second one is worth .02 of MAP.) A row is int8 with one scale. The file is mapped, so that
processes on one machine share its memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from lib.errors import ConfigError
from lib.text.jobnames import job_name

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

MODEL_DIR = Path(__file__).with_name("model")
_UNKNOWN = 0  # the id of the token for unknown characters in every vocabulary
_BATCH = 2048


@dataclass(frozen=True)
class Tokens:
    """Token ids of many titles, one after the other; title i owns `ids[starts[i]:starts[i + 1]]`, never empty."""

    ids: Ids
    starts: Ids

    def take(self, titles: Ids) -> Tokens:
        """The tokens of the titles at these positions, in their order."""
        lengths = self.starts[titles + 1] - self.starts[titles]
        starts = np.concatenate(([0], np.cumsum(lengths)))
        within = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        return Tokens(self.ids[np.repeat(self.starts[titles], lengths) + within], starts)


@dataclass(frozen=True)
class Splitter:
    """Splits cleaned titles by several vocabularies whose ids follow each other."""

    tokenizers: Sequence[Tokenizer]

    @property
    def size(self) -> int:
        """How many ids there are."""
        return sum(tokenizer.get_vocab_size() for tokenizer in self.tokenizers)

    def split(self, titles: Sequence[str]) -> Tokens:
        """A title without any token gets the one for unknown characters."""
        ids: list[int] = []
        starts = [0]
        encoded = [tokenizer.encode_batch_fast(titles, add_special_tokens=False) for tokenizer in self.tokenizers]
        offsets = np.cumsum([0, *(tokenizer.get_vocab_size() for tokenizer in self.tokenizers)]).tolist()
        for encodings in zip(*encoded, strict=True):
            for offset, encoding in zip(offsets, encodings, strict=False):
                ids.extend([offset + token for token in encoding.ids] if offset else encoding.ids)
            if len(ids) == starts[-1]:
                ids.append(_UNKNOWN)
            starts.append(len(ids))
        return Tokens(np.array(ids, dtype=np.int64), np.array(starts, dtype=np.int64))


def means(rows: Floats, tokens: Tokens) -> Floats:
    """The mean vector of each title, (titles, dimensions), not normalised. `rows` has one row per token."""
    sums = np.add.reduceat(rows, tokens.starts[:-1], axis=0)
    return np.asarray(sums / np.diff(tokens.starts)[:, None], dtype=np.float32)


def model_version(folder: Path = MODEL_DIR) -> str:
    """Tells models apart by what they hold: another training has other scales. Raises ConfigError."""
    try:
        return hashlib.sha256((folder / "model.json").read_bytes() + (folder / "scales.npy").read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError([f"the title model in {folder} cannot be read: {error}"]) from error


class Described(msgspec.Struct, frozen=True):
    """What model.json holds beside the numbers."""

    name: str
    dimensions: int
    tokenizers: list[str]


@dataclass(frozen=True)
class StaticTable:
    """int8 rows (tokens, dimensions) times a float32 scale each."""

    splitter: Splitter
    rows: npt.NDArray[np.int8]
    scales: Floats

    @classmethod
    def quantised(cls, splitter: Splitter, table: Floats) -> StaticTable:
        """`table` rounded to int8 with the largest value of each row as 127."""
        largest = np.maximum(np.abs(table).max(axis=1), 1e-12)
        scales = (largest / 127.0).astype(np.float32)
        return cls(splitter, np.rint(table / scales[:, None]).astype(np.int8), scales)

    @classmethod
    def load(cls, folder: Path = MODEL_DIR) -> StaticTable:
        """Raises ConfigError where a file of the model is missing or does not fit the others."""
        try:
            described = msgspec.json.decode((folder / "model.json").read_bytes(), type=Described)
            splitter = Splitter([_read_tokenizer(folder / name) for name in described.tokenizers])
            rows = np.load(folder / "rows.npy", mmap_mode="r")
            scales = np.load(folder / "scales.npy")
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise ConfigError([f"the title model in {folder} cannot be read: {error}"]) from error
        if rows.shape != (splitter.size, described.dimensions) or scales.shape != rows.shape[:1]:
            raise ConfigError([f"the title model in {folder} is incomplete: {rows.shape} rows, {splitter.size} tokens"])
        return cls(splitter, rows, scales)

    def save(self, folder: Path, name: str) -> None:
        """Writes model.json, the tokenizers, rows.npy and scales.npy to `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for number, tokenizer in enumerate(self.splitter.tokenizers):
            files.append(f"tokenizer-{number}.json")
            (folder / files[-1]).write_text(tokenizer.to_str(), "utf-8")
        described = Described(name, int(self.rows.shape[1]), files)
        (folder / "model.json").write_bytes(msgspec.json.format(msgspec.json.encode(described)) + b"\n")
        np.save(folder / "rows.npy", self.rows)
        np.save(folder / "scales.npy", self.scales)

    def encode(self, titles: Sequence[str]) -> Floats:
        """float32 (n, dimensions), unit norm, of what the titles say about the job; zeros where that is nothing."""
        return self.encode_names([job_name(title) for title in titles])

    def encode_names(self, names: Sequence[str]) -> Floats:
        """As `encode`, for titles that are to be compared as they stand."""
        vectors = np.zeros((len(names), self.rows.shape[1]), dtype=np.float32)
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            tokens = self.splitter.split(batch)
            rows = self.rows[tokens.ids] * self.scales[tokens.ids, None]
            units = means(rows, tokens)
            units /= np.maximum(np.linalg.norm(units, axis=1, keepdims=True), np.float32(1e-9))
            units[[not name for name in batch]] = 0.0
            vectors[start : start + len(batch)] = units
        return vectors


def _read_tokenizer(path: Path) -> Tokenizer:
    text = path.read_text("utf-8")
    try:
        return Tokenizer.from_str(text)  # raises a bare Exception
    except Exception as error:
        raise ValueError(f"{path.name}: {error}") from error
