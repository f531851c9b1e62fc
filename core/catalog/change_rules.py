"""Whether what an administrator wants to say of a model can be said; pure.

Whoever adds or changes a model learns the field that is wrong. What is let through here can be laid over the catalogue.
"""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from core import errors, validation
from core.catalog import overlay
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.price_list import RESOLUTION_PERCENT
from core.catalog.records import Life, PerSecondPrice, Price
from core.db.enums import ChangeKind
from core.messages import Message, message, plain
from core.providers import registry
from core.providers.model_files import BadRecord
from core.providers.models import VideoModel
from core.providers.registry import Registry

LONGEST_ID = 80
LONGEST_REASON = 300
LONGEST_TEXT = 2000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]*")

AT_ONCE = frozenset({ChangeKind.POSITION, ChangeKind.RECORD})
"""What holds as soon as it is said."""


def check(catalogue: Catalogue, model_id: str, kind: ChangeKind, value: Mapping[str, Any], since: datetime) -> None:
    """Return for what can be said of a model there is. InvalidRequest names the field of `value`; NotFound no model."""
    entry = catalogue.get(model_id)
    with _fields_of("value"):
        _check_texts(value)
        if kind is ChangeKind.POSITION:
            _check_position(catalogue, model_id, value)
            return
        said = overlay.read(kind, value, since)
        if isinstance(said, Price):
            check_price(said, entry.model, may_have_more=entry.added)  # it is priced before it is said to make more
        if isinstance(said, Life):
            _check_life(catalogue, model_id, said)


def check_record(catalogue: Catalogue, record: Mapping[str, Any], known: Registry, at: datetime) -> Entry:
    """The model that a record describes, new or in place of what was said of an added one until this moment.

    An added one stays with its provider and keeps its prices, which must have a rate for all that it makes from now on.
    InvalidRequest names the field of the record that is wrong; Conflict when a file has a model with this id.
    """
    with _fields_of("record"):
        _check_texts(record)
        provider = record.get("provider")
        if not isinstance(provider, str) or not known.is_registered(provider):
            names = ", ".join(each.name for each in known.providers())
            raise _Wrong("provider", message("no_such_provider", provider=str(provider or ""), known=names))
        model_id = record.get("id")
        if not isinstance(model_id, str) or not 1 <= len(model_id) <= LONGEST_ID or not _ID.fullmatch(model_id):
            raise _Wrong("id", message("model_id_unusable", limit=LONGEST_ID))
        if (there := catalogue.find(model_id)) is not None and not there.added:
            raise errors.Conflict(message("model_exists", model_id=model_id))
        entry = overlay.entry_of(record)
        try:
            registry.check_model(entry.model, provider=provider)
        except ValueError as wrong:
            raise _Wrong("", plain(str(wrong))) from None
        if (bad := known.provider_class(provider).model_error(entry.model)) is not None:
            raise BadRecord(bad.sentence, bad.field)
        if there is None:
            if not entry.prices:
                raise BadRecord("It needs a price: nobody can order it without one.", "prices")
            for price in entry.prices:
                check_price(price, entry.model)
        else:
            if there.model.provider != provider:
                raise _Wrong("provider", plain(f"The model stays with {there.model.provider}, which has orders of it."))
            _check_kept_prices(there, entry.model, at)
        for life in entry.lives:
            _check_life(catalogue, model_id, life)
    return entry


def check_price(price: Price, model: VideoModel, *, may_have_more: bool = False) -> None:
    """Return when every size that the model makes has a price; BadRecord names what has none, and what none makes.

    `may_have_more`: rates of sizes that it does not make are no mistake.
    """
    if not isinstance(price, PerSecondPrice):
        if unpriced := [each for each in model.resolutions if each not in RESOLUTION_PERCENT]:
            raise BadRecord(f"A base price has no share for {', '.join(unpriced)}.", "base_credits")
        return
    field, sizes = "credits_per_second", {name.removesuffix(" sound") for name in price.credits_per_second}
    if unpriced := [each for each in model.resolutions if each not in sizes and "any" not in sizes]:
        raise BadRecord(f"There is no price for {', '.join(unpriced)}.", field)
    if (unmade := sorted(sizes - {*model.resolutions, "any"})) and not may_have_more:
        raise BadRecord(f"The model does not make {', '.join(unmade)}.", field)


def _check_kept_prices(there: Entry, model: VideoModel, at: datetime) -> None:
    """The price of this moment and those to come stay, so each must have a rate for all that the model shall make."""
    now = there.price(at)
    for price in (*([now] if now else []), *(each for each in there.prices if each.since > at)):
        try:
            check_price(price, model, may_have_more=True)
        except BadRecord as wrong:
            raise BadRecord(f"{wrong.sentence} Say its price first.", "resolutions") from None


class _Wrong(Exception):
    """What is wrong with a field."""

    def __init__(self, field: str, said: Message) -> None:
        super().__init__(field)
        self.field, self.said = field, said


@contextmanager
def _fields_of(part: str) -> Iterator[None]:
    """Tell what is wrong with a record as a request is told, its fields named as those of a part of the request."""
    try:
        yield
    except BadRecord as wrong:
        field, said = wrong.field, plain(wrong.sentence)
    except _Wrong as wrong:
        field, said = wrong.field, wrong.said
    else:
        return
    raise errors.InvalidRequest(fields={f"{part}.{field}".rstrip("."): said})


def _check_texts(value: Any, field: str = "") -> None:
    """Return when every text in it can be kept and shown, and every figure be kept."""
    if isinstance(value, str) and (wrong := validation.text_error(value, limit_chars=LONGEST_TEXT)):
        raise _Wrong(field, wrong)
    if isinstance(value, float) and not math.isfinite(value):  # TOML has such, JSON and PostgreSQL do not
        raise _Wrong(field, plain("It must be a number."))
    if isinstance(value, Mapping):
        for name, each in value.items():
            place = f"{field}.{name}".lstrip(".")
            _check_texts(name, place)
            _check_texts(each, place)
    elif isinstance(value, list | tuple):
        for nth, each in enumerate(value):
            _check_texts(each, f"{field}[{nth}]")


def _check_life(catalogue: Catalogue, model_id: str, life: Life) -> None:
    if life.successor == model_id:
        raise _Wrong("successor", message("successor_is_itself"))
    if life.successor and catalogue.find(life.successor) is None:
        known = ", ".join(catalogue.entries)
        raise _Wrong("successor", message("no_such_model", model_id=life.successor, known=known))
    if len(life.reason) > LONGEST_REASON:
        raise _Wrong("reason", message("text_too_long", limit=LONGEST_REASON, length=len(life.reason)))


def _check_position(catalogue: Catalogue, model_id: str, value: Mapping[str, Any]) -> None:
    before = value.get("before")
    if set(value) != {"before"} or not (before is None or isinstance(before, str)):
        raise _Wrong("before", plain("It is the id of another model, or null for the end of the list."))
    if before is not None and (before == model_id or catalogue.find(before) is None):
        raise _Wrong("before", message("no_such_model", model_id=before, known=", ".join(catalogue.entries)))
