"""What docs/operating.md tells who moves to another database: nothing is lost, and the audit trail still holds."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from labeling.models import Label
from reviews import audit_trail
from reviews.batches import record_all
from reviews.models import Review, Reviewer

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
DUMP, LOAD = (
    re.findall(rf"manage\.py ({command} .+)$", PAGE, flags=re.M)[0].split() for command in ("dumpdata", "loaddata")
)


@pytest.mark.parametrize("file_format", ["jsonl", "json"])
@pytest.mark.django_db(transaction=True)
def test_all_is_in_the_new_database_as_it_was_written(
    anna: Reviewer, add_labeled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    monkeypatch.chdir(tmp_path)
    record_all(anna, {text.pk: text.current_label_id for text in add_labeled(*[0.4] * 5)}, comment="as it stands")
    audit_trail.seal()
    written = [list(model.objects.order_by("pk").values()) for model in (Label, Review)]
    dump, load = ([word.replace("jsonl", file_format) for word in words] for words in (DUMP, LOAD))
    call_command(*dump, verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
    call_command(*load, verbosity=0)
    assert [list(model.objects.order_by("pk").values()) for model in (Label, Review)] == written
    assert audit_trail.verify().problems == []
