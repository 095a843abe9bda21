import io
import json

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from labeling.models import Project

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


def run(*args: str) -> str:
    output = io.StringIO()
    call_command("providers", *args, stdout=output)
    return output.getvalue()


def test_the_list_names_aliases_and_hides_keys(settings: LazySettings) -> None:
    options = {"url": "http://localhost", "key": "secret"}
    settings.LABELING_PROVIDERS = {**settings.LABELING_PROVIDERS, "api": {"BACKEND": "some.Api", "OPTIONS": options}}
    said = run("list")
    assert "local (LLM_PROVIDER): " in said
    assert "api: Api, url=http://localhost" in said
    assert "secret" not in said


def test_a_check_shows_answers_their_source_and_the_speed() -> None:
    said = run("check", "scores")
    assert "scores: KeywordScores, scores" in said
    assert "confidence from: probabilities." in said
    assert "texts/s" in said


def test_a_check_of_what_does_not_answer_is_an_error_with_the_next_step() -> None:
    with pytest.raises(CommandError, match=r"The server does not answer\. Start it\."):
        run("check", "broken")


def test_a_check_of_an_unknown_alias_names_the_known_ones() -> None:
    with pytest.raises(CommandError, match=r"There is no provider 'nobody'\. Choose one of: broken"):
        run("check", "nobody")


def test_a_comparison_is_a_table(project: Project, decided: None) -> None:
    said = run("compare", "--project", "News", "--providers", "keyword,talkative")
    assert "4 decided texts, 1 of them of the blind audit" in said
    assert "0.750" in said
    assert "keyword and talkative agree on 100%." in said
    assert "talkative: 1 failed: It says nothing." in said


def test_a_comparison_is_one_json_object_if_asked(project: Project, decided: None) -> None:
    found = json.loads(run("compare", "--project", "News", "--providers", "keyword", "--json"))
    assert found["providers"][0]["accuracy"] == 0.75


def test_without_decisions_a_comparison_says_what_to_do(project: Project) -> None:
    with pytest.raises(CommandError, match="Review some"):
        run("compare", "--project", "News", "--providers", "keyword")
