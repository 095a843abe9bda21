import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.providers.parsing import Parsed, Unusable, group_schema, parse, parse_group, schema
from labeling.providers.prompting import Form

FORM = Form(("Sports", "Space", "Card not working", "It's late"))


def wrong(content: str, form: Form = FORM) -> str:
    with pytest.raises(Unusable) as caught:
        parse(content, form)
    return str(caught.value)


def test_the_schema_allows_the_names_and_nothing_else() -> None:
    assert schema(FORM) == {
        "type": "object",
        "properties": {"category": {"type": "string", "enum": list(FORM.names)}},
        "required": ["category"],
        "additionalProperties": False,
    }


def test_the_schema_has_what_is_wanted_in_the_order_of_writing() -> None:
    form = Form(FORM.names, wants_reason=True, reason_first=True, states_confidence=True)
    assert list(schema(form)["properties"]) == ["reason", "category", "confidence"]
    assert list(schema(Form(FORM.names, wants_reason=True))["properties"]) == ["category", "reason"]


def test_the_schema_of_several_answers_numbers_them() -> None:
    items = group_schema(FORM)["properties"]["answers"]["items"]
    assert list(items["properties"]) == ["number", "category"]


def test_an_answer_is_read() -> None:
    content = '{"category": "Space", "reason": " Rockets. ", "confidence": 0.8}'
    assert parse(content, FORM) == Parsed(1, "Rockets.", 0.8)


@pytest.mark.parametrize(
    "content",
    [
        '```json\n{"category": "Space"}\n```',
        'Sure! Here it is: {"category": "Space"} I hope this helps {:-)',
        '\n {\n"category":\t"Space"\n}',
        '<think>{"category": "Sports"} or {"category": "Space"}?</think>{"category": "Space"}',
        '{"category": "…"} means {"category": "Space"}',
        '{"category": "Space"}\n{"category": "Space"}',
        '{"category": " SPACE. "}',
        '{"category": "\\"Space\\""}',
    ],
)
def test_what_stands_around_the_answer_is_taken_off(content: str) -> None:
    assert parse(content, FORM).category == 1


@pytest.mark.parametrize(
    ("said", "category"), [("card  not\nworking", 2), ("It’s late", None), ("it's late", 3), ("'Sports'", 0)]
)
def test_names_may_differ_by_case_spaces_and_quotes_around(said: str, category: int | None) -> None:
    if category is None:
        wrong(json.dumps({"category": said}))
    else:
        assert parse(json.dumps({"category": said}), FORM).category == category


def test_names_that_differ_by_case_are_told_apart_exactly_or_not_at_all() -> None:
    form = Form(("US", "us"))
    assert parse('{"category": "us"}', form).category == 1
    wrong('{"category": "Us"}', form)


@pytest.mark.parametrize(
    "said", ["Sport", "Spaceship", "", "None", "Sports, Space", None, 1, ["Space"], {"is": "Space"}]
)
def test_a_category_that_does_not_exist_is_said(said: object) -> None:
    assert "There is no category" in wrong(json.dumps({"category": said}))


def test_two_categories_are_none() -> None:
    assert "more than one" in wrong('{"category": "Space"} or {"category": "Sports"}')
    wrong('{"category": "Space", "category": "Sports"}')


@pytest.mark.parametrize("content", ["Space", '{"category": "Spa', '{"answer": {"category": "Space"}}', "[]", "null"])
def test_what_is_no_such_object_is_said(content: str) -> None:
    assert "not a JSON object" in wrong(content)


def test_nothing_is_said_to_be_empty() -> None:
    assert wrong(" \n") == "It is empty."


@pytest.mark.parametrize(
    ("said", "share"), [(0.5, 0.5), (1, 1.0), (85, 0.85), (-1, None), (101, None), ("0.5", None), (True, None)]
)
def test_a_stated_confidence_is_a_share(said: object, share: float | None) -> None:
    assert parse(json.dumps({"category": "Space", "confidence": said}), FORM).confidence == share


def test_a_confidence_that_is_no_number_is_none() -> None:
    assert parse('{"category": "Space", "confidence": NaN}', FORM).confidence is None


def test_several_answers_are_found_by_their_number() -> None:
    answers = [{"number": 3, "category": "Space"}, {"number": 1, "category": "sports"}]
    assert parse_group(json.dumps({"answers": answers}), FORM, 3) == {2: Parsed(1), 0: Parsed(0)}


@pytest.mark.parametrize(
    "answers",
    [
        [{"number": 1, "category": "Cooking"}],
        [{"number": 0, "category": "Space"}, {"number": 3, "category": "Space"}],
        [{"number": 1, "category": "Space"}, {"number": 1, "category": "Sports"}],
        [{"category": "Space"}, "Space", None],
        {"1": "Space"},
        None,
    ],
)
def test_answers_that_are_missing_twice_or_wrong_are_left_out(answers: object) -> None:
    assert parse_group(json.dumps({"answers": answers}), FORM, 2) == {}


@pytest.mark.parametrize("content", ['{"a":' * 100_000, "{" * 100_000, '{"category": ' + "[" * 100_000, "{}" * 50_000])
def test_nonsense_of_any_length_is_read_in_a_moment(content: str) -> None:
    started = time.perf_counter()
    wrong(content)
    assert time.perf_counter() - started < 2


words = st.text(alphabet="Spaceort \"'{}:,[]\\n`category\n", max_size=40) | st.sampled_from(FORM.names)
values = st.recursive(words | st.none() | st.integers() | st.floats(), lambda inner: st.lists(inner, max_size=3))
objects = st.dictionaries(st.sampled_from(["category", "reason", "answers", "x"]), values, max_size=3)


@given(st.lists(objects.map(json.dumps) | words, max_size=4).map(" ".join))
def test_no_answer_ever_gives_an_unknown_category(content: str) -> None:
    try:
        found = parse(content, FORM).category
    except Unusable:
        return
    assert 0 <= found < len(FORM.names)


@given(st.lists(objects.map(json.dumps) | words, max_size=4).map(" ".join), st.integers(1, 4))
def test_no_group_ever_gives_an_unknown_category_or_text(content: str, count: int) -> None:
    for number, parsed in parse_group(content, FORM, count).items():
        assert 0 <= number < count
        assert 0 <= parsed.category < len(FORM.names)
