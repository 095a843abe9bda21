import numpy as np
import pytest

from labeling.learning import novelty

DIM = 48
KNOWN = ["card payment declined", "transfer money abroad", "forgot the password"]
NEW = [["refund", "cancelled", "flight"], ["parking", "ticket", "fine"]]


@pytest.fixture
def random():
    return np.random.default_rng(13)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def world(random):
    """Directions of three known and two new categories, and a way to draw texts around them."""
    centers = unit(random.normal(size=(5, DIM)))

    def drawn(kinds):
        return unit(centers[kinds] + 0.8 * unit(random.normal(size=(len(kinds), DIM))))

    return centers, drawn


@pytest.fixture
def found(world, random):
    """300 texts of known categories, then 40 and 25 of new ones, in random order; 120 reviewed texts."""
    centers, drawn = world
    kinds = np.repeat([0, 1, 2, 3, 4], [100, 100, 100, 40, 25])
    random.shuffle(kinds)
    fillers = ["please", "the", "my", "about", "it"]
    topics = [phrase.split() for phrase in KNOWN] + NEW
    contents = [" ".join([*random.choice(fillers, 3), *random.permutation(topics[kind])]) for kind in kinds]
    held = random.integers(0, 3, 120)
    return kinds, novelty.find(drawn(kinds), contents, drawn(held), held, centers[:3])


def test_texts_of_new_categories_are_unfamiliar(found):
    kinds, novel = found
    assert (novel.p_values[kinds >= 3] <= novelty.LEVEL).mean() > 0.95
    assert (novel.p_values[kinds < 3] <= novelty.LEVEL).mean() < 0.12


def test_the_groups_are_the_new_categories_largest_first(found):
    kinds, novel = found
    assert [np.bincount(kinds[group.rows]).argmax() for group in novel.groups[:2]] == [3, 4]
    assert all((kinds[group.rows] == kind).mean() > 0.9 for group, kind in zip(novel.groups, [3, 4], strict=False))


def test_the_words_of_a_group_are_those_that_tell_it_from_the_others(found):
    _, novel = found
    for group, topic in zip(novel.groups, NEW, strict=False):
        assert set(group.words[:3]) == set(topic)


def test_the_first_texts_of_a_group_are_its_most_central(world):
    _, drawn = world
    texts = drawn(np.full(30, 4))
    rows = novelty._central(texts.astype(np.float32), np.arange(30))
    cosines = texts[rows] @ unit(texts.mean(axis=0))
    assert (np.diff(cosines) <= 1e-6).all()


def test_p_values_are_uniform_when_nothing_is_new(world, random):
    """A text is as far from the categories as a reviewed one was: one in twenty is at or below .05."""
    centers, drawn = world
    held, kinds = random.integers(0, 3, 400), random.integers(0, 3, 4_000)
    novel = novelty.find(drawn(kinds), [""] * 4_000, drawn(held), held, centers[:3])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(novel.p_values <= level) == pytest.approx(level, abs=0.05)


def test_the_farthest_texts_of_known_categories_are_no_group(world, random):
    centers, drawn = world
    held, kinds = random.integers(0, 3, 200), random.integers(0, 3, 1_000)
    assert novelty.find(drawn(kinds), ["same words"] * 1_000, drawn(held), held, centers[:3]).groups == ()


def test_unfamiliar_texts_that_are_all_the_same_are_one_group(world, random):
    centers, drawn = world
    held, kinds = random.integers(0, 3, 200), random.integers(0, 3, 300)
    vectors = np.concatenate([centers[kinds], np.repeat(centers[3:4], 8, axis=0)])
    novel = novelty.find(vectors, ["same words"] * 308, drawn(held), held, centers[:3])
    assert [group.rows.tolist() for group in novel.groups] == [list(range(300, 308))]


def test_among_very_many_copies_a_single_other_text_is_no_trouble(world):
    """None of the texts that the silhouette compares is the other one."""
    centers, _ = world
    texts = np.repeat(centers[3:4], 3_000, axis=0).astype(np.float32)
    texts[np.random.RandomState(0).permutation(3_000)[-1]] = centers[4]
    assert [len(group) for group in novelty._clusters(texts, np.arange(3_000))] == [3_000]


def test_with_few_reviewed_texts_nothing_is_unfamiliar(world):
    centers, drawn = world
    held = np.arange(29) % 3
    novel = novelty.find(drawn(np.full(50, 4)), ["new"] * 50, drawn(held), held, centers[:3])
    assert novel.groups == ()
    assert (novel.p_values == 1).all()


def test_no_texts_have_no_groups(world):
    centers, drawn = world
    held = np.arange(60) % 3
    novel = novelty.find(np.zeros((0, DIM)), [], drawn(held), held, centers[:3])
    assert (novel.unfamiliar, novel.groups) == (0.0, ())


@pytest.mark.parametrize("labels", [[0] * 39, [0] * 39 + [3], [0] * 39 + [-1]])
def test_labels_that_do_not_fit_are_refused(world, labels):
    centers, drawn = world
    with pytest.raises(ValueError, match=r"one of each|row of a prototype"):
        novelty.find(drawn([0]), ["a"], drawn([0] * 40), labels, centers[:3])


# --- Words ------------------------------------------------------------------------------------------------------------


def test_words_of_all_texts_come_after_those_of_the_group():
    contents = ["the parcel is late", "the late parcel", "the parcel", "the card", "the card is new", "the bank"]
    assert novelty.distinctive_words(contents, [np.array([0, 1, 2])], count=2) == [("parcel", "late")]


def test_a_word_of_one_text_speaks_for_no_group():
    contents = ["parcel parcel zebra zebra", "parcel", "card"]
    assert novelty.distinctive_words(contents, [np.array([0, 1])]) == [("parcel",)]


def test_words_without_spaces_are_pairs_of_characters():
    words = novelty.distinctive_words(["我的包裹丢了", "包裹没到", "我的银行卡"], [np.array([0, 1])])
    assert words == [("包裹",)]
