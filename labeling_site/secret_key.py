"""The signing key of an installation that was not given one."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key


def read_or_create(path: Path) -> str:
    """The key kept in `path`; on first start a random one is written there, readable by its owner only.

    Safe when several processes start at once: the file appears whole, and the first one wins.
    """
    try:
        return path.read_text().strip() or _create(path)
    except FileNotFoundError:
        return _create(path)
    except OSError as error:
        raise ImproperlyConfigured(f"Cannot read {path} ({error.strerror}). Set SECRET_KEY instead.") from error


def _create(path: Path) -> str:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(get_random_secret_key())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # Another process was first; its key is the one in force.
        finally:
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"Cannot write {path} ({error.strerror}). Set SECRET_KEY instead.") from error
