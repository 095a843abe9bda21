"""Reads the environment without ever failing: a wrong value becomes an error that a system check reports.

Settings are loaded before Django can say anything helpful, so a typing mistake in `.env` would end in a traceback.
Here the mistake is kept, the default is used to go on loading, and `labeling.checks` shows the mistake with its key.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import available_timezones

import environ

Value = TypeVar("Value")

ENGINES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")
FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True)
class WrongValue:
    """One environment key whose value cannot be used."""

    key: str
    message: str
    hint: str


@dataclass
class Environment:
    """Typed reads of environment keys; `wrong_values` collects what could not be read."""

    env: environ.Env
    wrong_values: list[WrongValue] = field(default_factory=list)

    @classmethod
    def load(cls, dotenv: Path) -> "Environment":
        """The process environment, completed (never overwritten) by the file `dotenv` when it exists."""
        if dotenv.is_file():
            environ.Env.read_env(dotenv)
        return cls(environ.Env())

    def text(self, key: str, default: str = "") -> str:
        return self.env.str(key, default=default).strip()

    def words(self, key: str, default: list[str]) -> list[str]:
        return [word.strip() for word in self.text(key).split(",") if word.strip()] or default

    def one_of(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        return self._read(key, str, default, allowed.__contains__, f"Use one of: {', '.join(allowed)}.")

    def flag(self, key: str, default: bool) -> bool:
        return self._read(key, lambda raw: FLAGS[raw.lower()], default, _anything, "Use True or False.")

    def whole_number(self, key: str, default: int, *, low: int, high: int) -> int:
        return self._read(key, int, default, lambda n: low <= n <= high, f"Use a whole number from {low} to {high}.")

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        return self._read(key, float, default, lambda n: low <= n <= high, f"Use a number from {low} to {high}.")

    def web_address(self, key: str, default: str) -> str:
        hint = "Use an address that starts with http:// or https://."
        return self._read(key, str, default, lambda url: url.startswith(("http://", "https://")), hint)

    def broker_address(self, key: str) -> str:
        hint = "Use redis://host:6379/0, or leave it out to use the database."
        return self._read(key, str, "", lambda url: url.startswith(("redis://", "rediss://")), hint)

    def time_zone(self, key: str, default: str) -> str:
        return self._read(key, str, default, available_timezones().__contains__, "Use a name like Europe/Berlin.")

    def database(self, key: str, default: str) -> dict[str, Any]:
        hint = "Use sqlite:///file.sqlite3 or postgres://user:password@host:5432/name."
        config: Callable[[str], dict[str, Any]] = self.env.db_url_config
        return self._read(key, config, config(default), lambda found: found.get("ENGINE") in ENGINES, hint)

    def email(self, key: str) -> dict[str, Any]:
        """What Django needs to send e-mail, or nothing when the key is unset."""
        hint = "Use smtp+tls://user:password@host:587, or leave it out to send no e-mail."
        config: Callable[[str], dict[str, Any]] = self.env.email_url_config
        return self._read(key, config, {}, lambda found: bool(found.get("EMAIL_HOST")), hint)

    def _read(
        self, key: str, cast: Callable[[str], Value], default: Value, accept: Callable[[Value], bool], hint: str
    ) -> Value:
        """The value of `key`; the default when it is unset, empty or wrong. Wrong values are kept for the check."""
        if not (raw := self.text(key)):
            return default
        try:
            value = cast(raw)
            if accept(value):
                return value
        except (ValueError, KeyError, environ.ImproperlyConfigured):
            pass
        # The value itself is not shown: it may hold a password.
        self.wrong_values.append(WrongValue(key, f"{key} has a value that cannot be used.", f"Set {key}. {hint}"))
        return default


def _anything(value: object) -> bool:
    return True
