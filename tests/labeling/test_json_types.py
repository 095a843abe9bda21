"""Values of a body that are not of the documented type, and names that no field has."""

from typing import Any

import pytest
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from labeling.fields import CategoryReference
from labeling.json_types import MOST_MISNAMED
from labeling.requests import checked


class Item(serializers.Serializer):
    word = serializers.CharField()


class Body(serializers.Serializer):
    name = serializers.CharField(required=False, allow_null=True)
    number = serializers.IntegerField(required=False)
    share = serializers.FloatField(required=False)
    flag = serializers.BooleanField(required=False)
    category = CategoryReference(required=False)
    names = serializers.ListField(child=serializers.CharField(), required=False)
    items = Item(many=True, required=False)
    anything = serializers.JSONField(required=False)


@pytest.mark.parametrize(
    "body",
    [
        {"name": None, "number": 5, "share": 1, "flag": True, "category": 3},
        {"number": 5.0, "share": 0.5, "category": "Sports"},
        {"names": ["a"], "items": [{"word": "b"}], "anything": {"x": [1, "2"]}},
    ],
)
def test_what_is_documented_is_taken(body: dict[str, Any]) -> None:
    assert checked(Body, body).keys() == body.keys()


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"name": 5}, {"name": ["Give a string."]}),
        ({"number": "5"}, {"number": ["Give a whole number."]}),
        ({"number": True}, {"number": ["Give a whole number."]}),
        ({"share": "0.5"}, {"share": ["Give a number."]}),
        ({"flag": "true"}, {"flag": ["Give true or false."]}),
        ({"flag": 1}, {"flag": ["Give true or false."]}),
        ({"category": True}, {"category": ["Give a string."]}),
        ({"names": ["a", 5]}, {"names": {"1": ["Give a string."]}}),
        ({"items": [{"word": "b"}, {"word": 5}]}, {"items": {"1": {"word": ["Give a string."]}}}),
        (
            {"items": [{"word": "b", "wrod": "c"}]},
            {"items": {"0": {"wrod": ["There is no such field. Fields: word."]}}},
        ),
    ],
)
def test_what_is_not_is_refused_by_its_place(body: dict[str, Any], errors: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        checked(Body, body)
    assert refused.value.detail == errors


@pytest.mark.parametrize("body", [{"nmae": "x"}, QueryDict("nmae=x")])
def test_a_name_that_no_field_has_is_refused_in_json_and_in_a_form(body: Any) -> None:
    with pytest.raises(ValidationError, match=r"There is no such field\. Fields: name, number, share,") as refused:
        checked(Body, body)
    assert list(refused.value.detail) == ["nmae"]


def test_of_very_many_wrong_names_the_first_are_said() -> None:
    with pytest.raises(ValidationError) as refused:
        checked(Body, {f"unknown {n}": 1 for n in range(100_000)})
    assert list(refused.value.detail) == [f"unknown {n}" for n in range(MOST_MISNAMED)]


@pytest.mark.parametrize("form", ["names[0]=a&names[1]=b", "names=a&names=b", "names=a&names=b&csrfmiddlewaretoken=t"])
def test_a_form_gives_a_list_in_the_ways_that_forms_do(form: str) -> None:
    assert checked(Body, QueryDict(form))["names"] == ["a", "b"]


def test_a_form_gives_objects_too() -> None:
    assert checked(Body, QueryDict("items[0]word=a"))["items"] == [{"word": "a"}]
