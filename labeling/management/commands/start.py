"""manage.py start: everything that `make run` needs, in one command."""

import signal
import socket
import subprocess
import sys
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.crypto import get_random_string

WAIT_SECONDS = 45  # the worker is given 30 to finish what it does
MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]


class Command(BaseCommand):
    help = "Migrate, on first start make an administrator and a labeled demo, then run web server and worker."

    def handle(self, **options: Any) -> None:
        refuse_taken_port()
        call_command("migrate", verbosity=0)
        password = self._first_start()
        raise_on_signals()
        processes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            keep_alive(processes, commands())
            self._announce(password)
            while True:
                time.sleep(1)
                keep_alive(processes, commands())
        except KeyboardInterrupt:
            pass
        finally:
            end(processes)

    def _first_start(self) -> str | None:
        """The new administrator's password, or None when there are users: then nothing is changed."""
        User = get_user_model()
        if User.objects.exists():
            return None
        self.stdout.write("First start: loading the demo and labeling it.")
        call_command("load_demo", stdout=self.stdout)
        # In a process of its own, so that the model's memory is free again when the server starts.
        subprocess.run([*MANAGE, "label_texts", "--project", "Demo"], check=True)
        password = get_random_string(14)
        User.objects.create_superuser("admin", "", password)
        call_command("add_reviewer", "admin", project="Demo", stdout=self.stdout)
        return password

    def _announce(self, password: str | None) -> None:
        self.stdout.write(f"\nReady: http://{settings.HOST}:{settings.PORT}/  (Ctrl-C stops)")
        if password:
            self.stdout.write(f"Sign in as admin with the password {password} (shown only this once).")
        self.stdout.flush()


def refuse_taken_port() -> None:
    """Raises CommandError when something else answers there: the web server would be started again for ever."""
    try:
        socket.create_server((settings.HOST, settings.PORT)).close()
    except OSError as error:
        raise CommandError(
            f"{settings.HOST}:{settings.PORT} cannot be used ({error.strerror}). Stop what runs there, or set PORT."
        ) from error


def commands() -> dict[str, list[str]]:
    address = f"{settings.HOST}:{settings.PORT}"
    web = [sys.executable, "-m", "gunicorn", "labeling_site.wsgi", "--bind", address, "--log-level", "warning"]
    return {
        # Nobody asks its control socket, which needs a home folder, and of which two installations would have one.
        "web": [*web, "--workers", "2", "--threads", "4", "--no-control-socket"],
        "worker": [*MANAGE, "run_worker"],
    }


def keep_alive(processes: dict[str, "subprocess.Popen[bytes]"], commands: dict[str, list[str]]) -> None:
    """Start what does not run.

    Each in a process group of its own, which Ctrl-C does not reach: gunicorn's processes (27.0.1) hang for half a
    minute, one time in four, when all of them get it at once.
    """
    for name, command in commands.items():
        if name not in processes or processes[name].poll() is not None:
            processes[name] = subprocess.Popen(command, process_group=0)


def end(processes: dict[str, "subprocess.Popen[bytes]"]) -> None:
    """Let all of them finish what they are doing."""
    for process in processes.values():
        process.terminate()
    for process in processes.values():
        process.wait(timeout=WAIT_SECONDS)


def raise_on_signals() -> None:
    """KeyboardInterrupt on Ctrl-C and SIGTERM, and when the terminal is closed, unless under nohup."""
    # SIGINT as well: it is ignored by what a script starts in the background, until somebody asks for it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
