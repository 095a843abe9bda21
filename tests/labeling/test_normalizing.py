from hypothesis import given
from hypothesis import strategies as st

from labeling.normalizing import content_hash, normalize


def test_composed_and_decomposed_letters_are_the_same_text() -> None:
    assert normalize("Cafe\u0301") == normalize("Caf\u00e9")


def test_nul_characters_are_removed() -> None:
    assert normalize("a\x00b") == "ab"


def test_white_space_inside_is_kept() -> None:
    assert normalize("  a\n\n  b\t") == "a\n\n  b"


def test_the_hash_is_32_hexadecimal_digits() -> None:
    assert content_hash("") == "cae66941d9efbd404e4d88758ea67670"


@given(st.text())
def test_normalizing_twice_changes_nothing(text: str) -> None:
    assert normalize(normalize(text)) == normalize(text)


@given(st.characters(categories=["Cs"]))
def test_a_lone_surrogate_can_be_stored(surrogate: str) -> None:
    normalize(f"a{surrogate}b").encode()
