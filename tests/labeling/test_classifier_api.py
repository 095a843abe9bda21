"""The API of classifiers."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.choices import ClassifierKind
from labeling.models import Classifier, Project

pytestmark = pytest.mark.django_db

MEASURED = {"accuracy": 0.9, "macro_f1": 0.8, "log_loss": 0.3, "ece": 0.02, "brier": 0.1, "is_calibrated": True}


def add(project: Project, version: int, **values: object) -> Classifier:
    shared = {"model_name": "m", "model_fingerprint": "", "category_ids": [1], "category_hash": "", "weights": b""}
    return Classifier.objects.create(project=project, version=version, **shared | {"kind": "learned"} | values)


@pytest.fixture
def api(client: Client, mia: User) -> Client:
    client.force_login(mia)
    return client


def test_a_classifier_tells_how_good_it_is(api: Client, project: Project) -> None:
    quality = MEASURED | {
        "categories": [{"id": 1, "n": 12, "precision": 0.9, "recall": None}],
        "reliability": [{"confidence": 0.7, "accuracy": 0.8, "share": 1.0}],
    }
    made = add(project, 1, quality=quality, fitted_on={"pool": 5, "reviews": 40})
    found = api.get(f"/api/classifiers/{made.pk}").json()
    assert (found["measured"], found["pool"], found["reviews"]) == (MEASURED, 5, 40)
    assert found["categories"] == [{"category_id": 1, "reviews": 12, "precision": 0.9, "recall": None}]
    assert found["reliability"] == quality["reliability"]


def test_one_without_reviews_was_not_measured(api: Client, project: Project) -> None:
    made = add(project, 1, kind=ClassifierKind.ZERO_SHOT, quality={"blend": 0.5})
    assert api.get(f"/api/classifiers/{made.pk}").json()["measured"] is None


def test_classifiers_are_listed_newest_first_and_filtered(
    api: Client, project: Project, django_assert_max_num_queries
) -> None:
    for version in range(1, 6):
        add(project, version, is_active=version != 3)
    with django_assert_max_num_queries(6):
        found = api.get("/api/classifiers?project=News&kind=learned&is_active=true").json()["results"]
    assert [row["version"] for row in found] == [5, 4, 2, 1]
