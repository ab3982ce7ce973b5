"""The classifier of occupations: its corpus, its training, its file, its figures, its seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.errors import ConfigError
from lib.match.static import StaticTable
from lib.people.occupation.codes import CLASSIFICATIONS, is_code
from lib.people.occupation.corpus import Corpus, Labelled, Occupation, kept_for, stem
from lib.people.occupation.features import BUCKETS, rarity_of, text_row, title_row, weighed
from lib.people.occupation.files import CORPUS, MODEL, load_classifier
from lib.people.occupation.heads import Head, softmax
from lib.people.occupation.measuring import calibration_error, macro_f1, measure, measure_seed, sides
from lib.people.occupation.model import Model, Trained
from lib.people.occupation.seed import Seeded, seed
from lib.people.occupation.training import STEPS, fit, train

# Four occupations in three groups, each with names that share a word.
_TRADES = {
    ("5120", "29302", "35-2014.00"): ("Koch", "cook", "Kantinen Diät Hotel Schiffs Pizza Fisch Jung Bei Saucen Sous"),
    ("7512", "29222", "51-3011.00"): ("Bäcker", "baker", "Fein Brot Dorf Hof Klein Groß Nacht Fach Torten Land"),
    ("7511", "29232", "51-3021.00"): ("Fleischer", "butcher", "Wurst Schlacht Filial Lohn Zerlege Wild Geflügel Rind"),
    ("2512", "43414", "15-1252.00"): ("Entwickler", "developer", "Web Spiele App Daten Java Cloud Backend Frontend"),
}


def _corpus() -> Corpus:
    names, texts, occupations = [], [], []
    for (isco, kldb, soc), (german, english, kinds) in _TRADES.items():
        occupations.append(Occupation(german, english, isco, kldb, soc))
        for kind in kinds.split():
            names.append(Labelled(f"{kind} {german}", "esco_de", isco, kldb, soc))
            names.append(Labelled(f"{kind} {english}", "esco_en", isco, None, soc))
            names.append(Labelled(f"{kind}{german.lower()}", "kldb", None, kldb))
            names.append(Labelled(f"{kind}  {english}s", "onet", soc=soc))
        texts.append(Labelled(f"{german}: {kinds}", "auxco", isco, kldb))
    return Corpus(names, texts, occupations, [])


@pytest.fixture(scope="module")
def model() -> Model:
    pytest.importorskip("sklearn", reason="training needs the extra `train`")
    fitted = fit(_corpus(), lambda _: None)
    sharp = np.array([8.0, 8.0], dtype=np.float32)
    return replace(fitted, heads={kind: replace(head, temperatures=sharp) for kind, head in fitted.heads.items()})


@given(st.text(max_size=200))
def test_any_title_and_text_becomes_a_row(text: str) -> None:
    for columns, values in (title_row(text), text_row(text)):
        assert len(columns) == len(values)
        assert np.array_equal(columns, np.unique(columns))
        assert not len(columns) or (columns[0] >= 0 and columns[-1] < BUCKETS)


def test_levels_and_markers_do_not_count_unless_they_are_all() -> None:
    assert np.array_equal(title_row("Senior Koch (m/w/d)")[0], title_row("koch")[0])
    assert len(title_row("Senior")[0]) > 0
    assert len(title_row("???")[0]) == 0


def test_rare_pieces_count_more_and_unseen_ones_nothing() -> None:
    rarity = rarity_of([title_row("Koch"), title_row("Jungkoch")])
    columns, values = weighed(title_row("Jungkoch xyzq"), rarity)
    assert float(np.linalg.norm(values)) == pytest.approx(1.0, abs=1e-3)
    assert set(columns[values == 0.0].tolist()) >= set(title_row("xyzq")[0].tolist())
    assert not weighed(title_row("xyzq"), rarity)[1].any()


@pytest.mark.parametrize(
    ("one", "other"),
    [("Köchin", "Koch"), ("Kauffrau im Büro", "Büro im Kaufmann"), ("Chief Executives", "executive chief"),
     ("Technische Leiterin", "Technischer Leiter"), ("BÄCKER", "Bäckerinnen")],
)  # fmt: skip
def test_all_forms_of_a_name_are_on_one_side(one: str, other: str) -> None:
    assert stem(one) == stem(other)
    assert kept_for("measuring", one) == kept_for("measuring", other)


def test_a_tenth_is_kept_another_one_for_each_purpose() -> None:
    titles = [f"Beruf {number}" for number in range(4_000)]
    kept = {
        purpose: {title for title in titles if kept_for(purpose, title)} for purpose in ("measuring", "calibrating")
    }
    assert all(300 < len(some) < 500 for some in kept.values())
    assert kept["measuring"] != kept["calibrating"]


def test_names_that_were_learned_are_told(model: Model) -> None:
    for (isco, kldb, soc), (german, english, _) in _TRADES.items():
        codes = dict(zip(CLASSIFICATIONS, (isco, kldb, soc), strict=True))
        for kind, head in model.heads.items():
            title = english if kind == "soc" else german
            chances = head.chances(model.title_scores(kind, title))
            assert chances.sum() == pytest.approx(1.0)
            assert head.codes[int(chances.argmax())] == codes[kind], (kind, title)


def test_guesses_carry_all_codes_and_the_language_asked_for(model: Model) -> None:
    trained = Trained(model, StaticTable.load())
    (german,), (english,) = (trained.rank(["Feinbäcker"], "", language)[0][:1] for language in ("de", "en"))
    assert (german.title, german.isco, german.kldb, german.soc) == ("Bäcker", "7512", "29222", "51-3011.00")
    assert english.title == "baker"
    assert german.confidence > 0.5
    assert trained.rank(["zzzzz", "?"], "", "de") == [[], []]


def test_a_text_speaks_for_its_words(model: Model) -> None:
    trained = Trained(model, StaticTable.load())
    title = "Fach"
    without, beside = (
        next(one.confidence for one in trained.rank([title], text, "de")[0] if one.isco == "2512")
        for text in ("", "Web Spiele App Daten Java Cloud Backend Frontend Entwickler")
    )
    assert beside > without


def test_training_calibrates_and_says_how_far_it_is() -> None:
    pytest.importorskip("sklearn", reason="training needs the extra `train`")
    told: list[str] = []
    trained = train(_corpus(), told.append)
    assert len(told) == STEPS
    assert all((head.temperatures > 1.0).all() for head in trained.heads.values())


def test_a_corpus_of_one_group_is_refused() -> None:
    pytest.importorskip("sklearn", reason="training needs the extra `train`")
    corpus = _corpus()
    with pytest.raises(ConfigError, match="import the taxonomies"):
        fit(replace_names(corpus, [name for name in corpus.names if name.isco == "2512"]), lambda _: None)


def replace_names(corpus: Corpus, names: list[Labelled]) -> Corpus:
    return Corpus(names, [], corpus.occupations, [])


def test_a_model_is_kept_in_one_file(model: Model, tmp_path: Path) -> None:
    path = tmp_path / MODEL
    model.save(path)
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    again = Model.load(path)
    for kind, head in model.heads.items():
        assert np.array_equal(head.scores(title_row("Brotbäcker")), again.heads[kind].scores(title_row("Brotbäcker")))
    assert isinstance(load_classifier(tmp_path, StaticTable.load()), Trained)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY", b"x" * 1000])
def test_a_broken_model_is_named_not_ignored(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / MODEL
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_classifier(tmp_path, StaticTable.load())


def test_arrays_that_do_not_fit_are_refused(model: Model) -> None:
    arrays = dict(model.heads["isco"].arrays())
    with pytest.raises(ValueError, match="other shapes"):
        Head.of(["0110", "2512"], arrays)
    arrays["starts"] = arrays["starts"][:-1]
    with pytest.raises(ValueError, match="other shapes"):
        Head.of(model.heads["isco"].codes, arrays)


def test_a_corpus_is_kept_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / CORPUS
    with pytest.raises(ConfigError, match="occupations import"):
        Corpus.load(path)
    _corpus().save(path)
    assert Corpus.load(path) == _corpus()
    path.write_bytes(b"not compressed")
    with pytest.raises(ConfigError, match="cannot be read"):
        Corpus.load(path)


def test_measuring_asks_for_names_that_were_not_learned(model: Model) -> None:
    learned, kept = sides(_corpus())
    assert not {stem(name.text) for name in learned.names} & {stem(name.text) for name in kept}
    assert len(learned.names) + len(kept) == len(_corpus().names)
    results = list(measure(model, learned, kept, 100))
    assert {one.classification for one in results} <= {"isco", "kldb", "soc"}
    assert all(one.accuracy > 0.5 and one.baseline is not None for one in results if one.classification == "isco")
    seeded = list(measure_seed(Seeded(StaticTable.load()), kept, 100))
    assert {(one.method, one.classification) for one in seeded} == {("seed", "isco")}


def test_figures() -> None:
    truth, told = np.array(["a", "a", "b", "c"]), np.array(["a", "b", "b", "b"])
    assert macro_f1(truth, told) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert macro_f1(truth, truth) == 1.0
    chances = np.array([0.5] * 20)
    assert calibration_error(chances, np.array([True, False] * 10)) == pytest.approx(0.0)
    assert calibration_error(np.ones(20), np.array([True, False] * 10)) == pytest.approx(0.5)
    assert softmax(np.array([1000.0, 1000.0])).tolist() == [0.5, 0.5]


def test_the_seed_is_in_order_and_well_formed() -> None:
    named = seed()
    assert len(named) == 300
    codes = [one.occupation.isco for one in named]
    assert codes == sorted(codes)
    assert len({one.occupation.de for one in named}) == len({one.occupation.en for one in named}) == 300
    for one in named:
        for kind in CLASSIFICATIONS:
            code = one.occupation.code(kind)
            assert code is None or is_code(kind, code), one


def test_the_seed_knows_its_own_names() -> None:
    seeded = Seeded(StaticTable.load())
    names = [(name, one.occupation.isco) for one in seed() for name in one.names]
    ranked = seeded.rank([name for name, _ in names], "", "de")
    right = [found[0].isco == isco for (_, isco), found in zip(names, ranked, strict=True)]
    assert np.mean(right) > 0.98
    assert seeded.rank(["", "???"], "", "de") == [[], []]


def test_the_seed_is_unsure_of_what_it_does_not_know() -> None:
    seeded = Seeded(StaticTable.load())
    for title in ("qqxz wvk", "Zauberer", "hello world"):
        assert all(one.confidence < 0.2 for one in seeded.rank([title], "", "de")[0])
