"""From a model's own configuration to the provider that knows how to ask it."""

from pathlib import Path
from typing import Any, Literal

from labeling.providers import weights
from labeling.providers.base import Provider, ProviderError
from labeling.providers.causal_lm import CausalLM
from labeling.providers.encoder import Encoder
from labeling.providers.masked_lm import MaskedLM
from labeling.providers.nli import Nli, entailment_label
from labeling.providers.pooling import read_json
from labeling.providers.sequence_classifier import SequenceClassifier

KINDS = ("encoder", "nli", "sequence_classifier", "masked_lm", "causal_lm")


def open_model(
    *,
    model: str,
    local_files_only: bool,
    kind: str = "auto",
    use_gpu: bool = False,
    revision: str | None = None,
    cache_folder: Path | str | None = None,
    mode: Literal["exact", "fast"] = "exact",
    encoder: Provider | None = None,
    **options: Any,
) -> Provider:
    """Return the provider for a model: a folder, a .gguf file, or a name on the hub.

    `kind` is one of KINDS, or "auto" to go by the model's configuration. `cache_folder` and `mode` are for encoders;
    `encoder`, by default the bundled one, narrows down the categories of an nli model; `options` are those of the
    kind's class. Raises ProviderError (permanent) when the model is absent, is of no kind known here, or not of the
    given one.
    """
    if kind not in ("auto", *KINDS):
        raise ProviderError(
            f"There is no kind {kind!r} of local model. Choose auto, {', '.join(KINDS)}.", permanent=True
        )
    if kind == "auto":
        file = None if revision else weights.gguf_file(model)
        kind = kind_of(file or weights.model_folder(model, local_files_only=local_files_only, revision=revision))
    shared: dict[str, Any] = {"local_files_only": local_files_only, "use_gpu": use_gpu, "revision": revision, **options}
    if kind == "encoder":
        return Encoder(model, mode=mode, cache_folder=cache_folder, **shared)
    if kind == "nli":
        nearest = encoder or Encoder(weights.BUNDLED_NAMES[0], local_files_only=True, cache_folder=cache_folder)
        return Nli(model, encoder=nearest, **shared)
    if kind == "sequence_classifier":
        return SequenceClassifier(model, **shared)
    return MaskedLM(model, **shared) if kind == "masked_lm" else CausalLM(model, **shared)


def kind_of(folder: Path) -> str:
    """Which of KINDS a model is: from its configuration in this folder, or because it is a GGUF file.

    A model with sentence-transformers' files or without a head is an encoder. Raises ProviderError (permanent) when it
    fits none.
    """
    if weights.gguf_file(str(folder)):
        return "causal_lm"
    config = read_json(folder / "config.json")
    name = next(iter(config.get("architectures") or []), "Model")
    if (folder / "modules.json").exists() or (folder / "1_Pooling").exists():
        return "encoder"
    if name.endswith(SequenceClassifier.architectures):
        return "sequence_classifier" if entailment_label(config) is None else "nli"
    if name.endswith("ForMaskedLM"):
        return "masked_lm"
    if name.endswith(CausalLM.architectures):
        return "causal_lm"
    if name.endswith(("Model", "ForPreTraining")):
        return "encoder"
    raise ProviderError(
        f"The model in {folder.name!r} is a {name}, which is of no kind known here ({', '.join(KINDS)}). Set "
        "LOCAL_MODEL_NAME to another model, or give the kind as which it is to be loaded.",
        permanent=True,
    )
