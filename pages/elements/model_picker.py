"""The choice of a model as one element: a chip that says which, and a list with what each costs, takes and delivers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from babel.numbers import format_decimal

from core.billing import pricing
from core.catalog import in_force, offered, rules
from core.catalog.catalogue import Catalogue
from core.clock import utc_now
from core.insights.model_stats import TrackRecord
from core.messages import Message
from core.providers import registry
from core.providers.models import VideoModel, lines_of
from core.spec import GenerationSpec
from pages.ui import language, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _, plural, translate_message

HD_LINES = 1080

RATE_FROM = 20
"""From so many on, a share says more than a count."""

KEPT_FROM = 10
"""Of fewer judged clips a share says nothing, and is not shown."""

_element = custom_element(
    __file__,
    "model_picker",
    html='<div class="picker"></div>',
    triggers=("pick",),
)


def show(
    models: Sequence[VideoModel],
    *,
    ended: Sequence[VideoModel] = (),
    spec: GenerationSpec,
    configured: Collection[str],
    troubles: Mapping[str, Message],
    records: Mapping[str, TrackRecord],
    recent: Sequence[str] = (),
    key: str,
) -> str | None:
    """Draw chip and list, priced for `spec`, its model chosen; the id of the model that was just picked, else None.

    `troubles` are providers in trouble, `records` the models that have a history here, `recent` those that the person
    has ordered last; `ended` can be ordered no more and are shown last, with what takes their place.
    """
    known, now = in_force.current(), utc_now()
    why = {model.id: offered.refusal(known, known.get(model.id), now) for model in ended}
    data = {
        "chosen": spec.model_id,
        "abilities": _abilities(),
        "words": _words(),
        "models": [
            _row(model, spec, configured, troubles, records.get(model.id), recent=recent, ended=why.get(model.id))
            for model in (*models, *ended)
        ],
    }
    picked: str | None = _element(key=key, data=data, width="content").pick
    return picked


def _words() -> dict[str, str]:
    return {
        "model": _("Model"),
        "search": _("Search models"),
        "list": _("Models"),
        "wanted": _("Only models with"),
        "none": _("No model here has all of that."),
        "locked": _("Models that cannot be ordered now"),
        "sort": _("Sort by"),
        "recent": _("Last used"),
        "price": _("Price"),
        "time": _("Time"),
        "success": _("Success"),
        "kept": _("Kept"),
    }


def _row(
    model: VideoModel,
    spec: GenerationSpec,
    configured: Collection[str],
    troubles: Mapping[str, Message],
    record: TrackRecord | None,
    *,
    recent: Sequence[str],
    ended: Message | None,
) -> dict[str, Any]:
    """What the list needs of one model: texts to show, and the figures (None: unknown) by which it is sorted."""
    usable = model.provider in configured and ended is None
    total, price, rate = _price(model, spec)
    state = "" if usable else _("Ended") if ended else _("Needs a key")
    if usable and model.provider in troubles:
        state = _("Trouble at the moment")
    took = record.p50_seconds if record else None
    return {
        "id": model.id,
        "usable": usable,
        "name": model.name,
        "provider": registry.provider_class(model.provider).display_name,
        "state": state,
        "price": price,
        "rate": rate,
        "makes": " · ".join((wording.lengths(model), ", ".join(model.resolutions))),
        "about": translate_message(ended or model.description),
        "time": wording.span(took or model.typical_seconds) if usable else "",
        "success": _success(record) if usable else "",
        "kept": _kept(record) if usable else "",
        "record": _record(model, record) if usable else "",
        "features": list(wording.features(model)),
        "can": [ability for ability, can in _can(model).items() if can],
        "by": {
            "recent": recent.index(model.id) if model.id in recent else None,
            "price": total,
            "time": took or model.typical_seconds,
            "success": record.success_rate if record else None,
            "kept": record.kept_rate if record and record.judged >= KEPT_FROM else None,
        },
    }


def _success(record: TrackRecord | None) -> str:
    """`98%`, of few `3 of 4`; empty without a history."""
    if record is None or record.success_rate is None:
        return ""
    if record.ended < RATE_FROM:
        return _("{completed} of {ended}").format(completed=record.completed, ended=record.ended)
    return wording.share(record.success_rate)


def _kept(record: TrackRecord | None) -> str:
    """`62% of 45`: which share was kept of how many that were judged; empty where those are too few to tell from."""
    if record is None or record.kept_rate is None or record.judged < KEPT_FROM:
        return ""
    return _("{share} of {number}").format(share=wording.share(record.kept_rate), number=wording.credits(record.judged))


def _price(model: VideoModel, spec: GenerationSpec) -> tuple[int, str, str]:
    """(credits, as a text, per second) of this very clip, of the nearest that the model makes where that differs.

    Credits are of the nearest one in both cases, so that a list is sorted by what an order would cost.
    """
    fitted = rules.adapt(spec, model)
    total = pricing.priced(fitted.spec).total_credits
    if not {change.field for change in fitted.changes} & {"resolution", "duration_seconds"}:
        per_second = _("{credits} a second").format(credits=_figure(total / spec.duration_seconds))
        return total, wording.priced(total), per_second
    return total, _("from {credits} credits a second").format(credits=_figure(_cheapest(model))), ""


def _cheapest(model: VideoModel) -> float:
    """Credits a second of the plainest clip, at whatever size and length comes cheapest."""
    known = in_force.current()
    price = known.get(model.id).price(utc_now())
    return _cheapest_by(known, model, price.since if price else None)


@lru_cache(maxsize=512)
def _cheapest_by(_known: Catalogue, model: VideoModel, _since: datetime | None) -> float:
    """The same, computed anew for another catalogue and once another price holds."""
    plain = GenerationSpec(
        model_id=model.id,
        resolution=model.resolutions[0],
        duration_seconds=model.default_seconds,
        aspect_ratio=model.aspect_ratios[0],
    )
    return min(
        pricing.priced(replace(plain, resolution=resolution, duration_seconds=seconds)).total_credits / seconds
        for resolution in model.resolutions
        for seconds in (model.default_seconds, model.max_seconds)
    )


def suggested(
    models: Sequence[VideoModel], configured: Collection[str], troubles: Mapping[str, Message], used: str | None = None
) -> str:
    """The id of the model to begin with: the one `used` last, else the cheapest, that can be used and has no trouble.

    The demo's only where no vendor can be used.
    """
    for model in models:
        if model.id == used and model.provider in configured and model.provider not in troubles:
            return model.id

    def rank(model: VideoModel) -> tuple[bool, bool, bool, float]:
        is_demo = model.provider == "demo"
        return model.provider not in configured, model.provider in troubles, is_demo, _cheapest(model)

    return min(models, key=rank).id


def _figure(credits_per_second: float) -> str:
    return _written(credits_per_second, language.current())


@lru_cache(maxsize=1000)  # the same figures on every run, and Babel reads the format anew each time
def _written(credits_per_second: float, tag: str) -> str:
    return str(format_decimal(credits_per_second, format="#,##0.#", locale=tag))


def _record(model: VideoModel, record: TrackRecord | None) -> str:
    """How often it worked here and how long it took, or what its maker lets expect."""
    if record is None or record.p50_seconds is None or record.p90_seconds is None:
        span = wording.span(model.typical_seconds)
        if record is None:
            return _("No history here yet, about {span}").format(span=span)
        return plural("The last one failed", "All of the last {number} failed", record.ended).format(
            number=record.ended
        )
    return " · ".join(filter(None, (_outcome(record, record.p50_seconds, record.p90_seconds), _findings(record))))


def _findings(record: TrackRecord) -> str:
    """At how many of the clips that were looked over something was noticed."""
    if record.findings_rate is None or record.checked < RATE_FROM:
        return ""
    return _("something noticed at {share}").format(share=wording.share(record.findings_rate))


def _outcome(record: TrackRecord, p50_seconds: float, p90_seconds: float) -> str:
    soon, late = wording.span(p50_seconds), wording.span(p90_seconds)
    span = soon if soon == late else _("{soon} to {late}").format(soon=soon, late=late)
    if record.ended < RATE_FROM:
        return _("{completed} of {ended} succeeded, {span}").format(
            completed=record.completed, ended=record.ended, span=span
        )
    share = wording.share(record.completed / record.ended)
    return _("{share} of the last {ended} succeeded, {span}").format(share=share, ended=record.ended, span=span)


def _abilities() -> dict[str, str]:
    """What can be asked of a model: ability -> its name."""
    return {
        "start": _("Start image"),
        "end": _("End image"),
        "negative": _("Negative prompt"),
        "audio": _("Sound"),
        "references": _("References"),
        "hd": _("1080p or more"),
        "long": _("10 s or more"),
    }


def _can(model: VideoModel) -> dict[str, bool]:
    return {
        "start": model.start_image,
        "end": model.end_image,
        "negative": model.negative_prompt,
        "audio": model.audio or model.always_audio,
        "references": model.reference_images > 0,
        "hd": any(lines_of(resolution) >= HD_LINES for resolution in model.resolutions),
        "long": model.durations[-1] >= 10,
    }
