import pytest
from django.db.models import F

from labeling.models import Project, Text
from reviews import policy

pytestmark = pytest.mark.django_db


def needed(project: Project) -> dict[int, int]:
    texts = Text.objects.annotate(needed=policy.reviews_needed_in(project))
    return dict(texts.values_list("pk", F("needed")))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_the_query_and_the_rule_for_one_text_say_the_same(project: Project, add_texts, share: float) -> None:
    project.reviews_per_text, project.overlap_share = 3, share
    texts = add_texts(project, *(f"text {n}" for n in range(200)))
    assert needed(project) == {text.pk: policy.reviews_needed(text) for text in texts}


def test_about_the_share_asked_for_is_decided_by_several(project: Project, add_texts) -> None:
    project.reviews_per_text, project.overlap_share = 2, 0.3
    texts = add_texts(project, *(f"text {n}" for n in range(1000)))
    assert 250 < sum(policy.reviews_needed(text) == 2 for text in texts) < 350


def test_a_larger_share_keeps_the_texts_of_a_smaller_one(project: Project, add_texts) -> None:
    project.reviews_per_text = 2
    texts = add_texts(project, *(f"text {n}" for n in range(200)))
    chosen = []
    for project.overlap_share in (0.2, 0.5):
        chosen.append({text.pk for text in texts if policy.reviews_needed(text) == 2})
    assert chosen[0] < chosen[1]


def test_the_share_does_not_lean_on_the_order_of_the_audit(project: Project, add_texts) -> None:
    project.reviews_per_text, project.overlap_share = 2, 0.5
    texts = sorted(add_texts(project, *(f"text {n}" for n in range(1000))), key=lambda text: text.content_hash)
    assert 200 < sum(policy.reviews_needed(text) == 2 for text in texts[:500]) < 300
