import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from labeling_site import secret_key


def test_the_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = secret_key.read_or_create(path)
    assert len(first) >= 50
    assert secret_key.read_or_create(path) == first


def test_only_its_owner_can_read_the_key(tmp_path: Path) -> None:
    secret_key.read_or_create(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(secret_key.read_or_create, [tmp_path / "key"] * 8))
    assert len(keys) == 1


def test_a_folder_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        secret_key.read_or_create(tmp_path / "absent" / "key")
