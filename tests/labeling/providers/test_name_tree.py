import numpy as np

from labeling.providers.name_tree import ROOT, tree_of


def test_what_names_share_is_read_once_and_last_tokens_never() -> None:
    tree = tree_of([[5], [5, 6], [5, 6, 7], [5, 8], [9, 6, 7]])
    assert (tree.tokens, tree.depths) == ((5, 9, 6, 6), (0, 0, 1, 1))
    assert tree.steps[2] == ((ROOT, 5), (0, 6), (2, 7))
    assert tree.steps[3] == ((ROOT, 5), (0, 8))
    assert tree.steps[4] == ((ROOT, 9), (1, 6), (3, 7))


def test_a_node_sees_itself_and_what_stands_before_it_in_its_name() -> None:
    tree = tree_of([[5, 6, 7], [9, 6, 7]])
    np.testing.assert_array_equal(tree.sees, np.array([[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]], bool))


def test_names_of_one_token_need_no_reading() -> None:
    tree = tree_of([[1], [2], [2]])
    assert tree.tokens == ()
    assert tree.steps == (((ROOT, 1),), ((ROOT, 2),), ((ROOT, 2),))
