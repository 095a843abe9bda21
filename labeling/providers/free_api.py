"""The provider for an address of the web: zero-shot classification of Hugging Face, or chat in OpenAI's format."""

from typing import Any
from urllib.parse import urlsplit

from labeling.providers.base import Provider, ProviderError
from labeling.providers.hf_inference import HFInference
from labeling.providers.openai_compatible import OpenAICompatible

WIRES = ("", "openai", "hf_inference")


def open_free_api(url: str, model: str = "", key: str = "", *, wire: str = "", **options: Any) -> Provider:
    """The provider that speaks the language of `url`; `wire` names it where the address misleads.

    Raises a permanent ProviderError for an address, a key, a model or a wire that cannot be used.
    """
    if wire not in WIRES:
        raise ProviderError(f"There is no wire {wire!r}. Use openai or hf_inference, or leave it out.", permanent=True)
    if (wire or _wire_of(url)) == "hf_inference":
        return HFInference(url, model, key, **options)
    return OpenAICompatible(url, model, key, **options)


def _wire_of(url: str) -> str:
    """Hugging Face serves both: single models under /models, chat under /v1."""
    address = urlsplit(url.strip())
    host, path = address.hostname or "", address.path.rstrip("/") + "/"
    is_hugging_face = host == "huggingface.co" or host.endswith(".huggingface.co")
    if (is_hugging_face and "/models/" in path) or "/hf-inference/models/" in path:
        return "hf_inference"
    return "openai"
