"""Words alone: rare ones count more, long documents less, compounds fall into words that are known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.match.lexical import Bm25, grams, split_compounds, words


def test_a_score_is_that_worked_out_by_hand() -> None:
    scorer = Bm25([["koch", "hotel"], ["koch", "koch", "schiff", "hotel"], ["fahrer"]])
    scores = scorer.scores(["schiff", "unknown"])
    rarity = math.log(1 + 2.5 / 1.5)
    norm = 1.2 * (0.25 + 0.75 * 4 / (7 / 3))
    assert scores[1] == pytest.approx(rarity * 2.2 / (1 + norm), rel=1e-5)
    assert (scores[0], scores[2]) == (0.0, 0.0)


def test_rare_words_count_more_than_frequent_ones() -> None:
    scores = Bm25([["leiter", "lager"], ["leiter", "einkauf"], ["leiter", "labor"], ["lager"]]).scores(
        ["leiter", "labor"]
    )
    assert scores.argmax() == 2


@given(
    st.lists(st.lists(st.sampled_from("abcd"), max_size=5), min_size=1, max_size=6), st.lists(st.sampled_from("abcde"))
)
def test_exactly_documents_that_share_a_term_score(documents: list[list[str]], query: list[str]) -> None:
    scores = Bm25(documents).scores(query)
    assert [score > 0 for score in scores] == [bool(set(document) & set(query)) for document in documents]


def test_terms_are_words_or_their_pieces() -> None:
    assert words("Senior C++/SQL-Entwickler, 3D") == ["senior", "c", "sql", "entwickler", "3d"]
    assert grams("Arzt") == [" ar", "arz", "rzt", "zt ", " arz", "arzt", "rzt ", " arzt", "arzt "]


def test_compounds_are_split_where_both_parts_are_known() -> None:
    known = {"lager", "leiter", "verwaltung", "fachkraft"}
    assert split_compounds("Lagerleiter Verwaltungsfachkraft", known) == ["lager", "leiter", "verwaltung", "fachkraft"]
    assert split_compounds("Projektleiter Leiter", known) == ["projektleiter", "leiter"]
