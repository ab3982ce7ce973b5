"""Which pieces of words the table knows, and where their vectors start."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.normalizers import NFKC, Lowercase
from tokenizers.normalizers import Sequence as Steps
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.trainers import UnigramTrainer

from lib.match.static import Splitter, Tokens
from lib.match.weights import Weights

Floats = npt.NDArray[np.float32]
Piece = tuple[str, float]

UNKNOWN = "<unk>"
_WORD_START = "\u2581"
_OWN_PIECES = 16_000
_LONGEST_PIECE = 20
_SIF = 1e-3  # a token as frequent as this gets half the weight of a rare one (Arora et al. 2017)


def splitter_for(names: Sequence[str], weights: Weights) -> Splitter:
    """Lower-case pieces of multilingual-e5 that occur in `names`, and an own vocabulary of longer pieces."""
    lowered = [name.lower() for name in names]
    return Splitter([_tokenizer(_known_pieces(lowered, weights)), _tokenizer(_own_pieces(lowered))])


def _known_pieces(names: Sequence[str], weights: Weights) -> list[Piece]:
    """By falling frequency; then single Latin characters, so that any word can be spelled."""
    counts = np.zeros(weights.tokenizer.get_vocab_size(), dtype=np.int64)
    for encoding in weights.tokenizer.encode_batch([name.translate(weights.normalisation) for name in names]):
        np.add.at(counts, encoding.ids, 1)
    letters = {chr(point) for point in range(0x21, 0x250)} | {_WORD_START, "\u20ac", "\u2013"}
    pieces = {}
    scored = [(text, score) for text, score in json.loads(weights.tokenizer.to_str())["model"]["vocab"]]
    for place in np.argsort(-counts, kind="stable"):
        text, score = scored[place]
        spells = text == text.lower() and text.removeprefix(_WORD_START) in letters | {""}
        if not text.startswith("<") and (counts[place] or spells):
            pieces[text] = score
    return [(UNKNOWN, 0.0), *pieces.items()]


def _own_pieces(names: Sequence[str]) -> list[Piece]:
    """Scores are rounded and the pieces sorted: the trainer adds up in the order of its threads."""
    tokenizer = _tokenizer([(UNKNOWN, 0.0)])
    trainer = UnigramTrainer(
        vocab_size=_OWN_PIECES,
        unk_token=UNKNOWN,
        special_tokens=[UNKNOWN],
        max_piece_length=_LONGEST_PIECE,
        show_progress=False,
    )
    tokenizer.train_from_iterator(names, trainer)
    learned = [(text, round(score, 2)) for text, score in json.loads(tokenizer.to_str())["model"]["vocab"]]
    return [(UNKNOWN, 0.0), *sorted((piece for piece in learned if piece[0] != UNKNOWN), key=lambda p: (-p[1], p[0]))]


def _tokenizer(pieces: list[Piece]) -> Tokenizer:
    tokenizer = Tokenizer(Unigram(pieces, unk_id=0))
    tokenizer.normalizer = Steps([NFKC(), Lowercase()])
    tokenizer.pre_tokenizer = Metaspace()
    return tokenizer


def first_table(splitter: Splitter, tokens: Tokens, weights: Weights, dimensions: int) -> Floats:
    """Input embeddings of multilingual-e5, centred, reduced by PCA and weighted by SIF, (pieces, dimensions).

    A piece that the model does not have starts at the mean of its parts. `tokens` are those of the training names,
    for the frequencies.
    """
    texts = [
        text
        for tokenizer in splitter.tokenizers
        for text, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    ]
    table = np.stack([_input_embedding(text, weights) for text in texts])
    counts = np.bincount(tokens.ids, minlength=len(texts))
    chances = (counts + 1.0) / (counts.sum() + len(texts))
    table -= chances @ table
    _, directions = np.linalg.eigh((table * chances[:, None]).T @ table)
    reduced = table @ directions[:, ::-1][:, :dimensions]
    reduced *= (_SIF / (_SIF + chances))[:, None]
    return np.asarray(reduced / np.sqrt(np.mean(np.sum(reduced**2, axis=1))), dtype=np.float32)


def _input_embedding(piece: str, weights: Weights) -> npt.NDArray[np.float64]:
    known = weights.tokenizer.token_to_id(piece)
    ids = [known] if known is not None else weights.tokenizer.encode(piece.strip(_WORD_START)).ids
    return np.asarray(weights.token_rows(weights.piece_ids[ids]).mean(axis=0), dtype=np.float64)
