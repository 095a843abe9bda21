import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django_q.models import Schedule

from labeling import triggers
from labeling.models import Text
from reviews import audit_trail, hashing, tasks
from reviews.batches import record_all
from reviews.decisions import Decision, record
from reviews.hashing import content_hash, is_unchanged
from reviews.models import Action, Review, Reviewer, Seal
from reviews.refusals import WrongDecision
from reviews.undoing import undo

pytestmark = pytest.mark.django_db


def shown(texts: list[Text]) -> dict[int, int]:
    return {text.pk: text.current_label_id for text in texts}


@pytest.fixture
def reviews(anna: Reviewer, add_labeled) -> list[Review]:
    """Five decisions, sealed."""
    record_all(anna, shown(add_labeled(*[0.4] * 5)), comment="as it stands")
    assert audit_trail.seal() == 5
    return list(Review.objects.order_by("pk"))


@pytest.fixture
def force() -> Callable[..., None]:
    """Writes past the triggers, as somebody with all rights on the database could."""

    def execute(table: str, sql: str, *values: object) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # pending ones forbid ALTER TABLE
                cursor.execute("SET session_replication_role = replica")
            else:
                for statement in triggers.remove_sql("sqlite", table):
                    cursor.execute(statement)
            cursor.execute(sql, values)
            if connection.vendor == "postgresql":
                cursor.execute("SET session_replication_role = origin")
            else:
                for statement in triggers.install_sql("sqlite", table):
                    cursor.execute(statement)

    return execute


def problems() -> list[str]:
    return [str(problem) for problem in audit_trail.verify().problems]


def test_an_untouched_trail_has_no_problems(reviews: list[Review]) -> None:
    report = audit_trail.verify()
    assert (report.problems, report.checked, report.unsealed, report.position) == ([], 5, 0, 5)


def test_the_chain_can_be_computed_by_hand(reviews: list[Review]) -> None:
    chain = audit_trail.BEGINNING
    for position, one in enumerate(Seal.objects.order_by("position"), start=1):
        assert (one.position, one.previous_hash) == (position, chain)
        chain = audit_trail.chain_hash(chain, one.review.content_hash)
        assert one.chain_hash == chain


def test_sealing_again_adds_nothing(reviews: list[Review]) -> None:
    assert audit_trail.seal() == audit_trail.seal(everything=True) == 0


def test_sealing_goes_in_batches(anna: Reviewer, add_labeled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "BATCH", 2)
    record_all(anna, shown(add_labeled(*[0.4] * 5)))
    assert tasks.seal() == 5
    assert (problems(), audit_trail.verify().position) == ([], 5)


def test_reviews_not_sealed_yet_are_counted(reviews: list[Review], anna: Reviewer) -> None:
    undo(anna)
    report = audit_trail.verify()
    assert (report.problems, report.checked, report.unsealed) == ([], 6, 1)


def test_a_review_far_below_the_newest_is_found_when_everything_is_looked_at(
    reviews: list[Review], anna: Reviewer, add_labeled, force, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_trail, "LATE_IDS", 0)
    force("review_seals", "DELETE FROM review_seals WHERE position < 5")
    assert audit_trail.seal() == 0
    assert audit_trail.seal(everything=True) == 4


@pytest.mark.parametrize("table", ["reviews", "review_seals"])
def test_the_database_refuses_to_change_the_trail(reviews: list[Review], table: str) -> None:
    for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
        with pytest.raises(IntegrityError, match="rows are facts"), transaction.atomic():
            connection.cursor().execute(sql)


def test_a_changed_review_is_found(reviews: list[Review], force) -> None:
    force("reviews", "UPDATE reviews SET comment = 'other' WHERE id = %s", reviews[2].pk)
    assert problems() == [f"Review {reviews[2].pk} (seal 3) was changed: its content has another hash."]


def test_a_changed_review_with_a_fitting_hash_is_found(reviews: list[Review], force) -> None:
    changed = Review.objects.get(pk=reviews[2].pk)
    changed.comment = "other"
    sql = "UPDATE reviews SET comment = 'other', content_hash = %s WHERE id = %s"
    force("reviews", sql, content_hash(changed), changed.pk)
    assert problems() == [f"Review {changed.pk} or its seal 3 was changed after sealing."]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="foreign keys stay on inside a transaction; see the next")
def test_a_removed_review_is_found(reviews: list[Review], force) -> None:
    force("reviews", "DELETE FROM reviews WHERE id = %s", reviews[2].pk)
    assert problems() == [f"Review {reviews[2].pk} (seal 3) was removed."]
    # Before the test ends, for its check of foreign keys.
    force("review_seals", "DELETE FROM review_seals WHERE position = 3")


def test_a_review_removed_with_its_seal_is_found(reviews: list[Review], force) -> None:
    force("review_seals", "DELETE FROM review_seals WHERE position = 3")
    force("reviews", "DELETE FROM reviews WHERE id = %s", reviews[2].pk)
    assert problems() == ["Seals 3 to 3 are missing: reviews were removed."]


def test_seals_that_were_renumbered_are_found(reviews: list[Review], force) -> None:
    force("review_seals", "DELETE FROM review_seals WHERE position = 3")
    force("reviews", "DELETE FROM reviews WHERE id = %s", reviews[2].pk)
    for position in (4, 5):
        force("review_seals", "UPDATE review_seals SET position = position - 1 WHERE position = %s", position)
    assert problems() == ["Seal 3 is not on top of the one before: rows were removed or inserted here."]


def test_a_review_inserted_by_hand_is_found(reviews: list[Review]) -> None:
    columns = [field.column for field in Review._meta.concrete_fields if field.column != "id"]
    other = {"slot": "1", "idempotency_key": "'another'"}
    values = ", ".join(other.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO reviews ({', '.join(columns)}) SELECT {values} FROM reviews WHERE id = %s", [reviews[2].pk]
        )
    newest = Review.objects.order_by("-pk").first()
    assert problems() == [f"Review {newest.pk} (not sealed) was changed or inserted by hand."]


def test_an_end_that_was_cut_off_is_found_by_a_noted_head(reviews: list[Review], force) -> None:
    before = audit_trail.verify()
    force("review_seals", "DELETE FROM review_seals WHERE position = 5")
    force("reviews", "DELETE FROM reviews WHERE id = %s", reviews[4].pk)
    assert problems() == []
    (problem,) = audit_trail.verify(noted=(before.position, before.head)).problems
    assert str(problem) == "Position 5 has not the hash that was noted: the chain was cut or written anew."


def test_missing_triggers_are_found(reviews: list[Review]) -> None:
    with connection.cursor() as cursor:
        for statement in triggers.remove_sql(connection.vendor, "reviews"):
            cursor.execute(statement)
    assert problems() == ["Table reviews can be changed: its append-only triggers are missing."]


def test_verifying_needs_the_same_memory_for_any_number(
    reviews: list[Review], force, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries
) -> None:
    monkeypatch.setattr(audit_trail, "MOST_PROBLEMS", 2)
    for review in reviews:
        force("reviews", "UPDATE reviews SET comment = 'other' WHERE id = %s", review.pk)
    with django_assert_max_num_queries(9):
        report = audit_trail.verify()
    assert (len(report.problems), report.count) == (2, 5)


# --- Hashes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [3, 0.1, 1e-300, -0.0, 1 / 3, 123456789.123456789])
def test_numbers_have_the_same_hash_after_reading(anna: Reviewer, add_labeled, seconds: float) -> None:
    (text,) = add_labeled(0.4)
    record(anna, text.pk, Decision(Action.SKIP, seconds_spent=seconds, comment="ü 🙂\n\t"))
    assert is_unchanged(Review.objects.get())


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(anna: Reviewer, add_labeled, number: float) -> None:
    (text,) = add_labeled(0.4)
    with pytest.raises(WrongDecision, match="ordinary numbers"):
        record(anna, text.pk, Decision(Action.SKIP, seconds_spent=number))


def test_a_time_has_the_same_hash_in_every_zone(reviews: list[Review]) -> None:
    (review, *_) = reviews
    hashes = set()
    for zone in (UTC, timezone(timedelta(hours=5))):
        review.created_at = datetime(2026, 1, 1, 12, tzinfo=UTC).astimezone(zone)
        hashes.add(content_hash(review))
    assert len(hashes) == 1


def test_every_field_but_the_keys_is_hashed() -> None:
    fields = {field.name for field in Review._meta.concrete_fields}
    assert set(hashing.FIELDS[hashing.NEWEST]) == fields - {"id", "content_hash"}


def test_a_column_that_is_added_later_leaves_old_hashes_right(
    reviews: list[Review], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(hashing.FIELDS, 2, (*hashing.FIELDS[1], "content_hash"))
    assert content_hash(reviews[0], version=2) != reviews[0].content_hash
    assert is_unchanged(reviews[0])


def test_the_first_version_never_changes(reviews: list[Review]) -> None:
    """A hash worked out once: when this fails, every review in every database looks changed."""
    review = Review(
        text_id=1,
        reviewer_id=2,
        action="approve",
        label_id=3,
        category_before_id=4,
        category_after_id=4,
        confidence_before=0.5,
        status_before="needs_review",
        comment="ü",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert content_hash(review, version=1) == "2d48b7723f2c44a8928d0fb0f3338c091e916e0ad1c0f65ad5009aa62fefe0e5"


# --- Commands and schedule --------------------------------------------------------------------------------------------


def test_the_command_says_how_many_were_checked(reviews: list[Review], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("seal_reviews")
    call_command("verify_audit_trail")
    out = capsys.readouterr().out
    assert "5 reviews were checked (0 of them not sealed yet), all as they were written." in out
    (head,) = re.findall(r"ends at (5:[0-9a-f]{64})\.", out)
    call_command("verify_audit_trail", "--noted", head)


def test_the_command_ends_with_1_and_lists_what_is_wrong(
    reviews: list[Review], force, capsys: pytest.CaptureFixture[str]
) -> None:
    force("reviews", "UPDATE reviews SET comment = 'other' WHERE id = %s", reviews[0].pk)
    with pytest.raises(CommandError, match=r"Problems: 1\.") as error:
        call_command("verify_audit_trail")
    assert error.value.returncode == 1
    assert f"Review {reviews[0].pk} (seal 1) was changed" in capsys.readouterr().err


def test_sealing_is_scheduled_once() -> None:
    schedule = Schedule.objects.get(func="reviews.tasks.seal")
    assert (schedule.schedule_type, schedule.minutes, schedule.repeats) == ("I", 1, -1)


def test_expired_claims_are_released(anna: Reviewer, add_labeled) -> None:
    (text,) = add_labeled(0.4)
    anna.assignments.create(text=Text.objects.get(pk=text.pk), expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert tasks.release_expired() == 1
