"""The page of the states: the diagram and tables of every state a generation can be in and every transition."""

from core.db.enums import Stage, Status
from core.generations.state_machine import TRANSITIONS, State
from tools.reference_docs import markdown, meanings


def page() -> str:
    """The page as it must stand in docs/reference."""
    return markdown.page(
        "States of a generation",
        "A generation has a *status*, which people and the API see, and a *stage*, which says where inside the "
        "status it is. These are all the transitions there are. Each is one guarded UPDATE: who loses a race changes "
        "nothing.",
        markdown.code(_diagram(), "mermaid"),
        "## Statuses",
        markdown.table(("status", "meaning"), meanings.of(Status).items()),
        "## Stages",
        markdown.table(("stage", "meaning"), meanings.of(Stage).items()),
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
