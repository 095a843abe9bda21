"""What the tests share: the real MiniLM, small random models of other kinds, and a server without a model."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labeling.providers.encoder import Encoder
from labeling.providers.weights import model_folder
from tests.stand_in_server import StandIn

from . import tiny_models

# The default place of the product: a graph exported once serves every later test run.
GRAPHS = Path(__file__).resolve().parents[3] / ".cache" / "graphs"


@pytest.fixture(scope="session")
def minilm() -> Encoder:
    """all-MiniLM-L6-v2 as the product runs it."""
    return Encoder(cache_folder=GRAPHS)


@pytest.fixture(scope="session")
def minilm_in_torch() -> Encoder:
    """all-MiniLM-L6-v2 in torch: without a cache folder no graph is written."""
    return Encoder()


@pytest.fixture(scope="session")
def nli_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT that says contradiction, neutral or entailment of pairs."""
    labels = dict(enumerate(["contradiction", "neutral", "entailment"]))
    return tiny_models.bert(tmp_path_factory.mktemp("nli"), "ForSequenceClassification", id2label=labels)


@pytest.fixture(scope="session")
def classifier_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT with a label for every category of the contract."""
    labels = dict(enumerate(tiny_models.LABELS))
    return tiny_models.bert(tmp_path_factory.mktemp("classifier"), "ForSequenceClassification", id2label=labels)


@pytest.fixture(scope="session")
def masked_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT that fills gaps."""
    return tiny_models.bert(tmp_path_factory.mktemp("masked"), "ForMaskedLM")


@pytest.fixture(scope="session")
def causal_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama with a chat template."""
    return tiny_models.causal(tmp_path_factory.mktemp("causal"))


@pytest.fixture
def random_model(tmp_path: Path) -> Callable[..., Path]:
    """Saves a tiny random encoder with MiniLM's tokenizer, pooled as asked, and returns its folder."""

    def save(pooling: str | None = None, kind: str = "Bert") -> Path:
        import json
        import shutil

        import transformers

        sizes = {"vocab_size": 30522, "max_position_embeddings": 64}
        if kind == "Bert":
            sizes |= {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
        else:
            sizes |= {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64}
        config = getattr(transformers, f"{kind}Config")(**sizes)
        folder = tmp_path / f"{kind}-{pooling}"
        getattr(transformers, f"{kind}Model")(config).save_pretrained(folder)
        shutil.copy(model_folder("all-MiniLM-L6-v2", local_files_only=True) / "tokenizer.json", folder)
        if pooling:
            (folder / "1_Pooling").mkdir()
            (folder / "1_Pooling/config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}))
            modules = [{"type": "st.Transformer", "path": ""}, {"type": "st.Pooling", "path": "1_Pooling"}]
            (folder / "modules.json").write_text(json.dumps(modules))
        return folder

    return save


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A server without a model, for one test."""
    with StandIn() as server:
        yield server
