"""What is said of a model, in words: life, price, and what a change changes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.catalog.catalogue import Catalogue, Entry
from core.catalog.records import LifeState, Price, PublishedPrice
from core.db.enums import ChangeKind
from core.db.tables import CatalogueChange
from pages.ui import wording
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

STATES = TranslatedLabels(
    {
        LifeState.AVAILABLE: N_("Available"),
        LifeState.WITHDRAWN: N_("Ended"),
        LifeState.HIDDEN: N_("Hidden"),
    }
)
KINDS = TranslatedLabels(
    {
        ChangeKind.LIFE: N_("Life"),
        ChangeKind.PRICE: N_("Price"),
        ChangeKind.COST: N_("Vendor's price"),
        ChangeKind.VENDOR_ID: N_("Vendor's ID"),
        ChangeKind.POSITION: N_("Place in the list"),
        ChangeKind.RECORD: N_("Added or described anew"),
    }
)


def life(known: Catalogue, entry: Entry, at: datetime) -> str:
    """Whether it can be ordered, since when not, and what comes after it."""
    said, state = entry.life(at), entry.state(at)
    parts = [STATES[state]]
    if not entry.prices:
        parts.append(_("no price"))
    if said is not None and state is not LifeState.AVAILABLE:
        if said.since > datetime.min.replace(tzinfo=said.since.tzinfo):
            parts.append(_("since {day}").format(day=wording.day(said.since)))
        if said.successor:
            after = known.find(said.successor)
            parts.append(_("then {model}").format(model=after.model.name if after else said.successor))
        if said.reason:
            parts.append(said.reason)
    return " · ".join(parts)


def price(said: Price | None) -> str:
    """What is asked."""
    if said is None:
        return _("none")
    if isinstance(said, PublishedPrice):
        return base(said.base_credits, said.default_seconds)
    return rates(said.credits_per_second)


def base(base_credits: int, default_seconds: int) -> str:
    """A price of the published shape."""
    return _("{credits} up to {seconds} s").format(credits=wording.priced(base_credits), seconds=default_seconds)


def rates(credits_per_second: Mapping[str, int]) -> str:
    """Credits a second by size."""
    listed = ", ".join(f"{size}: {wording.credits(credits)}" for size, credits in credits_per_second.items())
    return _("credits a second: {rates}").format(rates=listed)


def coming(entry: Entry, at: datetime) -> str:
    """What will change next, and when; empty where nothing will."""
    dated = {
        ChangeKind.LIFE: entry.lives,
        ChangeKind.PRICE: entry.prices,
        ChangeKind.COST: entry.costs,
        ChangeKind.VENDOR_ID: entry.vendor_ids,
    }
    found = [(each.since, kind) for kind, said in dated.items() for each in said if each.since > at]
    if not found:
        return ""
    since, kind = min(found)
    return f"{KINDS[kind]}, {wording.minute(since, UTC)}"


def value(known: Catalogue, row: CatalogueChange) -> str:
    """What a change says."""
    said: Mapping[str, Any] = row.value
    match row.kind:
        case ChangeKind.LIFE:
            parts = [STATES.get(LifeState(said["state"]), said["state"])]
            if said.get("successor"):
                parts.append(_("then {model}").format(model=_name(known, said["successor"])))
            return " · ".join([*parts, said["reason"]] if said.get("reason") else parts)
        case ChangeKind.PRICE if "base_credits" in said:
            return base(said["base_credits"], said["default_seconds"])
        case ChangeKind.PRICE:
            return rates(said["credits_per_second"])
        case ChangeKind.VENDOR_ID:
            return str(said["upstream_id"])
        case ChangeKind.POSITION:
            before = said["before"]
            return _("before {model}").format(model=_name(known, before)) if before else _("at the end")
        case _:
            return ", ".join(f"{name}: {each}" for name, each in said.items())


def _name(known: Catalogue, model_id: str) -> str:
    entry = known.find(model_id)
    return entry.model.name if entry else model_id
