"""The page of the states: the diagram and tables of every state a generation can be in and every transition."""

import ast
import inspect
from collections.abc import Mapping
from enum import StrEnum

from core.db.enums import Stage, Status
from core.generations.state_machine import TRANSITIONS, State
from tools.reference_docs import markdown


def page() -> str:
    """The page as it must stand in docs/reference."""
    return markdown.page(
        "States of a generation",
        "A generation has a *status*, which people and the API see, and a *stage*, which says where inside the "
        "status it is. These are all the transitions there are. Each is one guarded UPDATE: who loses a race changes "
        "nothing.",
        markdown.code(_diagram(), "mermaid"),
        "## Statuses",
        markdown.table(("status", "meaning"), _meanings(Status).items()),
        "## Stages",
        markdown.table(("stage", "meaning"), _meanings(Stage).items()),
        "## Transitions",
        markdown.table(
            ("from", "to"), [(_words(each), ", ".join(map(_words, _in_order(each)))) for each in TRANSITIONS]
        ),
    )


def _diagram() -> str:
    first = next(iter(TRANSITIONS))
    lines = ["stateDiagram-v2", f"    [*] --> {_node(first)}"]
    for state in TRANSITIONS:
        lines.append(f"    {_node(state)} : {_words(state)}")
        lines += [f"    {_node(state)} --> {_node(target)}" for target in _in_order(state)]
        if not TRANSITIONS[state]:
            lines.append(f"    {_node(state)} --> [*]")
    return "\n".join(lines)


def _in_order(state: State) -> list[State]:
    """Where one can go from here, in the order of the table."""
    return [target for target in TRANSITIONS if target in TRANSITIONS[state]]


def _node(state: State) -> str:
    return "_".join(state)


def _words(state: State) -> str:
    status, stage = state
    return f"{status}/{stage}" if TRANSITIONS[state] else status.value


def _meanings(words: type[StrEnum]) -> Mapping[str, str]:
    """Each word of an enum, and the text below it in the source; ValueError for one that has none."""
    (tree,) = ast.parse(inspect.getsource(words)).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101 -- it is the source of a class
    texts: dict[str, str] = {}
    for node, following in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(following, ast.Expr):
            texts[node.targets[0].id] = ast.literal_eval(following.value)
    if missing := [word.name for word in words if word.name not in texts]:
        raise ValueError(f"{words.__name__} says nothing below {', '.join(missing)}")
    return {f"`{word.value}`": " ".join(texts[word.name].split()) for word in words}
