import re

import numpy as np
import pytest

from labeling.learning import explain
from labeling.learning.explain import Evidence


def tokens(text, *pieces):
    """Spans and weights of (piece, weight) in reading order, with special tokens around."""
    spans, weights, at = [(0, 0)], [0.5], 0
    for piece, weight in pieces:
        start = text.index(piece, at)
        at = start + len(piece)
        spans.append((start, at))
        weights.append(weight)
    return text, np.array([*spans, (0, 0)]), np.array([*weights, -0.25])


def words(text, evidence):
    return [text[one.start : one.end] for one in evidence]


def test_pieces_of_a_word_are_summed():
    text, spans, weights = tokens("a footballer", ("a", 0.1), ("foot", 0.2), ("ball", 0.3), ("er", 0.1))
    found = explain.word_contributions(text, spans, weights)
    assert words(text, found)[:2] == ["a", "footballer"]
    assert found[1].weight == pytest.approx(0.6)


def test_contributions_add_up_to_the_score():
    text, spans, weights = tokens(
        "it's a well-known cup, no?", *[(p, 0.3) for p in re.findall(r"\w+|[^\w\s]", "it's a well-known cup, no?")]
    )
    found = explain.word_contributions(text, spans, weights)
    assert sum(one.weight for one in found) == pytest.approx(weights.sum())


def test_what_special_tokens_carry_has_no_place():
    text, spans, weights = tokens("cup", ("cup", 1.0))
    assert explain.word_contributions(text, spans, weights)[-1] == Evidence(0, 0, 0.25)


def test_inner_apostrophes_and_hyphens_belong_to_the_word():
    text, spans, weights = tokens("don't half-time", *[(p, 0.1) for p in re.findall(r"\w+|[^\w\s]", "don't half-time")])
    assert words(text, explain.word_contributions(text, spans, weights))[:2] == ["don't", "half-time"]


def test_tokens_stay_for_themselves_where_no_spaces_are_written():
    text, spans, weights = tokens("足球比赛", *[(p, 0.1) for p in "足球比赛"])
    assert words(text, explain.word_contributions(text, spans, weights))[:4] == list("足球比赛")


def test_vowel_signs_stay_in_their_word():
    text, spans, weights = tokens("हिन्दी खेल", ("हिन्", 0.1), ("दी", 0.2), ("खेल", 0.3))
    assert words(text, explain.word_contributions(text, spans, weights))[:2] == ["हिन्दी", "खेल"]


def test_a_token_that_begins_with_a_space_belongs_to_its_word():
    spans, weights = np.array([(0, 3), (3, 7), (7, 9)]), np.array([0.1, 0.2, 0.3])
    found = explain.word_contributions("the striker", spans, weights)
    assert (found[1].start, found[1].end, found[1].weight) == (4, 11, pytest.approx(0.5))


def test_strongest_words_come_first():
    text, spans, weights = tokens("cup striker rain", ("cup", 0.3), ("striker", 0.5), ("rain", -0.1))
    assert words(text, explain.top_evidence(text, spans, weights)) == ["striker", "cup"]


def test_function_words_and_punctuation_are_skipped():
    text, spans, weights = tokens(
        "the striker !",
        ("the", 0.9),
        ("striker", 0.8),
        ("!", 0.7),
    )
    weights[3] = -2.0
    assert words(text, explain.top_evidence(text, spans, weights)) == ["striker"]


def test_a_word_of_many_pieces_does_not_win_by_what_all_tokens_share():
    pieces = [("anti", 0.3), ("dis", 0.3), ("tic", 0.3), ("cup", 0.5), ("fog", 0.1)]
    text, spans, weights = tokens("antidistic cup fog", *pieces)
    assert words(text, explain.top_evidence(text, spans, weights)) == ["cup"]


def test_short_words_of_any_language_are_skipped_but_not_abbreviations():
    text, spans, weights = tokens("el gol del UE x", ("el", 0.6), ("gol", 0.5), ("del", -0.3), ("UE", 0.5), ("x", -0.9))
    assert words(text, explain.top_evidence(text, spans, weights)) == ["UE", "gol"]


def test_a_single_han_character_can_be_evidence():
    text, spans, weights = tokens("球在", ("球", 0.5), ("在", -0.1))
    assert words(text, explain.top_evidence(text, spans, weights)) == ["球"]


def test_repetitions_are_named_once():
    text, spans, weights = tokens("Cup and cup", ("Cup", 0.5), ("and", -1.0), ("cup", 0.5))
    assert len(explain.top_evidence(text, spans, weights)) == 1


def test_no_more_words_than_the_limit_are_named():
    text = " ".join(f"word{letter}" for letter in "abcdefgh") + " zzz"
    pieces = [(word, 1.0) for word in text.split()[:-1]] + [("zzz", -5.0)]
    assert len(explain.top_evidence(*tokens(text, *pieces))) == explain.MOST_WORDS


def test_weights_of_the_evidence_are_shares():
    text, spans, weights = tokens("cup striker rain", ("cup", 0.3), ("striker", 0.5), ("rain", -0.8))
    assert [one.weight for one in explain.top_evidence(text, spans, weights)] == pytest.approx([0.625, 0.375])


def test_a_text_without_tokens_has_no_evidence():
    assert explain.top_evidence("", np.array([(0, 0), (0, 0)]), np.array([0.1, 0.2])) == []


def test_neighbours_are_joined_to_a_phrase():
    text = "In injury time the striker"
    evidence = [Evidence(19, 26, 0.5), Evidence(3, 9, 0.3), Evidence(10, 14, 0.2)]
    assert sorted(explain.phrases(text, evidence)) == ["injury time", "striker"]


def test_the_same_phrase_is_named_once():
    assert explain.phrases("Cup or cup", [Evidence(0, 3, 0.6), Evidence(7, 10, 0.4)]) == ["Cup"]


def test_a_repeated_phrase_keeps_the_place_of_its_strongest_use():
    evidence = [Evidence(0, 3, 0.6), Evidence(7, 11, 0.3), Evidence(15, 18, 0.1)]
    assert explain.phrases("Cup or goal or cup", evidence) == ["Cup", "goal"]


def test_the_sentence_names_both_categories_and_the_words():
    said = explain.sentence([("Sports", 0.91), ("Business", 0.05)], ["striker", "injury time"])
    assert said == "Sports 0.91, next Business 0.05; because of: striker, injury time"


def test_the_sentence_of_one_category_without_words_is_short():
    assert explain.sentence([("News", 1.0)], []) == "News 1.00"


def test_rounding_makes_no_certainty():
    assert explain.sentence([("A", 0.9999), ("B", 0.0001)], []) == "A >0.99, next B <0.01"
