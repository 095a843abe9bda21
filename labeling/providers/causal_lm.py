"""The exact likelihood of each category's name as a language model's answer: nothing is generated, nothing parsed."""

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.providers import weights
from labeling.providers.base import (
    Answers,
    CategorySpec,
    ConfidenceSource,
    Example,
    Prompt,
    ProviderError,
)
from labeling.providers.content_free import CONTENT_FREE, calibrated
from labeling.providers.heads import HeadedModel
from labeling.providers.hypotheses import words_of
from labeling.providers.likelihoods import Reading, exclusive

INSTRUCTIONS = "Decide which of the categories the text belongs to."
CUE = "\n\nCategory:"
# What is the same for all texts comes first: it is read once.
TEMPLATE = (
    "{instructions} Answer with the name of one category and nothing else.\n\n"
    "Categories:\n{categories}\n\n{examples}Text:\n{text}" + CUE
)

MAX_TOKENS = 4096  # of one prompt, where the model could read more: memory and time grow with it
LEAST_ROOM = 32  # tokens of a text below which nothing could be said about it
EXAMPLE_TOKENS = 256
REASON_TOKENS = 40
REASON_CUE = "\nReason:"

# Stand-ins while a prompt is put together; Unicode gives them no meaning.
_EXAMPLES, _TEXT, _NAME = "\ue000", "\ue001", "\ue002"


@dataclass(frozen=True, eq=False)
class Question:
    """One prompt for one set of categories: its parts as tokens, and what the model made of the first part.

    The prompt is head, examples, lead, the text and tail. After it comes one of `names`.
    """

    head: Reading
    lead: list[int]
    tail: list[int]
    names: list[list[int]]
    room: int  # tokens for the examples and the text


@dataclass(frozen=True, eq=False)
class Context:
    """A question with its examples, and what the model answers to texts that say nothing, (n_inputs, n_categories)."""

    question: Question
    examples: tuple[Example, ...]
    reading: Reading
    room: int  # tokens for the text
    prior: NDArray[np.float64]


class CausalLM(HeadedModel):
    """Scores log P(name | prompt with the text) for each category, calibrated by content-free texts [ZHA21].

    The prompt goes through the model's chat template, if it has one. A project's template uses {text}, and where wanted
    {instructions}, {categories} and {examples}. What stands before the examples is read once for each set of categories
    and prompt, a text once for all categories. Texts are cut so that the prompt stays. `model` may also be a .gguf file
    or a folder with one. A reason is generated only where the prompt wants one, after the label is chosen.
    """

    can_be_told = True
    confidence_source = ConfidenceSource.LIKELIHOOD
    loader = "AutoModelForCausalLM"
    architectures = ("ForCausalLM", "LMHeadModel")
    half_on_cpu = True  # the models are large, and are trained and published in it

    def __init__(self, model: str, **options: Any) -> None:
        super().__init__(model, **options)
        self._last_question: tuple[object, Question] | None = None
        self._last_context: Context | None = None

    def _find(self, model: str, local_files_only: bool, revision: str | None) -> Path:
        file = None if revision else weights.gguf_file(model)
        if file is None:
            return super()._find(model, local_files_only, revision)
        absent = [name for name in ("gguf", "accelerate") if importlib.util.find_spec(name) is None]
        if absent:
            raise ProviderError(
                f"Reading {file.name} needs the package {' and '.join(absent)}. Run: pip install -r requirements.txt",
                permanent=True,
            )
        return file

    def _options(self) -> tuple[object, ...]:
        return (INSTRUCTIONS, TEMPLATE, CONTENT_FREE, MAX_TOKENS, EXAMPLE_TOKENS)

    def _answer(
        self,
        texts: Sequence[str],
        categories: Sequence[CategorySpec],
        prompt: Prompt,
        examples: Sequence[Sequence[Example]],
    ) -> Answers:
        answers = Answers.of_scores(np.zeros((len(texts), len(categories)), np.float32), self.confidence_source)
        if not texts:
            return answers
        question = self._question(tuple(categories), prompt)
        for row, text in enumerate(texts):
            context = self._context(question, tuple(examples[row]) if examples else ())
            reading = context.reading.read(self._around(question, self._head.plain(text, context.room)))
            logs = exclusive(question.names, reading.log_likelihoods(question.names))
            answers.scores[row] = calibrated(logs[None], context.prior)[0]
            if prompt.wants_reason:
                answers.reasons[row] = self._reason(reading, question.names[int(answers.scores[row].argmax())])
        return answers

    def _question(self, categories: tuple[CategorySpec, ...], prompt: Prompt) -> Question:
        """The tokens of this prompt for these categories, remembered for the last ones."""
        key = (categories, prompt.instructions, prompt.template)
        if self._last_question is None or self._last_question[0] != key:
            self._last_question = self._last_context = None  # frees the memory of its reading first
            self._last_question = key, self._ask(categories, prompt)
        return self._last_question[1]

    def _ask(self, categories: tuple[CategorySpec, ...], prompt: Prompt) -> Question:
        rendered, joint = self._rendered(_content(categories, prompt))
        before, _, tail = rendered.partition(_TEXT)
        head, _, lead = before.partition(_EXAMPLES) if _EXAMPLES in before else (before, "", "")
        start = [] if self._head.tokenizer.chat_template else self._head.surroundings[0]
        tokens = [*start, *self._head.marked_up(head)] or self._head.marked_up("\n")
        lead_tokens = self._head.marked_up(lead)
        names = [words_of(category.name) for category in categories]
        tail_tokens, name_tokens = self._split(tail, [f"{tail}{joint}{name}" for name in names])
        room = min(self._head.max_length, MAX_TOKENS) - len(tokens) - len(lead_tokens) - len(tail_tokens)
        room -= max(map(len, name_tokens)) + REASON_TOKENS + len(self._head.marked_up(REASON_CUE))
        if room < LEAST_ROOM:
            raise ProviderError(
                f"The prompt with all categories takes {len(tokens)} tokens, which leaves no room for a text. Shorten "
                "the instructions or the categories' descriptions, or choose a model that reads more.",
                permanent=True,
            )
        return Question(Reading(self._head.module, tokens), lead_tokens, tail_tokens, name_tokens, room)

    def _rendered(self, content: str) -> tuple[str, str]:
        """The prompt as the model reads it, and what stands between it and an answer."""
        tokenizer = self._head.tokenizer
        if not tokenizer.chat_template:
            content += CUE if content.endswith(_TEXT) else ""
            return content, "" if content[-1].isspace() else " "
        asked = {"role": "user", "content": content}
        # Models that think aloud are told not to: their answer is to come at once. Other templates ignore it.
        options = {"tokenize": False, "enable_thinking": False}
        prompt = tokenizer.apply_chat_template([asked], add_generation_prompt=True, **options)
        answered = tokenizer.apply_chat_template([asked, {"role": "assistant", "content": _NAME}], **options)
        before = answered.partition(_NAME)[0]
        return prompt, before.removeprefix(prompt) if before.startswith(prompt) else ""

    def _split(self, tail: str, answered: Sequence[str]) -> tuple[list[int], list[list[int]]]:
        """The tokens that the tail has in common with all answered ones, and the rest of each; it is never empty.

        Tokens are those of the whole string: where the last ones of the tail would melt into a name, they count as the
        name's.
        """
        alone, whole = self._head.marked_up(tail), [self._head.marked_up(text) for text in answered]
        most = min(len(alone), min(map(len, whole)) - 1)
        shared = next((place for place in range(most) if any(one[place] != alone[place] for one in whole)), most)
        return alone[:shared], [one[shared:] for one in whole]

    def _context(self, question: Question, examples: tuple[Example, ...]) -> Context:
        """The question after these examples, remembered for the last ones."""
        last = self._last_context
        if last is None or last.question is not question or last.examples != examples:
            tokens = self._example_tokens(examples, question.room // 2)
            reading = question.head.read(tokens) if tokens else question.head
            inputs = [self._around(question, self._head.plain(text)) for text in CONTENT_FREE]
            logs = [reading.read(one).log_likelihoods(question.names) for one in inputs]
            prior = np.array([exclusive(question.names, of_input) for of_input in logs])
            last = self._last_context = Context(question, examples, reading, question.room - len(tokens), prior)
        return last

    def _example_tokens(self, examples: Sequence[Example], room: int) -> list[int]:
        """The examples that fit, each with its answer."""
        found: list[int] = []
        for example in examples:
            text = self._head.plain(example.text, EXAMPLE_TOKENS)
            answer = self._head.marked_up(f"{CUE} {words_of(example.category)}\n\n")
            shown = [*self._head.marked_up("Text:\n"), *text, *answer]
            if len(found) + len(shown) <= room:
                found += shown
        return found

    @staticmethod
    def _around(question: Question, text: Sequence[int]) -> list[int]:
        return [*question.lead, *text, *question.tail]

    def _reason(self, reading: Reading, name: Sequence[int]) -> str:
        """One line in the model's own words, after it gave this name as its answer."""
        tokenizer = self._head.tokenizer
        stop = {tokenizer.eos_token_id, *self._head.marked_up("\n")[-1:]}
        after = reading.read([*name, *self._head.marked_up(REASON_CUE)])
        words = tokenizer.decode(after.greedy(REASON_TOKENS, stop=frozenset(stop)), skip_special_tokens=True)
        return str(words).strip().partition("\n")[0]


def _content(categories: Sequence[CategorySpec], prompt: Prompt) -> str:
    """The prompt with its words in place, and stand-ins for examples and text."""
    template = prompt.template if prompt.template and "{mask}" not in prompt.template else TEMPLATE
    if template.count("{text}") != 1:
        raise ProviderError("The template must hold {text} once. Correct it, or leave it empty.", permanent=True)
    listed = [f"- {words_of(one.name)}" + (f": {one.description}" if one.description else "") for one in categories]
    values = {
        "instructions": prompt.instructions or INSTRUCTIONS,
        "categories": "\n".join(listed),
        "examples": _EXAMPLES,
        "text": _TEXT,
    }
    return re.sub(r"\{(instructions|categories|examples|text)\}", lambda slot: values[slot[1]], template)
