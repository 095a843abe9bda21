"""Which process on which machine: names by which others tell whether it lives."""

import hashlib
import os
import signal
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def this_machine() -> str:
    """A name of this machine, or container, until it is started again.

    Not the host's name alone: copied machines and containers may share it, and would take each other's processes, whose
    numbers mean nothing to them, for dead.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        numbers = Path("/proc/self/ns/pid").stat().st_ino  # processes are numbered anew in each container
    except OSError:  # only Linux tells
        return socket.gethostname()
    return f"{socket.gethostname()}-{hashlib.sha256(f'{boot} {numbers}'.encode()).hexdigest()[:8]}"


def lives(pid: int) -> bool:
    """Whether a process of this machine lives. One that was killed does not, also if its parent has not looked."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it lives, under another user
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # only Linux tells
        return True
    return state != "Z"


def runs_command(pid: int, word: str) -> bool:
    """Whether the process lives and has the word in its command: numbers of processes are given again. Linux only."""
    try:
        return word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def group_runs_command(group: int, word: str) -> bool:
    """Whether a process of the group does, its first one dead or alive. Linux only."""
    members = (int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _group_of(int(entry.name)) == group)
    return any(runs_command(pid, word) for pid in members)


def _group_of(pid: int) -> int | None:
    with suppress(OSError):  # it has ended meanwhile
        return os.getpgid(pid)
    return None


def kill_group(pid: int) -> None:
    """End all processes of a group, now."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
