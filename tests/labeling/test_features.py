import numpy as np
import pytest

from labeling import classifiers, features
from labeling.asking import CachedAnswers
from labeling.classifiers import Inputs
from labeling.embeddings import CachedEncoder, TextRow
from labeling.features import StackedEncoder
from labeling.learning.classifier import softmax
from labeling.models import Embedding, Project, Text
from labeling.providers import get_provider
from tests.fakes import DIM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_providers")]


@pytest.fixture
def texts(project: Project, add_texts) -> list[Text]:
    return add_texts(project, "sports news", "business news", "weather")


@pytest.fixture
def inputs(project: Project) -> Inputs:
    return classifiers.inputs(get_provider("scores"), project.active_categories())


@pytest.fixture
def reader(project: Project) -> StackedEncoder:
    asked = CachedAnswers(get_provider("scores"), project.active_categories())
    return StackedEncoder(asked, CachedEncoder(get_provider("keyword"), explained=False))


def rows(texts: list[Text]) -> list[TextRow]:
    return [TextRow(text.pk, text.content, text.content_hash) for text in texts]


def hashes(texts: list[Text]) -> list[str]:
    return [text.content_hash for text in texts]


def test_a_row_is_the_answer_and_the_vector(texts: list[Text], reader: StackedEncoder) -> None:
    found = reader.read(rows(texts)).vectors
    assert found.shape == (3, 3 + DIM)
    np.testing.assert_allclose(softmax(found[:, :3]), softmax(reader.asked.read(rows(texts)).logs), atol=1e-6)
    np.testing.assert_array_equal(found[:, 3:], reader.encoder.read(rows(texts)).vectors)


def test_what_was_read_once_is_loaded_as_it_was(texts: list[Text], reader: StackedEncoder, inputs: Inputs) -> None:
    read = reader.read(rows(texts)).vectors
    found = features.load(hashes(texts), inputs)
    np.testing.assert_array_equal([found[key] for key in hashes(texts)], read)


def test_for_a_provider_that_embeds_the_row_is_the_vector(texts: list[Text]) -> None:
    vectors = CachedEncoder(get_provider("keyword"), explained=False).read(rows(texts)).vectors
    found = features.load(hashes(texts), Inputs("keyword-1"))
    np.testing.assert_array_equal([found[key] for key in hashes(texts)], vectors)


def test_a_text_of_which_a_part_is_missing_is_left_out(
    texts: list[Text], reader: StackedEncoder, inputs: Inputs
) -> None:
    reader.asked.read(rows(texts))
    assert features.load(hashes(texts), inputs) == {}
    reader.encoder.read(rows(texts[:2]))
    assert set(features.load(hashes(texts), inputs)) == set(hashes(texts[:2]))


def test_texts_that_lack_a_part_are_found(texts: list[Text], reader: StackedEncoder) -> None:
    reader.asked.read(rows(texts[:2]))
    reader.encoder.read(rows(texts[1:]))
    assert set(features.lacking(Text.objects.all(), reader.fingerprints)) == {texts[0], texts[2]}


def test_a_vector_is_given_to_what_has_an_answer(
    project: Project, texts: list[Text], reader: StackedEncoder, inputs: Inputs
) -> None:
    reader.asked.read(rows(texts[:2]))
    assert features.embed_answered(project, hashes(texts), inputs) == 2
    assert set(features.load(hashes(texts), inputs)) == set(hashes(texts[:2]))
    assert features.embed_answered(project, hashes(texts), inputs) == 0
    assert Embedding.objects.count() == 4
