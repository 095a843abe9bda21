from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest
from django.conf import LazySettings

from labeling import providers
from labeling.providers.base import Provider, ProviderError
from labeling.providers.cpus import available_cpus
from tests.fakes import KeywordEncoder


@pytest.fixture(autouse=True)
def aliases(settings: LazySettings) -> Iterator[None]:
    settings.LABELING_PROVIDERS = {
        "keyword": {"BACKEND": "tests.fakes.KeywordEncoder"},
        "gone": {"BACKEND": "labeling.providers.gone.Gone", "OPTIONS": {}},
        "misspelt": {"BACKEND": "tests.fakes.Broken", "OPTIONS": {"permanentt": True}},
    }
    providers.forget_all()
    yield
    providers.forget_all()


def test_a_provider_is_built_once_even_when_threads_ask_together() -> None:
    found: list[Provider] = []
    barrier = Barrier(8)

    def ask() -> None:
        barrier.wait()
        found.append(providers.get_provider("keyword"))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(provider) for provider in found}) == 1


def test_a_provider_that_takes_long_to_build_keeps_nobody_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    is_begun, may_end = Event(), Event()

    def build(alias: str) -> Provider:
        if alias == "fetched":
            is_begun.set()
            assert may_end.wait(10)
        return KeywordEncoder()

    monkeypatch.setattr(providers, "_build", build)
    with ThreadPoolExecutor() as pool:
        fetched = pool.submit(providers.get_provider, "fetched")
        assert is_begun.wait(10)
        try:
            assert pool.submit(providers.get_provider, "keyword").result(timeout=5)
            assert not fetched.done()
        finally:
            may_end.set()


def test_who_is_in_a_hurry_does_not_wait_for_a_provider_that_takes_long_to_build(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_begun, may_end = Event(), Event()

    def build(alias: str) -> Provider:
        is_begun.set()
        assert may_end.wait(10)
        return KeywordEncoder()

    monkeypatch.setattr(providers, "_build", build)
    with ThreadPoolExecutor() as pool:
        fetched = pool.submit(providers.get_provider, "fetched", patience=0.0)
        assert is_begun.wait(10)
        try:
            with pytest.raises(ProviderError, match="is being loaded") as refusal:
                providers.get_provider("fetched", patience=0.0)
            assert not refusal.value.permanent
        finally:
            may_end.set()
        assert providers.get_provider("fetched", patience=10.0) is fetched.result(timeout=10)


def test_a_forked_child_builds_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = providers.get_provider("keyword")
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert providers.get_provider("keyword") is not parents


@pytest.mark.parametrize("alias", ["unknown", "gone", "misspelt"])
def test_what_cannot_be_built_is_refused_with_the_aliases_there_are(alias: str) -> None:
    with pytest.raises(ProviderError) as refusal:
        providers.get_provider(alias)
    assert refusal.value.permanent
    assert "keyword" in str(refusal.value)
    assert "LABELING_PROVIDERS" in str(refusal.value)


@pytest.mark.parametrize(("written", "cpus"), [("50000 100000", 1), ("max 100000", None), ("nonsense", None)])
def test_a_containers_quota_limits_the_processors(tmp_path: Path, written: str, cpus: int | None) -> None:
    (tmp_path / "cpu.max").write_text(written)
    assert available_cpus(tmp_path) == (cpus or available_cpus(tmp_path / "none"))
