import os
from datetime import timedelta

import pytest
from django.utils import timezone

from labeling import chunks, processes, runs
from labeling.choices import ChunkState, RunPhase, RunStatus
from labeling.chunks import Step
from labeling.models import LabelingRun, Project, RunChunk
from tests.labeling.working import done_with, let_die, take

pytestmark = pytest.mark.django_db

SHARED_TEXTS = 600


@pytest.fixture
def run(project: Project, add_texts) -> LabelingRun:
    """A run of more texts than one chunk holds, about to label them."""
    texts = add_texts(project, "The striker scored.")
    made = runs.start(project, provider="keyword")
    LabelingRun.objects.filter(pk=made.pk).update(last_text_id=texts[0].pk + SHARED_TEXTS)
    made.refresh_from_db()
    runs.begin(made)
    for phase in (RunPhase.PREPARE, RunPhase.READ, RunPhase.FIT):
        assert made.phase == phase
        done_with(made)
    return made


def take_next(run: LabelingRun) -> RunChunk | None:
    return chunks.take(run, chunks.new_worker())


def first_id(run: LabelingRun) -> int:
    return run.project.texts.order_by("pk").values_list("pk", flat=True)[0]


def finished(chunk: RunChunk | None, seconds: float = 10.0) -> None:
    assert chunk is not None
    chunks.extend(chunk, Step(chunk.last, 3), seconds=seconds)
    chunks.finish(chunk)


def test_the_first_phase_is_one_chunk(project: Project, add_texts) -> None:
    add_texts(project, "The striker scored.")
    run = runs.start(project, provider="keyword")
    chunk = take(run)
    assert (chunk.phase, chunk.after, chunk.last) == (RunPhase.PREPARE, 0, 1)
    assert take_next(run) is None


def test_chunks_follow_each_other_without_a_gap(run: LabelingRun) -> None:
    taken = []
    while (chunk := take_next(run)) is not None:
        taken.append((chunk.after, chunk.last))
    assert [after for after, _ in taken[1:]] == [last for _, last in taken[:-1]]
    assert (taken[0][0], taken[-1][1]) == (first_id(run) - 1, run.last_text_id)


def test_of_two_processes_that_saw_the_same_end_each_has_a_chunk_of_its_own(run: LabelingRun) -> None:
    other = LabelingRun.objects.get(pk=run.pk)
    mine, theirs = take_next(run), take_next(other)
    assert mine is not None and theirs is not None
    assert theirs.after == mine.last


def test_a_chunk_that_took_little_time_is_followed_by_a_wider_one(run: LabelingRun) -> None:
    finished(take_next(run), seconds=1.0)
    chunk = take_next(run)
    assert chunk is not None
    assert chunk.last - chunk.after == min(2 * chunks.FIRST, run.last_text_id - chunk.after)


def test_a_chunk_that_took_long_is_followed_by_a_narrower_one(run: LabelingRun) -> None:
    finished(take_next(run), seconds=30.0)
    chunk = take_next(run)
    assert chunk is not None
    assert chunk.last - chunk.after == chunks.FIRST // 2


def test_after_a_chunk_without_texts_the_next_begins_at_the_next_text(run: LabelingRun, add_texts) -> None:
    other = Project.objects.create(name="Other")
    add_texts(other, *(f"Text {n}." for n in range(9)))
    [late] = add_texts(run.project, "The final whistle blew.")
    LabelingRun.objects.filter(pk=run.pk).update(last_text_id=late.pk, cursor=first_id(run))
    chunk = take_next(run)
    assert chunk is not None
    RunChunk.objects.filter(pk=chunk.pk).update(last=chunk.after + 1, state=ChunkState.DONE, seconds=0.1)
    LabelingRun.objects.filter(pk=run.pk).update(cursor=chunk.after + 1)
    chunk = take_next(run)
    assert chunk is not None
    assert chunk.after == late.pk - 1


def test_a_chunk_that_was_given_back_is_taken_first_and_costs_no_attempt(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    chunks.give_back(chunk)
    again = take_next(run)
    assert again == chunk
    assert again is not None and again.attempts == 1


def test_a_chunk_of_a_living_process_is_left_alone(run: LabelingRun) -> None:
    first, second = take_next(run), take_next(run)
    assert first != second


def test_a_chunk_of_another_machine_is_taken_when_nothing_was_heard_for_long(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    let_die(chunk)
    again = take_next(run)
    assert again is not None
    assert (again.pk, again.attempts) == (chunk.pk, 2)


def test_a_chunk_of_a_dead_process_of_this_machine_is_taken_at_once(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    pid = os.spawnlp(os.P_NOWAIT, "true", "true")
    RunChunk.objects.filter(pk=chunk.pk).update(worker=f"{processes.this_machine()}:{pid}:x")
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet looked at by its parent
    assert take_next(run) == chunk
    os.waitpid(pid, 0)


def test_who_lost_a_chunk_learns_of_it(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    lost = RunChunk.objects.get(pk=chunk.pk)
    let_die(chunk)
    take_next(run)
    with pytest.raises(chunks.ChunkLost):
        chunks.extend(lost)
    with pytest.raises(chunks.ChunkLost):
        finished(lost)
    chunks.give_back(lost)  # which changes nothing any more
    assert RunChunk.objects.get(pk=chunk.pk).state == ChunkState.WORKING


def test_a_heartbeat_keeps_a_chunk(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    old = timezone.now() - timedelta(minutes=1)
    RunChunk.objects.filter(pk=chunk.pk).update(heartbeat_at=old)
    chunks.extend(chunk)
    chunk.refresh_from_db()
    assert chunk.heartbeat_at > old


def test_a_chunk_whose_processes_died_three_times_is_set_aside(run: LabelingRun) -> None:
    first = take_next(run)
    assert first is not None
    for _ in range(chunks.MOST_ATTEMPTS - 1):
        let_die(first)
        assert take_next(run) == first
    let_die(first)
    aside: list[RunChunk] = []
    assert chunks.take(run, chunks.new_worker(), on_set_aside=aside.append) != first
    assert aside == [first]
    first.refresh_from_db()
    assert (first.state, first.error) == (ChunkState.SET_ASIDE, "The process that worked on it died, 3 times.")


def test_a_chunk_that_failed_three_times_is_set_aside_with_the_last_reason(run: LabelingRun) -> None:
    for attempt in range(1, chunks.MOST_ATTEMPTS + 1):
        chunk = take_next(run)
        assert chunk is not None and chunk.after == first_id(run) - 1
        aside: list[RunChunk] = []
        chunks.fail(chunk, f"Reason {attempt}", on_set_aside=aside.append)
        assert aside == ([chunk] if attempt == chunks.MOST_ATTEMPTS else [])
    assert RunChunk.objects.get(state=ChunkState.SET_ASIDE).error == "Reason 3"


def test_what_was_tried_in_vain_is_taken_in_small_parts_without_a_gap(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    let_die(chunk)
    part = take_next(run)
    assert part == chunk
    assert part is not None and part.last - part.after == (chunk.last - chunk.after) // chunks.PARTS
    rest = RunChunk.objects.get(state=ChunkState.OPEN)
    assert (rest.after, rest.reached, rest.last, rest.attempts) == (part.last, part.last, chunk.last, 0)


def test_what_was_done_but_for_the_last_word_is_not_cut(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    chunks.extend(chunk, Step(chunk.last, 9))
    let_die(chunk)
    again = take_next(run)
    assert again is not None and again.last == chunk.last
    assert not RunChunk.objects.filter(state=ChunkState.OPEN).exists()


def test_a_run_cannot_go_on_without_a_chunk_that_is_a_whole_phase(project: Project, add_texts) -> None:
    add_texts(project, "The striker scored.")
    run = runs.start(project, provider="keyword")
    chunk = take(run)
    assert chunks.missing(run) is None
    RunChunk.objects.filter(pk=chunk.pk).update(attempts=chunks.MOST_ATTEMPTS)
    let_die(chunk)
    assert take_next(run) is None
    assert chunks.missing(run) == chunk


def test_a_project_that_begins_far_into_the_table_is_handed_out_from_there(project: Project, add_texts) -> None:
    other = Project.objects.create(name="Other")
    add_texts(other, *(f"Text {n}." for n in range(20)))
    [text] = add_texts(project, "The striker scored.")
    run = runs.start(project, provider="keyword")
    runs.begin(run)
    for _ in range(3):
        done_with(run)
    chunk = take_next(run)
    assert chunk is not None
    assert (chunk.after, chunk.last) == (text.pk - 1, text.pk)


def test_the_next_phase_waits_for_every_chunk(run: LabelingRun) -> None:
    taken = []
    while (chunk := take_next(run)) is not None:
        taken.append(chunk)
    for chunk in taken[1:]:
        finished(chunk)
    assert not chunks.is_done(run)
    finished(taken[0])
    assert chunks.is_done(run)
    chunks.advance(run)
    assert (run.phase, run.cursor) == (RunPhase.FINISH, 0)


def test_nothing_is_handed_out_of_a_paused_run(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    chunks.give_back(chunk)
    runs.pause(run)
    with pytest.raises(chunks.RunStopped, match="paused"):
        take_next(run)


def test_what_a_chunk_found_out_is_written_with_it(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    chunks.finish(chunk, model_name="tiny")
    run.refresh_from_db()
    assert (run.model_name, run.status) == ("tiny", RunStatus.RUNNING)


def test_the_next_process_begins_where_the_one_before_came(run: LabelingRun) -> None:
    chunk = take_next(run)
    assert chunk is not None
    chunks.extend(chunk, Step(chunk.after + 100, 90), seconds=2.0)
    chunks.extend(chunk, Step(chunk.after + 110, 7, failed=2), seconds=0.5)
    let_die(chunk)
    again = take_next(run)
    assert again is not None
    assert (again.after, again.reached, again.texts, again.seconds) == (chunk.after, chunk.after + 110, 97, 2.5)
    assert chunks.tally(run) == (97, 2)


def test_a_chunk_that_comes_farther_each_time_is_not_set_aside(run: LabelingRun) -> None:
    for texts in range(10, 10 * chunks.MOST_ATTEMPTS * 2, 10):
        chunk = take_next(run)
        assert chunk is not None and chunk.after == first_id(run) - 1
        chunks.extend(chunk, Step(chunk.after + texts, 1))
        let_die(chunk)


def test_a_step_that_comes_no_farther_leaves_the_attempts_as_they_are(run: LabelingRun) -> None:
    first = take_next(run)
    assert first is not None
    let_die(first)
    again = take_next(run)
    assert again is not None and again.attempts == 2
    chunks.extend(again, Step(again.reached, 0))
    assert RunChunk.objects.get(pk=again.pk).attempts == 2
