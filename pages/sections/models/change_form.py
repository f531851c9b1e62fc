"""The forms by which an administrator says something else of a model, or adds one; nothing is changed without them."""

import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import streamlit as st

from core import errors
from core.catalog import overlay
from core.catalog.catalogue import Catalogue, Entry
from core.catalog.records import LifeState, PublishedPrice
from core.catalog_changes import changes
from core.db import WriteSession
from core.db.enums import ChangeKind
from core.messages import plain
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.models import words
from pages.ui import components, current_member
from pages.ui.language import _, translate_message

OFFERED = (ChangeKind.LIFE, ChangeKind.PRICE, ChangeKind.VENDOR_ID, ChangeKind.POSITION)
LONGEST_RECORD = 10_000
TEMPLATE = """id = "{provider}-new-model"
name = "New Model"
description = "What it is good for."
upstream_id = "the-vendors/id"
default_seconds = 5
durations = [5, 10]
resolutions = ["720p", "1080p"]
aspect_ratios = ["16:9", "9:16"]
start_image = true
prices = [{{ since = {today}, credits_per_second = {{ "720p" = 77, "1080p" = 154 }} }}]
"""


def change(known: Catalogue, now: datetime) -> None:
    """Say something else of a model there is, from now or from a day on."""
    with components.field_grid(2):
        model_id = st.selectbox(
            _("Model"),
            list(known.entries),
            format_func=lambda wanted: f"{known.get(wanted).model.name} ({wanted})",
            key="models_model",
        )
        kind = st.selectbox(_("What to change"), OFFERED, format_func=lambda each: words.KINDS[each], key="models_kind")
    if model_id is None or kind is None:
        return
    entry = known.get(model_id)
    with st.form(f"models_change_{model_id}_{kind}", border=True):
        value = _FIELDS[kind](known, entry, now)
        day = None
        if kind is not ChangeKind.POSITION:
            day = st.date_input(
                _("From (UTC)"),
                value=None,
                min_value=now.date(),
                format="YYYY-MM-DD",
                key=f"models_since_{model_id}_{kind}",
                help=_("Empty: from now on. What is ordered before keeps its price."),
            )
        if st.form_submit_button(_("Change"), type="primary"):
            _save(
                lambda session: changes.change(
                    session, _administrator(), model_id, kind, value, since=_beginning(day, now)
                ),
                done=_("{model} was changed.").format(model=entry.model.name),
            )


def add(providers: Mapping[str, str], now: datetime) -> None:
    """Add a model of a known provider, by its record as in the files of models."""
    provider = st.selectbox(
        _("Provider"), list(providers), format_func=lambda name: providers[name], key="models_provider", width=320
    )
    with st.form("models_add", border=True):
        text = st.text_area(
            _("Record of the model"),
            value=TEMPLATE.format(provider=provider, today=now.date().isoformat()),
            max_chars=LONGEST_RECORD,
            height=280,
            key=f"models_record_{provider}",
            help=_("As in the files of models (TOML). The ID of an added model again says anew what it makes."),
        )
        if st.form_submit_button(_("Add the model"), type="primary"):
            _save(
                lambda session: changes.describe(session, _administrator(), _record(text or "", provider)),
                done=_("The model was added."),
            )


def take_back(change_id: int) -> None:
    """Let a change that has not begun never begin."""
    _save(
        lambda session: changes.take_back(session, _administrator(), change_id),
        done=_("The change was taken back."),
    )


def _life(known: Catalogue, entry: Entry, now: datetime) -> dict[str, Any]:
    of, said = entry.model.id, entry.life(now)
    states = list(LifeState)
    state = st.radio(
        _("Life"),
        states,
        index=states.index(entry.state(now)),
        format_func=lambda each: words.STATES[each],
        horizontal=True,
        key=f"models_state_{of}",
        help=_("An ended model is shown with its successor; a hidden one only where there are clips of it."),
    )
    others = [each for each in known.entries if each != of]
    before = said.successor if said and said.successor in others else None
    successor = st.selectbox(
        _("Successor"),
        others,
        index=others.index(before) if before else None,
        format_func=lambda each: f"{known.get(each).model.name} ({each})",
        placeholder=_("None"),
        key=f"models_successor_{of}",
    )
    reason = st.text_input(_("Reason"), value=said.reason if said else "", key=f"models_reason_{of}", max_chars=300)
    value: dict[str, Any] = {"state": str(state or entry.state(now))}
    if state is not LifeState.AVAILABLE and successor:
        value["successor"] = successor
    return value | ({"reason": reason.strip()} if reason and reason.strip() else {})


def _price(_known: Catalogue, entry: Entry, now: datetime) -> dict[str, Any]:
    """In the shape that the model's price has; a model without one gets a price by the second."""
    of, price = entry.model.id, entry.price(now)
    if isinstance(price, PublishedPrice):
        with components.field_grid(2):
            return {
                "base_credits": _number(_("Base price, credits"), price.base_credits, f"models_base_{of}", least=1),
                "default_seconds": _number(
                    _("For so many seconds"), price.default_seconds, f"models_for_{of}", least=1
                ),
            }
    rates = price.credits_per_second if price else dict.fromkeys(entry.model.resolutions, 0)
    value = overlay.table_of(price) if price else {}
    value.pop("since", None)
    with components.field_grid(3):
        asked = {size: _number(size, credits, f"models_rate_{of}_{size}") for size, credits in rates.items()}
    st.caption(_("Credits a second, by size."))
    return {**value, "credits_per_second": asked}


def _vendor_id(_known: Catalogue, entry: Entry, now: datetime) -> dict[str, Any]:
    named = st.text_input(
        _("Vendor's ID"),
        value=entry.model_at(now).upstream_id,
        key=f"models_vendor_id_{entry.model.id}",
        max_chars=300,
        autocomplete="off",
        help=_("What the vendor calls this model. Orders of before are still asked for by the one of their moment."),
    )
    return {"upstream_id": (named or "").strip()}


def _position(known: Catalogue, entry: Entry, _now: datetime) -> dict[str, Any]:
    before = st.selectbox(
        _("Stands before"),
        [each for each in known.entries if each != entry.model.id],
        index=None,
        format_func=lambda each: known.get(each).model.name,
        placeholder=_("At the end"),
        key=f"models_before_{entry.model.id}",
    )
    return {"before": before}


_FIELDS: Mapping[ChangeKind, Callable[[Catalogue, Entry, datetime], dict[str, Any]]] = {
    ChangeKind.LIFE: _life,
    ChangeKind.PRICE: _price,
    ChangeKind.VENDOR_ID: _vendor_id,
    ChangeKind.POSITION: _position,
}


def _number(label: str, value: int, key: str, *, least: int = 0) -> int:
    return int(st.number_input(label, min_value=least, max_value=10**9, value=value, key=key) or 0)


def _beginning(day: date | None, now: datetime) -> datetime | None:
    """The beginning of a day; from now on where that has passed already."""
    begins = datetime.combine(day, time(), UTC) if day else None
    return None if begins is None or begins <= now else begins


def _record(text: str, provider: str | None) -> dict[str, Any]:
    """A record, or the one table [[model]] of a file; of the chosen provider where it names none."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise errors.InvalidRequest(fields={"TOML": plain(str(wrong))}) from None
    match said:
        case {"model": [dict(table)], **others} if not others:
            said = table
    return {"provider": provider} | said


def _administrator() -> Member:
    return current_member.require(Action.MANAGE_CATALOGUE)


def _save(action: Callable[[WriteSession], object], *, done: str) -> None:
    """Do it in one transaction and draw the page again; a refusal names the fields that are wrong."""

    def named(session: WriteSession) -> None:
        try:
            action(session)
        except errors.InvalidRequest as wrong:
            fields = {
                field: plain(f"{field.partition('.')[2] or field}: {translate_message(said)}")
                for field, said in wrong.fields.items()
            }
            raise errors.InvalidRequest(fields=fields) from wrong

    components.save_and_rerun(named, done=done)
