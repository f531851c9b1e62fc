"""The catalogue as a value: every model with its prices, costs and life by moment; pure, and it changes nothing."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from core import errors
from core.catalog import record_tables
from core.catalog.records import Cost, Life, LifeState, Price, VendorId
from core.messages import message
from core.providers import registry
from core.providers.model_files import BadRecord
from core.providers.models import VideoModel
from core.providers.registry import Registry

Dated = TypeVar("Dated", Price, Cost, Life, VendorId)


@dataclass(frozen=True, slots=True)
class Entry:
    """One model, and what is said of it from which moment on, oldest first.

    `added`: an administrator has added it, no file has it.
    """

    model: VideoModel
    prices: tuple[Price, ...] = ()
    costs: tuple[Cost, ...] = ()
    lives: tuple[Life, ...] = ()
    vendor_ids: tuple[VendorId, ...] = ()
    added: bool = False

    @classmethod
    def of(cls, model: VideoModel, tables: Mapping[str, Any]) -> "Entry":
        """From the tables of a record; raises BadRecord."""
        return cls(
            model,
            record_tables.prices(tables.get("prices", [])),
            record_tables.costs(tables.get("costs", [])),
            record_tables.lives(tables.get("life", [])),
        )

    def price(self, at: datetime) -> Price | None:
        """What we ask at a moment; before the first price that one counts. None for a model without a price."""
        return _at(self.prices, at) or (self.prices[0] if self.prices else None)

    def cost(self, at: datetime) -> Cost | None:
        """What the vendor takes at a moment; before the first cost that one counts. None where nobody knows."""
        return _at(self.costs, at) or (self.costs[0] if self.costs else None)

    def life(self, at: datetime) -> Life | None:
        """Where its life stands at a moment; None where nothing was said: it is available."""
        return _at(self.lives, at)

    def vendor_id(self, at: datetime) -> str | None:
        """What an administrator has said the vendor calls it at a moment; None where that was left as it is."""
        found = _at(self.vendor_ids, at)
        return found.upstream_id if found else None

    def model_at(self, at: datetime) -> VideoModel:
        """The model with the vendor's id of a moment."""
        named = self.vendor_id(at)
        return replace(self.model, upstream_id=named) if named else self.model

    def state(self, at: datetime) -> LifeState:
        """Whether it can be ordered at a moment."""
        life = self.life(at)
        return LifeState.AVAILABLE if life is None else life.state


@dataclass(frozen=True, eq=False)
class Catalogue:
    """All models by id, in the order they are shown. Another change makes another one."""

    entries: Mapping[str, Entry]

    def models(self) -> tuple[VideoModel, ...]:
        """All models, whatever their life."""
        return tuple(entry.model for entry in self.entries.values())

    def of_provider(self, name: str) -> tuple[VideoModel, ...]:
        """All models of a provider, whatever their life."""
        return tuple(model for model in self.models() if model.provider == name)

    def find(self, model_id: str) -> Entry | None:
        """A model by id; None for one that is not here any more."""
        return self.entries.get(model_id)

    def get(self, model_id: str) -> Entry:
        """A model by id; NotFound names those there are."""
        try:
            return self.entries[model_id]
        except KeyError:
            known = ", ".join(self.entries)
            raise errors.NotFound(message("no_such_model", model_id=model_id, known=known)) from None

    def orderable(self, at: datetime) -> tuple[Entry, ...]:
        """The models that can be ordered at a moment: available, and priced."""
        return tuple(
            entry for entry in self.entries.values() if entry.prices and entry.state(at) is LifeState.AVAILABLE
        )

    def last_begun(self, at: datetime) -> datetime:
        """The newest moment up to this one from which on something of it is different; up to it all stays the same."""
        begun = bisect_right(self._moments, at)
        return self._moments[begun - 1] if begun else _BEFORE_ALL

    @cached_property
    def _moments(self) -> Sequence[datetime]:
        dated = (
            each.since
            for entry in self.entries.values()
            for some in (entry.prices, entry.costs, entry.lives, entry.vendor_ids)
            for each in some
        )
        return sorted(set(dated))

    def unpriced(self) -> tuple[str, ...]:
        """Ids of the models that are not offered, because nobody has said what they cost."""
        return tuple(model_id for model_id, entry in self.entries.items() if not entry.prices)


def of_registry(known: Registry) -> Catalogue:
    """What the files of all registered providers say. Raises BadRecord, whose field begins with the model's id."""
    entries: dict[str, Entry] = {}
    for provider in known.providers():
        for model in provider.models:
            try:
                entry = Entry.of(model, provider.catalogue.get(model.id, {}))
                entries[model.id] = replace(entry, lives=_HIDDEN) if model.id in known.hidden else entry
            except BadRecord as wrong:
                raise BadRecord(wrong.sentence, f"{model.id}.{wrong.field}") from None
    return Catalogue(entries)


_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_HIDDEN = (Life(_BEFORE_ALL, LifeState.HIDDEN),)


def shipped() -> Catalogue:
    """What is said of every model of this process before an administrator has changed anything."""
    known = registry.default()
    return _of(known, len(known.models()), known.hidden)


@lru_cache(maxsize=4)
def _of(known: Registry, _models: int, _hidden: frozenset[str]) -> Catalogue:
    """Made anew when a provider has been registered since."""
    return of_registry(known)


def _at(dated: Sequence[Dated], at: datetime) -> Dated | None:
    """The newest that had begun at a moment."""
    return next((each for each in reversed(dated) if each.since <= at), None)
