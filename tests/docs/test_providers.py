"""The provider that docs/providers.md shows, as written there."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from labeling.providers.base import Provider
from tests.labeling.providers.contract import ProviderContract

PAGE = Path(__file__).resolve().parents[2] / "docs" / "providers.md"


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    module = ModuleType("my_team.rules")
    exec(code[0], module.__dict__)
    monkeypatch.setitem(sys.modules, "my_team", ModuleType("my_team"))
    monkeypatch.setitem(sys.modules, "my_team.rules", module)
    return module


class TestRules(ProviderContract):
    @pytest.fixture
    def provider(self, rules: ModuleType) -> Provider:
        provider: Provider = rules.Rules(version=1)
        return provider


def test_it_is_about_thirty_lines() -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(code[0].splitlines()) <= 36


@pytest.mark.django_db
def test_the_settings_line_makes_it_a_provider(
    rules: ModuleType, settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    known = dict(settings.LABELING_PROVIDERS)
    exec(code[1], {"LABELING_PROVIDERS": known})
    settings.LABELING_PROVIDERS = known
    call_command("providers", "check", "rules")
    assert "rules: Rules, rules" in capsys.readouterr().out
