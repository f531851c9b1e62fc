"""Replaces a person's addresses and name in values; pure."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from core.messages import Message


@dataclass(frozen=True, slots=True)
class Names:
    """By what a person is told of: each address wherever it stands in a text, the name where it is all of one."""

    addresses: Collection[str]
    name: str
    instead: str

    @property
    def needles(self) -> frozenset[str]:
        """Texts of which one stands in whatever has to be changed, in small letters, also as JSON writes them."""
        found = {address.lower() for address in self.addresses} | ({self.name.lower()} if self.name else set())
        return frozenset(found | {json.dumps(each)[1:-1].lower() for each in found})

    def replaced(self, value: Any) -> Any:
        """A value without them; the very same where there are none in it."""
        match value:
            case str():
                return self._text(value)
            case Message():
                kept = self.replaced(value.to_json())
                return value if kept == value.to_json() else Message.from_json(kept) or value
            case Mapping():
                return {key: self.replaced(each) for key, each in value.items()}
            case list() | tuple():
                return [self.replaced(each) for each in value]
        return value

    def _text(self, value: str) -> str:
        if self.name and value.strip().lower() == self.name.lower():
            return self.instead
        for address in sorted(self.addresses, key=len, reverse=True):
            if address.lower() in value.lower():
                value = re.sub(re.escape(address), self.instead, value, flags=re.IGNORECASE)
        return value
