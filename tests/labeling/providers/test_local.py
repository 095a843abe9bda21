import json
from collections.abc import Callable
from pathlib import Path

import pytest

from labeling.providers.base import CategorySpec, Provider, ProviderError
from labeling.providers.causal_lm import CausalLM
from labeling.providers.encoder import Encoder
from labeling.providers.local import kind_of, open_model
from labeling.providers.masked_lm import MaskedLM
from labeling.providers.nli import Nli
from labeling.providers.sequence_classifier import SequenceClassifier
from tests.fakes import KeywordEncoder


def configured(folder: Path, **config: object) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def refusal(model: Path | str, **options: object) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        open_model(model=str(model), local_files_only=True, **options)  # type: ignore[arg-type]
    assert caught.value.permanent
    return caught.value


@pytest.mark.parametrize(
    ("architecture", "labels", "kind"),
    [
        ("BertModel", None, "encoder"),
        ("XLMRobertaModel", None, "encoder"),
        ("BertForPreTraining", None, "encoder"),
        ("BertForMaskedLM", None, "masked_lm"),
        ("DebertaV2ForSequenceClassification", ["entailment", "neutral", "contradiction"], "nli"),
        ("BartForSequenceClassification", ["contradiction", "neutral", "entailment"], "nli"),
        ("BertForSequenceClassification", ["positive", "negative"], "sequence_classifier"),
        ("LlamaForCausalLM", None, "causal_lm"),
        ("GPT2LMHeadModel", None, "causal_lm"),
    ],
)
def test_the_kind_is_read_from_the_architecture(
    architecture: str, labels: list[str] | None, kind: str, tmp_path: Path
) -> None:
    id2label = {str(index): label for index, label in enumerate(labels or [])}
    assert kind_of(configured(tmp_path, architectures=[architecture], id2label=id2label)) == kind


def test_a_model_that_states_no_architecture_is_an_encoder(tmp_path: Path) -> None:
    assert kind_of(configured(tmp_path, model_type="bert")) == "encoder"


def test_a_sentence_encoder_is_one_whatever_its_architecture(tmp_path: Path) -> None:
    configured(tmp_path, architectures=["BertForMaskedLM"])
    (tmp_path / "modules.json").write_text("[]")
    assert kind_of(tmp_path) == "encoder"


def test_a_folder_of_pooling_makes_an_encoder(tmp_path: Path) -> None:
    (configured(tmp_path, architectures=["BertForMaskedLM"]) / "1_Pooling").mkdir()
    assert kind_of(tmp_path) == "encoder"


def test_a_gguf_file_and_a_folder_with_one_are_causal(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    assert kind_of(file) == kind_of(tmp_path) == "causal_lm"


def test_a_model_of_no_known_kind_is_refused_with_the_next_step(tmp_path: Path) -> None:
    folder = configured(tmp_path, architectures=["T5ForConditionalGeneration"])
    (folder / "model.safetensors").write_bytes(b"")
    error = refusal(folder)
    assert "T5ForConditionalGeneration" in str(error)
    assert "LOCAL_MODEL_NAME" in str(error)


def test_an_unknown_kind_is_refused_with_those_there_are(masked_model: Path) -> None:
    assert "auto, encoder, nli, sequence_classifier, masked_lm, causal_lm" in str(refusal(masked_model, kind="magic"))


@pytest.mark.parametrize(
    ("fixture", "kind"),
    [
        ("masked_model", "nli"),
        ("masked_model", "sequence_classifier"),
        ("masked_model", "causal_lm"),
        ("classifier_model", "nli"),
        ("classifier_model", "masked_lm"),
        ("causal_model", "encoder"),
        ("causal_model", "masked_lm"),
    ],
)
def test_a_kind_that_does_not_fit_is_refused(fixture: str, kind: str, request: pytest.FixtureRequest) -> None:
    assert "LOCAL_MODEL_NAME" in str(refusal(request.getfixturevalue(fixture), kind=kind))


@pytest.mark.parametrize(
    ("fixture", "expected"),
    [
        ("nli_model", Nli),
        ("classifier_model", SequenceClassifier),
        ("masked_model", MaskedLM),
        ("causal_model", CausalLM),
    ],
)
def test_a_model_is_opened_by_its_kind(fixture: str, expected: type[Provider], request: pytest.FixtureRequest) -> None:
    opened = open_model(model=str(request.getfixturevalue(fixture)), local_files_only=True)
    assert type(opened) is expected


def test_a_plain_encoder_is_opened_as_before(random_model: Callable[..., Path], tmp_path: Path) -> None:
    folder = str(random_model())
    opened = open_model(model=folder, local_files_only=True, cache_folder=tmp_path / "graphs")
    assert type(opened) is Encoder
    assert opened.fingerprint == Encoder(folder).fingerprint


def test_the_bundled_model_is_an_encoder() -> None:
    assert type(open_model(model="all-MiniLM-L6-v2", local_files_only=True)) is Encoder


def test_a_kind_can_be_chosen(nli_model: Path, masked_model: Path) -> None:
    assert (
        type(open_model(model=str(nli_model), local_files_only=True, kind="sequence_classifier")) is SequenceClassifier
    )
    assert type(open_model(model=str(masked_model), local_files_only=True, kind="encoder")) is Encoder


def test_options_reach_the_class(nli_model: Path, classifier_model: Path) -> None:
    narrowed = open_model(model=str(nli_model), local_files_only=True, encoder=KeywordEncoder())
    assert isinstance(narrowed, Nli)
    assert narrowed.preselects
    mapped = open_model(model=str(classifier_model), local_files_only=True, labels={"red": "Alarm"})
    assert mapped.predict(["fire"], [CategorySpec("Alarm"), CategorySpec("green")]).shape == (1, 2)


def test_an_option_of_another_class_is_refused(masked_model: Path) -> None:
    with pytest.raises(TypeError, match="labels"):
        open_model(model=str(masked_model), local_files_only=True, labels={"red": "Alarm"})
