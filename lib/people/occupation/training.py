"""Trains the classifier: linear support vector machines, one against the rest, over the columns of names and texts.

A classification's codes are a tree, so that machines for all groups and, within each group, for its codes are some
thirty times cheaper than one for each code against all others. scikit-learn trains; what comes out needs numpy alone.
The temperatures are those that suit a tenth of the names, which a first training did not see; a second one sees all.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.errors import ConfigError
from lib.people.occupation.codes import CLASSIFICATIONS, GROUP_CHARS, Classification
from lib.people.occupation.corpus import Corpus, Labelled, Occupation, codes_of, kept_for
from lib.people.occupation.features import BUCKETS, Row, rarity_of, text_row, title_row, weighed
from lib.people.occupation.heads import Chances, Floats, Head, groups_of, softmax, spans
from lib.people.occupation.model import Model

Progress = Callable[[str], None]

CALIBRATING = "calibrating"
STEPS = 2 * len(CLASSIFICATIONS)
_COST = 1.0
_TOLERANCE = 0.05
_ROUNDS = 40
_SMALL = 0.03  # of an output's largest weight; what is below is left out
_CALIBRATING_EACH = 1_500
_TEMPERATURES = np.geomspace(0.5, 16.0, 61)
_SEED = 0


def train(corpus: Corpus, progress: Progress) -> Model:
    """The model. `progress` is called with the classification's name before each of the STEPS.

    Raises ConfigError where scikit-learn is not installed or a classification has fewer than two groups.
    """
    missed = [name for name in corpus.names if kept_for(CALIBRATING, name.text)]
    trial = fit(corpus.where(lambda name: not kept_for(CALIBRATING, name.text)), progress)
    found = {kind: temperatures(trial, kind, missed) for kind in CLASSIFICATIONS}
    model = fit(corpus, progress)
    heads = {kind: replace(head, temperatures=found[kind]) for kind, head in model.heads.items()}
    return replace(model, heads=heads)


def fit(corpus: Corpus, progress: Progress) -> Model:
    """A model that is not calibrated: its temperatures are one."""
    titles, texts = [title_row(name.text) for name in corpus.names], [text_row(one.text) for one in corpus.texts]
    title_rarity, text_rarity = rarity_of(titles), rarity_of(texts)
    matrix = matrix_of([weighed(row, title_rarity) for row in titles] + [weighed(row, text_rarity) for row in texts])
    entries = [*corpus.names, *corpus.texts]
    heads = {}
    for kind in CLASSIFICATIONS:
        progress(kind)
        heads[kind] = _head(kind, entries, matrix)
    return Model(heads, title_rarity, text_rarity, corpus.occupations, _links(corpus))


def matrix_of(rows: Sequence[Row]) -> Any:
    """scipy's sparse matrix (rows, BUCKETS)."""
    try:
        from scipy.sparse import csr_matrix
    except ImportError as error:
        raise ConfigError(["training needs scikit-learn: pip install 'vakanz[train]'"]) from error
    starts = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    columns, values = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    return csr_matrix((values, columns, starts), shape=(len(rows), BUCKETS))


def _links(corpus: Corpus) -> dict[Classification, dict[str, list[str]]]:
    """ISCO code -> the codes of KldB and SOC that somebody puts beside it."""
    links: dict[Classification, dict[str, set[str]]] = {kind: defaultdict(set) for kind in ("kldb", "soc")}
    linked: list[Occupation | Labelled] = [*corpus.occupations, *corpus.links]
    for one in linked:
        for kind, of in links.items():
            code = one.code(kind)
            if one.isco is not None and code is not None:
                of[one.isco].add(code)
    return {kind: {isco: sorted(codes) for isco, codes in of.items()} for kind, of in links.items()}


@dataclass(frozen=True)
class Machines:
    """Some outputs' weights: entry i is `weights[i]` of output `outputs[i]` for column `columns[i]`."""

    outputs: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    weights: npt.NDArray[np.int8]
    scales: Floats
    biases: Floats

    @classmethod
    def rounded(cls, weights: npt.NDArray[np.float64], biases: npt.NDArray[np.float64]) -> Machines:
        """`weights` (outputs, BUCKETS) as int8 without the small ones."""
        largest = np.maximum(np.abs(weights).max(axis=1, keepdims=True), 1e-9)
        outputs, columns = np.nonzero(np.abs(weights) > _SMALL * largest)
        small = np.rint(weights[outputs, columns] * 127.0 / largest[outputs, 0]).astype(np.int8)
        return cls(outputs, columns, small, (largest[:, 0] / 127.0).astype(np.float32), biases.astype(np.float32))


def _head(kind: Classification, entries: Sequence[Labelled], matrix: Any) -> Head:
    """Machines for the groups, then for the codes of each group."""
    at = np.array([position for position, entry in enumerate(entries) if entry.code(kind)], dtype=np.int64)
    labels = np.array([entries[position].code(kind) or "" for position in at.tolist()])
    of_group = labels.astype(f"U{GROUP_CHARS}")
    codes = codes_of(entries, kind)
    groups = groups_of(codes)
    if len(groups) < 2:
        raise ConfigError([f"the names hold {len(groups)} groups of {kind}: import the taxonomies again"])
    machines = [_machines(matrix[at], of_group)]
    for group in groups:
        inside = of_group == group
        machines.append(_machines(matrix[at[inside]], labels[inside]))
    return _packed(codes, machines)


def _machines(matrix: Any, labels: npt.NDArray[np.str_]) -> Machines:
    """One machine for each label, sorted, against the rest. A lone label needs none."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    if len(set(labels.tolist())) == 1:
        return Machines.rounded(np.zeros((1, BUCKETS)), np.zeros(1))
    machine = LinearSVC(C=_COST, tol=_TOLERANCE, max_iter=_ROUNDS, random_state=_SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the rounds are bounded on purpose
        machine.fit(matrix, labels)
    weights, biases = machine.coef_, machine.intercept_
    if len(biases) == 1:  # two labels share one machine, which says the second
        weights, biases = np.concatenate((-weights, weights)), np.concatenate((-biases, biases))
    return Machines.rounded(weights, biases)


def _packed(codes: Sequence[str], machines: Sequence[Machines]) -> Head:
    """All outputs one after the other, their weights column by column."""
    firsts = np.cumsum([0, *(len(part.biases) for part in machines)])
    columns = np.concatenate([part.columns for part in machines])
    outputs = np.concatenate([first + part.outputs for first, part in zip(firsts, machines, strict=False)])
    order = np.lexsort((outputs, columns))
    return Head(
        codes,
        starts=np.searchsorted(columns[order], np.arange(BUCKETS + 1)).astype(np.int32),
        outputs=outputs[order].astype(np.uint16),
        weights=np.concatenate([part.weights for part in machines])[order],
        scales=np.concatenate([part.scales for part in machines]),
        biases=np.concatenate([part.biases for part in machines]),
        temperatures=np.ones(2, dtype=np.float32),
    )


def temperatures(model: Model, kind: Classification, names: Sequence[Labelled]) -> Floats:
    """Those under which the names' true codes are most probable: (2,), of the group and of the code within it."""
    head = model.heads[kind]
    place = {code: position for position, code in enumerate(head.codes)}
    known = _evenly([name for name in names if name.code(kind) in place])
    of_group: list[tuple[Chances, int]] = []
    within: list[tuple[Chances, int]] = []
    borders = spans(head.codes)
    for name in known:
        scores = model.title_scores(kind, name.text) + head.biases
        code = place[name.code(kind) or ""]
        group = next(number for number, (_, last) in enumerate(borders) if code < last)
        first, last = borders[group]
        of_group.append((scores[: len(borders)], group))
        if last - first > 1:
            within.append((scores[len(borders) + first : len(borders) + last], code - first))
    return np.array([_likeliest(of_group), _likeliest(within)], dtype=np.float32)


def _evenly(names: Sequence[Labelled]) -> list[Labelled]:
    """Some names of each source, no more of one than of another."""
    of_source: dict[str, list[Labelled]] = defaultdict(list)
    for name in names:
        of_source[name.source].append(name)
    rng = np.random.default_rng(_SEED)
    return [ours[at] for ours in of_source.values() for at in rng.permutation(len(ours))[:_CALIBRATING_EACH].tolist()]


def _likeliest(choices: Sequence[tuple[Chances, int]]) -> float:
    """The temperature of the least mean log loss; one where there is nothing to choose by."""
    losses = [-sum(np.log(softmax(t * scores)[right] + 1e-12) for scores, right in choices) for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))]) if choices else 1.0
