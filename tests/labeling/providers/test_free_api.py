import pytest

from labeling.providers.base import ProviderError
from labeling.providers.free_api import open_free_api
from labeling.providers.hf_inference import HFInference
from labeling.providers.openai_compatible import OpenAICompatible
from labeling.providers.remote import RemoteProvider


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://api-inference.huggingface.co/models", HFInference),
        ("https://api-inference.huggingface.co/models/", HFInference),
        ("https://huggingface.co/models/team/model", HFInference),
        ("https://router.huggingface.co/hf-inference/models/team/model", HFInference),
        ("https://proxy.example.com/hf-inference/models/team/model", HFInference),
        ("https://router.huggingface.co/v1", OpenAICompatible),
        ("https://huggingface.co.example.com/models", OpenAICompatible),
        ("https://nothuggingface.co/models", OpenAICompatible),
        ("https://openrouter.ai/api/v1", OpenAICompatible),
        ("http://localhost:8080", OpenAICompatible),
    ],
)
def test_the_address_tells_the_wire_format(url: str, kind: type[RemoteProvider]) -> None:
    assert isinstance(open_free_api(url, "team/model", "key"), kind)


def test_the_wire_format_can_be_named() -> None:
    assert isinstance(open_free_api("http://localhost/models", "m", wire="hf_inference"), HFInference)
    assert isinstance(open_free_api("https://huggingface.co/models", "m", wire="openai"), OpenAICompatible)


def test_options_go_to_the_provider() -> None:
    provider = open_free_api("http://localhost", "m", samples=3)
    assert isinstance(provider, OpenAICompatible)
    assert provider.options.samples == 3


def test_an_unknown_wire_format_is_refused() -> None:
    with pytest.raises(ProviderError, match="hf_inference") as refusal:
        open_free_api("http://localhost", "m", wire="grpc")
    assert refusal.value.permanent


def test_a_missing_address_is_refused_with_the_setting() -> None:
    with pytest.raises(ProviderError, match="FREE_API_URL"):
        open_free_api("", "m")
