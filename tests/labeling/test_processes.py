import os
import socket

from labeling import processes


def test_this_process_lives() -> None:
    assert processes.lives(os.getpid())


def test_a_process_that_was_waited_for_does_not_live() -> None:
    pid = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(pid, 0)
    assert not processes.lives(pid)


def test_a_process_that_has_ended_and_was_not_waited_for_does_not_live() -> None:
    pid = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert not processes.lives(pid)
    os.waitpid(pid, 0)


def test_a_machine_is_told_from_another_of_the_same_name() -> None:
    name = processes.this_machine()
    assert name.startswith(socket.gethostname()) and name != socket.gethostname()
    assert ":" not in name


def test_a_process_is_known_by_its_command() -> None:
    pid = os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "60")
    try:
        while not processes.runs_command(pid, "60"):  # until it is no copy of this process any more
            pass
        assert not processes.runs_command(pid, "run_worker")
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
