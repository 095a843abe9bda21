from pathlib import Path

import pytest

from labeling_site.environment import Environment


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Environment:
    monkeypatch.delenv("KEY", raising=False)
    return Environment.load(tmp_path / ".env")


def test_an_unset_key_gives_the_default(environment: Environment) -> None:
    assert environment.whole_number("KEY", 8000, low=1, high=9000) == 8000
    assert environment.wrong_values == []


def test_an_empty_key_gives_the_default(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "")
    assert environment.flag("KEY", default=True) is True
    assert environment.wrong_values == []


@pytest.mark.parametrize("raw", ["abc", "nan", "1.01", "-0.5"])
def test_a_number_out_of_range_is_kept_as_wrong(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, raw: str
) -> None:
    monkeypatch.setenv("KEY", raw)
    assert environment.number("KEY", 0.8, low=0, high=1) == 0.8
    assert [wrong.key for wrong in environment.wrong_values] == ["KEY"]


def test_a_wrong_value_is_never_repeated_in_the_message(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "nosuchdb://user:secret@host/name")
    assert environment.database("KEY", "sqlite:///x.sqlite3")["ENGINE"] == "django.db.backends.sqlite3"
    (wrong,) = environment.wrong_values
    assert "secret" not in wrong.message + wrong.hint


def test_the_file_completes_the_environment_and_never_overwrites_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KEY", "from the process")
    monkeypatch.delenv("OTHER_KEY", raising=False)
    (tmp_path / ".env").write_text("KEY=from the file\nOTHER_KEY=also from the file\n")
    environment = Environment.load(tmp_path / ".env")
    monkeypatch.setenv("OTHER_KEY", environment.text("OTHER_KEY"))  # so that it is removed after the test
    assert environment.text("KEY") == "from the process"
    assert environment.text("OTHER_KEY") == "also from the file"
