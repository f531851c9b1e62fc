"""What the rules of the chosen model leave to choose in the order form, and why not the rest; it draws no widget."""

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from core.catalog import rules
from core.catalog.order_fields import flat
from core.providers.constraints import MEDIA, Value
from core.providers.models import VideoModel
from core.spec import GenerationSpec
from pages.ui.language import translate_message

Option = TypeVar("Option", str, int)


class Offer:
    """All choices around one order; fields are named as in the rules."""

    def __init__(self, model: VideoModel, spec: GenerationSpec) -> None:
        self.model = model
        self._choices, self._values = rules.choices(model, spec), flat(model, spec)
        self._said: set[str] = set()

    def values(self, field: str, chosen: Option) -> Sequence[Option]:
        """What can be chosen, and what is."""
        kind = type(chosen)
        return [
            each.value for each in self._choices[field] if isinstance(each.value, kind) and self._is_open(each, chosen)
        ]

    def can(self, field: str) -> bool:
        """Whether something that is given or not can be given."""
        return any(choice.value == 1 and choice.reason is None for choice in self._choices[field])

    def must(self, field: str) -> bool:
        """Whether it cannot be left out."""
        return not any(choice.value == 0 and choice.reason is None for choice in self._choices[field])

    def most(self, field: str) -> int:
        """How many there can be."""
        return max((int(choice.value) for choice in self._choices[field] if choice.reason is None), default=0)

    def say_why(self, *fields: str) -> None:
        """Show the rules by which values of these fields are not on offer, each once on the page.

        That an image cannot be taken out again is of no interest to who gave it.
        """
        for field in fields:
            given = self._values[field]
            for choice in self._choices[field]:
                is_less = field in MEDIA and int(choice.value) < int(given)
                if choice.reason is not None and not is_less and choice.rule not in self._said:
                    self._said.add(choice.rule)
                    st.caption(f":material/info: {translate_message(choice.reason)}")

    @staticmethod
    def _is_open(choice: rules.Choice, chosen: Value) -> bool:
        return choice.reason is None or choice.value == chosen
