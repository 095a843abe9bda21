import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.contrib.auth.models import User

from labeling import certification, exporting
from labeling.models import Certificate, Project
from tests.labeling.certificates import add_machine_labeled, decide, evenly

pytestmark = pytest.mark.django_db


@pytest.fixture
def certificate(project: Project, manager: User) -> Certificate:
    texts = add_machine_labeled(project, evenly(401), audit_every=2)
    decide([text for text in texts if text.is_audit], manager)
    return certification.certify(project, promise="dataset", budget=0.05)


@pytest.fixture
def in_force(project: Project, certificate: Certificate) -> Certificate:
    certification.apply(certificate)
    project.refresh_from_db()
    return certificate


def test_the_certificate_in_force_lies_beside_the_file(project: Project, in_force: Certificate, tmp_path: Path) -> None:
    exporting.export(project, file_format="csv", to=tmp_path / "labels.csv")
    written = json.loads((tmp_path / "labels.csv.certificate.json").read_text())
    assert (written["id"], written["sentence"]) == (in_force.pk, in_force.sentence)
    assert written["still_undecided"] == 0


def test_one_that_was_not_applied_stays_out(project: Project, certificate: Certificate, tmp_path: Path) -> None:
    exporting.export(project, file_format="csv", to=tmp_path / "labels.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv"]


def test_an_ended_one_is_taken_away_from_the_file(project: Project, in_force: Certificate, tmp_path: Path) -> None:
    exporting.export(project, file_format="csv", to=tmp_path / "labels.csv")
    add_machine_labeled(project, [0.9])
    assert certification.in_force(project) is None
    exporting.export(project, file_format="csv", to=tmp_path / "labels.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv"]


def test_parquet_carries_it_in_its_metadata(project: Project, in_force: Certificate, tmp_path: Path) -> None:
    exporting.export(project, file_format="parquet", to=tmp_path / "labels.parquet")
    metadata = pq.read_metadata(tmp_path / "labels.parquet").metadata
    assert json.loads(metadata[b"certificate"])["id"] == in_force.pk


def test_a_folder_holds_it(project: Project, in_force: Certificate, tmp_path: Path) -> None:
    for _ in range(2):  # the second time the folder is replaced
        exporting.export(project, file_format="hf", to=tmp_path / "news")
    assert json.loads((tmp_path / "news" / "certificate.json").read_text())["id"] == in_force.pk


def test_it_says_how_many_texts_wait_for_people(project: Project, in_force: Certificate) -> None:
    some = list(project.texts.filter(status="accepted").values_list("pk", flat=True)[:3])
    project.texts.filter(pk__in=some).update(status="needs_review")
    statement = certification.statement(project)
    assert statement is not None
    assert statement["still_undecided"] == 3
