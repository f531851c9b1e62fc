"""Which models can be ordered at a moment, and why one cannot; unpriced is an error, never 0."""

from datetime import datetime

from core import errors
from core.catalog import in_force
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.records import LifeState
from core.messages import Message, message
from core.providers import registry
from core.providers.models import VideoModel


def models(at: datetime) -> tuple[VideoModel, ...]:
    """The models to offer, in the order they are shown."""
    return tuple(entry.model for entry in in_force.current().orderable(at))


def withdrawn(at: datetime) -> tuple[VideoModel, ...]:
    """The models that have ended, which are shown with their successor and cannot be ordered."""
    entries = in_force.current().entries.values()
    return tuple(entry.model for entry in entries if entry.prices and entry.state(at) is LifeState.WITHDRAWN)


def check(model_id: str, at: datetime) -> None:
    """Return for a model that can be ordered, and for one that there is not, which others complain of.

    Raises ModelNotOffered, whose sentence names the successor.
    """
    known = in_force.current()
    entry = known.find(model_id)
    if entry is not None and (why := refusal(known, entry, at)) is not None:
        raise errors.ModelNotOffered(fields={"modelId": why})


def refusal(known: Catalogue, entry: Entry, at: datetime) -> Message | None:
    """Why a model cannot be ordered at a moment; None where it can."""
    state, name = entry.state(at), entry.model.name
    if state is LifeState.HIDDEN:
        return message("model_hidden", name=name)
    if state is LifeState.WITHDRAWN:
        after = successor(known, entry, at)
        if after is None:
            return message("model_withdrawn_alone", name=name)
        vendor = registry.provider_class(after.provider).display_name
        its_name = after.name if after.name != name else f"{name} ({vendor})"
        return message("model_withdrawn", name=name, successor=its_name)
    if entry.price(at) is None:
        return message("no_price_of_model", model_id=entry.model.id)
    return None


def successor(known: Catalogue, entry: Entry, at: datetime) -> VideoModel | None:
    """The model that has come in the place of a withdrawn one and can be ordered; None where there is none.

    One that has ended as well leads to its own.
    """
    met = {entry.model.id}
    found: Entry | None = entry
    while found is not None and found.state(at) is not LifeState.AVAILABLE:
        life = found.life(at)
        found = known.find(life.successor) if life and life.successor not in met else None
        if found is not None:
            met.add(found.model.id)
    return found.model if found is not None and found.prices else None
