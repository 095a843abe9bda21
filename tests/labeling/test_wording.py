import pytest

from labeling.wording import counted, have, texts


@pytest.mark.parametrize(("count", "words"), [(0, "0 texts have"), (1, "1 text has"), (1_234, "1,234 texts have")])
def test_a_count_agrees_with_what_is_counted(count: int, words: str) -> None:
    assert f"{texts(count)} {have(count)}" == words


def test_a_plural_of_its_own_is_used() -> None:
    assert counted(2, "person", "people") == "2 people"
