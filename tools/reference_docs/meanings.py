"""What the words of an enum mean, as the source says below each."""

import ast
import inspect
from collections.abc import Mapping
from enum import StrEnum


def of(words: type[StrEnum]) -> Mapping[str, str]:
    """`word` -> the text below it in the source; ValueError for one that has none."""
    (tree,) = ast.parse(inspect.getsource(words)).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101 -- it is the source of a class
    texts: dict[str, str] = {}
    for node, following in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(following, ast.Expr):
            texts[node.targets[0].id] = ast.literal_eval(following.value)
    if missing := [word.name for word in words if word.name not in texts]:
        raise ValueError(f"{words.__name__} says nothing below {', '.join(missing)}")
    return {f"`{word.value}`": " ".join(texts[word.name].split()) for word in words}
