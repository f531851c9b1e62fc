"""Prompts with variables: what comes of them, and what is refused before anything is made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.generations.sheets import columns, variables
from core.generations.sheets.columns import Column
from core.generations.sheets.variables import Combine

LISTS = {"animal": ["fox", "heron"], "place": ["lake", "wood", "roof"]}


def test_product() -> None:
    """Each value with each, in the order in which they stand; a column a variable."""
    table = variables.expand("A {animal} at the {place}", LISTS, Combine.PRODUCT, max_rows=10)
    assert table.heads == ("Prompt", "animal", "place")
    assert [line.cells for line in table.lines][:4] == [
        ("A fox at the lake", "fox", "lake"),
        ("A fox at the wood", "fox", "wood"),
        ("A fox at the roof", "fox", "roof"),
        ("A heron at the lake", "heron", "lake"),
    ]
    assert len(table.lines) == variables.count(LISTS, Combine.PRODUCT) == 6


def test_zip() -> None:
    """The first with the first, the second with the second; lists of other lengths are refused."""
    lists = {"animal": ["fox", "heron"], "place": ["lake", " ", "wood"]}
    table = variables.expand("{animal}, {place}, {animal}", lists, Combine.ZIP, max_rows=10)
    assert [line.cells[0] for line in table.lines] == ["fox, lake, fox", "heron, wood, heron"]
    assert refusal("{animal} {place}", LISTS, Combine.ZIP) == ("lists", "variable_lists_differ")


def test_braces() -> None:
    """Two braces are one that is meant; values with braces are no variables."""
    table = variables.expand("{{a}} {b} }}", {"b": ["{c}"]}, Combine.PRODUCT, max_rows=10)
    assert table.lines[0].cells == ("{a} {c} }", "{c}")


def test_variable_that_is_called_as_a_column() -> None:
    """A variable named `model` chooses no model."""
    table = variables.expand("A {model} walks", {"model": ["veo3"]}, Combine.PRODUCT, max_rows=10)
    assert columns.places(table.heads) == {Column.PROMPT: 0}


@pytest.mark.parametrize(
    ("prompt", "lists", "field", "code"),
    [
        ("A lake", {}, "prompt", "prompt_without_variables"),
        ("A {lake", {}, "prompt", "variable_unclosed"),
        ("A lake}", {}, "prompt", "variable_unclosed"),
        ("A {} lake", {}, "prompt", "variable_unnamed"),
        ("A {a.b} lake", {}, "prompt", "variable_unnamed"),
        ("A {animal}", {}, "lists.animal", "variable_without_values"),
        ("A {animal}", {"animal": [" "]}, "lists.animal", "variable_without_values"),
        ("A {animal}", {"animal": ["fox"], "place": ["lake"]}, "lists.place", "variable_not_in_prompt"),
        ("A {animal}", {"animal": ["fox"] * 11}, "lists", "too_many_combinations"),
    ],
)
def test_refusals(prompt: str, lists: dict[str, list[str]], field: str, code: str) -> None:
    """Each names its field."""
    assert refusal(prompt, lists, Combine.PRODUCT) == (field, code)


def refusal(prompt: str, lists: dict[str, list[str]], combine: Combine) -> tuple[str, str]:
    """Field and code of what is refused."""
    with pytest.raises(errors.InvalidRequest) as refused:
        variables.expand(prompt, lists, combine, max_rows=10)
    [(field, said)] = refused.value.fields.items()
    return field, said.code


def test_a_huge_product_is_counted_and_not_made() -> None:
    """The bound is looked at before anything is put together."""
    lists = {name: [str(n) for n in range(1000)] for name in "abcdef"}
    with pytest.raises(errors.InvalidRequest) as refused:
        variables.expand("{a}{b}{c}{d}{e}{f}", lists, Combine.PRODUCT, max_rows=2000)
    assert refused.value.fields["lists"].params["count"] == 1000**6


@given(values=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1), min_size=1))
def test_every_value_is_put_in(values: list[str]) -> None:
    """For any values: as many prompts as values, each with its own."""
    wanted = [value.strip() for value in values if value.strip()]
    if wanted:
        table = variables.expand("x {v} y", {"v": values}, Combine.PRODUCT, max_rows=1000)
        assert [line.cells[0] for line in table.lines] == [f"x {value} y" for value in wanted]
