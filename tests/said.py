"""What a message says, by its codes."""

from core.messages import Message


def codes(said: Message | None) -> set[str]:
    """The code of a message and of those that stand in it."""
    if said is None:
        return set()
    within = (each for value in said.params.values() for each in (value if isinstance(value, tuple) else (value,)))
    return {said.code}.union(*(codes(each) for each in within if isinstance(each, Message)))
