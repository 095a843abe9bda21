import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.spreadsheets import escape_formula, is_own_export, unescape_formula

SIGNS = "'=+-@＝＋－＠ \t\r\n\u00a0\u200b\ufeff"
CELLS = st.text(alphabet=st.one_of(st.sampled_from(SIGNS), st.characters()))


@given(CELLS)
def test_unescaping_gives_back_every_string(cell: str) -> None:
    assert unescape_formula(escape_formula(cell)) == cell


@given(st.integers(0, 4), st.sampled_from(["", " ", "\u00a0", "\u200b"]), st.sampled_from("=+-@＝＋－＠"), CELLS)
def test_apostrophes_before_a_formula_survive(apostrophes: int, space: str, sign: str, rest: str) -> None:
    cell = "'" * apostrophes + space + sign + rest
    assert escape_formula(cell) == "'" + cell
    assert unescape_formula("'" + cell) == cell


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@A1", "\tx", "\rx", "\n=1", "  =1", "＝1", "\ufeff=1", "'=1"])
def test_what_a_spreadsheet_could_run_gets_an_apostrophe(cell: str) -> None:
    assert escape_formula(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "plain", "3 = 3", "'quoted'", "'", "Ärger", "価格", "€ 5", "(-1)", "#1"])
def test_harmless_cells_stay_as_they_are(cell: str) -> None:
    assert escape_formula(cell) == cell


def test_a_formula_that_our_export_did_not_escape_is_left_alone() -> None:
    assert unescape_formula("=1+1") == "=1+1"


def test_our_exports_are_known_by_their_columns() -> None:
    assert is_own_export(["text", "label_version", "text_id"])
    assert not is_own_export(["text", "text_id"])


def test_files_of_rejected_rows_are_known_by_their_columns() -> None:
    assert is_own_export(["rejected_line", "rejected_reason", "text"])
    assert not is_own_export(["rejected_reason", "text"])
