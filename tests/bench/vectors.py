"""Vectors per second of both encoders, each beside its bare runtime on the same tokens."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from daemons.sources import SOURCES
from lib.match.encoder import BUILTIN, TextEncoder, TitleEncoder, load_text_encoder
from lib.match.static import StaticTable, means
from lib.match.transformer import PASSAGE, runtime_options
from lib.match.weights import builtin_weights
from lib.posting.contract import Posting
from lib.text.html import html_to_text
from tests.bench.lab import Lab, Saved, played_boards, simulator
from tests.bench.rows import Row, Target, in_turns, stopwatch

_TITLES = 5_000
_TEXTS = 16
_MORE_ROUNDS = 3  # than other measurements: nothing waits here, so every disturbance shows
_BATCH = 50  # what a follower hands over at once
_LARGEST_INFERENCE = 2_048  # padded tokens


async def measure(lab: Lab) -> list[Row]:
    """Rows `listing vectors` and `full vectors`."""
    postings = await _postings(lab)
    titles = list(islice(cycle(posting.title for posting in postings), lab.count(_TITLES)))
    texts = [html_to_text(posting.html) for posting in postings if posting.html][:_TEXTS]
    return [await _listings(lab, titles), await _texts(lab, texts)]


async def _postings(lab: Lab) -> list[Posting]:
    with simulator(2_000) as url:
        played = await played_boards(url)
        saved = await Saved.lists(lab.config(lab.servers.dsn, url), played)
    return [row for source, response in saved.pages(played) for row in SOURCES[source].parse("bench", response).rows]


async def _listings(lab: Lab, titles: Sequence[str]) -> Row:
    table = StaticTable.load()
    table.encode(titles)  # the mapped rows are read once

    async def ours() -> float:
        return _titles_per_second(table, titles)

    async def bare() -> float:
        with stopwatch() as watch:
            for batch in _batches(titles):
                tokens = table.splitter.split(batch)
                units = means(table.rows[tokens.ids] * table.scales[tokens.ids, None], tokens)
                units /= np.maximum(np.linalg.norm(units, axis=1, keepdims=True), np.float32(1e-9))
        return len(titles) / watch.seconds

    figures, bounds = await in_turns(_MORE_ROUNDS * lab.rounds, ours, bare)
    return Row.of_rounds(
        figures, bounds, name="listing vectors", unit="titles/s", target=Target(">=", 0.9),
        bound="bare tokenizers and sums, titles as they are", n=f"{len(titles):,} titles, {_BATCH} at a time",
    )  # fmt: skip


def _titles_per_second(encoder: TitleEncoder, titles: Sequence[str]) -> float:
    with stopwatch() as watch:
        for batch in _batches(titles):
            encoder.encode(batch)
    return len(titles) / watch.seconds


def _batches(titles: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(titles), _BATCH):
        yield titles[start : start + _BATCH]


async def _texts(lab: Lab, texts: Sequence[str]) -> Row:
    threads = os.cpu_count() or 1
    folder = lab.folder / "models"
    encoder = load_text_encoder(BUILTIN, folder, threads)
    queue = _bare_runtime(folder, threads)
    inputs = list(_inputs(texts))[::-1]
    encoder.encode_passages(texts[:1])

    async def bare() -> float:
        with stopwatch() as watch:
            for one in inputs:
                queue.start_async(one)
            queue.wait_all()
        return len(texts) / watch.seconds

    figures, bounds = await in_turns(_MORE_ROUNDS * lab.rounds, partial(_texts_per_second, encoder, texts), bare)
    length = sum(map(len, texts)) // len(texts)
    return Row.of_rounds(
        figures, bounds, name="full vectors", unit="texts/s", target=Target(">=", 0.9),
        bound="bare OpenVINO on the same tokens", n=f"{len(texts)} texts of {length:,} characters, {threads} threads",
    )  # fmt: skip


async def _texts_per_second(encoder: TextEncoder, texts: Sequence[str]) -> float:
    with stopwatch() as watch:
        encoder.encode_passages(texts)
    return len(texts) / watch.seconds


def _bare_runtime(folder: Path, threads: int) -> ov.AsyncInferQueue:
    """The network as the encoder stored it, without anything around it."""
    graph = next(folder.glob("*/model.xml"))
    return ov.AsyncInferQueue(ov.Core().compile_model(graph, "CPU", runtime_options(threads)), threads)


def _inputs(texts: Sequence[str]) -> Iterator[list[np.ndarray[Any, Any]]]:
    """Embeddings and masks of the texts, shortest first, in inferences of bounded size."""
    weights = builtin_weights()
    encoded = weights.tokenizer.encode_batch_fast(
        [f"{PASSAGE}{text}".translate(weights.normalisation) for text in texts], add_special_tokens=False
    )
    content = weights.positions - 2
    rows = sorted(
        ([weights.bos, *weights.piece_ids[one.ids[:content]].tolist(), weights.eos] for one in encoded), key=len
    )
    while rows:
        size = max(count for count in range(1, len(rows) + 1) if count == 1 or _fits(rows[:count]))
        taken, rows = rows[:size], rows[size:]
        longest = len(taken[-1])
        ids = np.array([row + [weights.pad] * (longest - len(row)) for row in taken])
        mask = np.array([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in taken], dtype=np.float32)
        yield [weights.token_rows(ids), mask]


def _fits(rows: Sequence[Sequence[int]]) -> bool:
    return len(rows) * len(rows[-1]) <= _LARGEST_INFERENCE
