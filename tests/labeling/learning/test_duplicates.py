import itertools

import numpy as np
import pytest

from labeling.learning import duplicates

WORDS = [f"{a}{b}" for a, b in itertools.product("bcdfghklmnprst", ["ano", "eli", "oru", "ima", "uto"])]


@pytest.fixture
def random():
    return np.random.default_rng(5)


def as_lists(groups):
    return [group.tolist() for group in groups]


def sentence(random, length=40):
    return random.choice(WORDS, length).tolist()


# --- By vectors -------------------------------------------------------------------------------------------------------


def test_near_vectors_are_grouped_largest_group_first(random, monkeypatch):
    monkeypatch.setattr(duplicates, "BLOCK", 7)
    kinds = np.repeat(np.arange(6), [1, 2, 5, 3, 1, 8])
    random.shuffle(kinds)
    vectors = random.normal(size=(6, 64))[kinds] + 0.01 * random.normal(size=(20, 64))
    expected = [np.flatnonzero(kinds == kind).tolist() for kind in (5, 2, 3, 1)]
    assert as_lists(duplicates.by_cosine(vectors)) == expected


def test_links_form_chains():
    angles = np.radians([0, 15, 30, 90])
    vectors = np.column_stack([np.cos(angles), np.sin(angles)])
    assert as_lists(duplicates.by_cosine(vectors)) == [[0, 1, 2]]


def test_a_cosine_at_the_limit_links():
    assert as_lists(duplicates.by_cosine([[1, 0], [0.6, 0.8]], least=0.6)) == [[0, 1]]
    assert duplicates.by_cosine([[1, 0], [0.6, 0.8]], least=0.61) == []


def test_many_equal_vectors_are_one_group(monkeypatch):
    monkeypatch.setattr(duplicates, "BLOCK", 300)
    assert len(duplicates.by_cosine(np.ones((1_000, 2)))[0]) == 1_000


def test_vectors_without_length_are_like_nothing():
    assert duplicates.by_cosine(np.zeros((3, 4))) == []


def test_no_vectors_have_no_groups():
    assert duplicates.by_cosine(np.zeros((0, 4))) == []


def test_too_many_vectors_are_refused():
    with pytest.raises(ValueError, match="use by_words"):
        duplicates.by_cosine(np.zeros((20_001, 1)))


@pytest.mark.parametrize("wrong", [[1.0, 2.0], [[np.nan, 1.0]]])
def test_what_are_no_vectors_is_refused(wrong):
    with pytest.raises(ValueError, match="finite and of shape"):
        duplicates.by_cosine(wrong)


# --- By words ---------------------------------------------------------------------------------------------------------


def test_case_punctuation_and_spaces_do_not_count():
    contents = ["My card, it did NOT arrive!", "Where is it?", "my card it did not  arrive", ""]
    assert as_lists(duplicates.by_words(contents)) == [[0, 2]]


def test_texts_with_a_changed_word_are_found_among_many(random, monkeypatch):
    """400 texts of 80 words, 60 of them twice with one word changed (three triples of 78: overlap .93)."""
    monkeypatch.setattr(duplicates, "BATCH", 64)
    texts = [sentence(random, 80) for _ in range(400)]
    for at in range(60):
        copied = list(texts[at])
        copied[random.integers(2, 78)] = "changed"
        texts.append(copied)
    found = as_lists(duplicates.by_words([" ".join(words) for words in texts]))
    expected = {(at, 400 + at) for at in range(60)}
    assert {tuple(group) for group in found} <= expected
    assert len(found) >= 59


def test_the_estimated_overlap_is_the_exact_one(random):
    """Pairs with 10 of 30 triples in common on average, to within the error of 120 hashes."""
    errors = []
    for _ in range(100):
        shared = sentence(random, 30)
        pair = [" ".join(shared + sentence(random, 20)) for _ in range(2)]
        sets = [set(duplicates._shingles([one])[0].tolist()) for one in pair]
        exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
        signatures = duplicates._signatures(pair)[0]
        errors.append((signatures[0] == signatures[1]).mean() - exact)
    assert abs(np.mean(errors)) < 0.015
    assert np.std(errors) < 0.06


def test_texts_that_share_half_of_their_words_are_not_alike(random):
    shared = sentence(random)
    assert duplicates.by_words([" ".join(shared + sentence(random)) for _ in range(50)]) == []


def test_short_texts_are_alike_only_when_equal():
    assert as_lists(duplicates.by_words(["ok", "OK.", "no", "not ok", "ok ok"])) == [[0, 1]]


def test_languages_without_spaces_are_compared_by_characters():
    text = "我昨天在网上买的东西到现在还没有收到请帮我查一下订单的状态谢谢你们的帮助祝工作顺利身体健康"
    assert as_lists(duplicates.by_words([text, text + "啊", "今天天气很好我们去公园散步吧"])) == [[0, 1]]


def test_texts_without_words_are_in_no_group():
    assert duplicates.by_words(["", "!!!", "...", " "]) == []
    assert duplicates.by_words([]) == []


def test_many_equal_texts_are_one_group_and_larger_groups_come_first():
    contents = ["a b c d", *["the same words again and again"] * 3_000, "A b c d!"]
    assert [len(group) for group in duplicates.by_words(contents)] == [3_000, 2]


def test_the_groups_are_the_same_each_time(random):
    contents = [" ".join(sentence(random, 4)) for _ in range(300)] * 2
    assert as_lists(duplicates.by_words(contents)) == as_lists(duplicates.by_words(contents))
    assert len(duplicates.by_words(contents)) == 300
