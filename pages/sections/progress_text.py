"""How a generation that is under way is told of, in words; the same when a page is drawn and when it moves by itself.

Imports no element: the route that answers watching pages uses it outside of any page.
"""

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from core import db, installation
from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.tables import Generation
from core.generations import progress
from core.generations.presses import Take
from core.generations.progress import InFlightItem
from core.generations.queries import ListRow
from core.insights.model_stats import TimeRange
from core.providers import registry
from pages.ui import wording
from pages.ui.language import _, translate_message

NOT_APPROVED = ("declined_by", "approval_lapsed")
"""Codes of the messages that say why an order which waited for approval was not made."""

TELLING_SHARE = 0.05
"""From this share on, the provider's own figure tells more about the rest than the history of the model."""


def board() -> progress.ProgressBoard:
    """The board of this installation, kept by all pages and looks together."""
    return installation.current().board


def outage() -> str:
    """That nobody works here, or the queue is away, since when, and that orders wait; empty while all is well."""
    with ExitStack() as stack:
        found = installation.current().watch.workers(lambda: stack.enter_context(db.read_connection()))
    if not found.since:
        return ""
    known = [at for at in found.since.values() if at]
    moment = wording.minute(min(known), UTC) if len(known) == len(found.since) else ""
    if found.queue_is_away:
        said = _("The queue has not answered since {moment}.") if moment else _("The queue does not answer.")
    elif found.orders_wait:
        said = _("No worker has answered since {moment}.") if moment else _("No worker answers.")
    else:
        said = _("Nobody has fetched finished clips since {moment}.") if moment else _("Nobody fetches finished clips.")
    waits = _("Orders are taken and wait.") if found.orders_wait else _("They wait at their provider.")
    return f"{said.format(moment=moment)} {waits}"


def item(standing: InFlightItem, *, waits: bool) -> dict[str, Any]:
    """What changes while it is under way: `{id, status, progress, badge, note, where, cancel}`, texts only.

    It `waits` for a worker while there is an `outage`, which is the same for all.
    """
    row = standing.row
    return {
        "id": row.id,
        "status": row.status.value,
        "progress": round(row.progress, 3),
        "badge": wording.STATUS[row.status],
        "note": place(standing),
        "where": where(standing, utc_now(), waits=waits),
        "cancel": cancelling(row),
    }


def percentage(row: Generation | ListRow | Take) -> str:
    """How far it is; an estimate says so."""
    share = wording.share(row.progress)
    return _("about {share}").format(share=share) if row.progress_is_estimate else share


def note(row: Generation | ListRow | Take) -> str:
    """Where it stands, in a few words."""
    if row.status is Status.UNCERTAIN:
        return _("Unclear whether the provider has it")
    if row.cancel_requested_at is not None:
        return _("Being cancelled")
    if row.stage is not Stage.WAITING:
        return wording.STAGE[row.stage]
    return f"{wording.STAGE[row.stage]}, {percentage(row)}" if row.progress else _("Waiting at the provider")


def place(standing: InFlightItem) -> str:
    """The same, with its place in line as long as nobody makes it."""
    row, text = standing.row, note(standing.row)
    if row.cancel_requested_at is None and progress.is_in_line(row):
        return _in_line(row, text, standing.ahead)
    return text


def where(standing: InFlightItem, now: datetime, *, waits: bool = False) -> str:
    """Stage, share and rest of the time, in a sentence or two; no time is promised while it `waits` for a worker."""
    row, usual = standing.row, standing.usual
    if row.status is Status.UNCERTAIN:
        return _("Unclear whether the provider has it. Your credits stay reserved until an administrator decides.")
    if row.stage is Stage.AWAITING_APPROVAL:
        return _awaiting_approval(row)
    text = note(row)
    if row.cancel_requested_at is None and progress.is_in_line(row):
        text = _in_line(row, text, standing.ahead) if standing.ahead or not waits else text
        if not waits:
            return f"{text}. {_usual(standing)}"
    if waits:
        return _("{where}. It waits for a worker").format(where=text)
    begun_at = standing.begun_at or row.submitted_at
    if row.stage is not Stage.WAITING or row.cancel_requested_at is not None or begun_at is None:
        return text
    elapsed = (now - begun_at).total_seconds()
    if not row.progress_is_estimate and row.progress >= TELLING_SHARE:
        rest = wording.span(_rest_seconds(row.progress, elapsed, usual))
        return _("{where}, about {rest} left").format(where=text, rest=rest)
    soon, late = usual.p50_seconds - elapsed, usual.p90_seconds - elapsed
    if late <= 0:
        return _("{where}, longer than usual").format(where=text)
    soonest, latest = wording.span(max(1, soon)), wording.span(late)
    return _("{where}, {soonest} to {latest} left").format(where=text, soonest=soonest, latest=latest)


def _rest_seconds(progress: float, elapsed_seconds: float, usual: TimeRange) -> float:
    """How long it still takes: the history of the model at first, and more and more what the provider's figure says.

    A small share tells little of the whole: alone it would say half a minute where a few seconds are left.
    """
    by_share = elapsed_seconds * (1 - progress) / progress
    late = usual.p90_seconds - elapsed_seconds
    if late <= 0:
        return by_share
    by_history = max(usual.p50_seconds - elapsed_seconds, min(late / 2, usual.p50_seconds / 4))
    return progress * by_share + (1 - progress) * by_history


def cancelling(row: Generation) -> dict[str, Any] | None:
    """What cancelling it costs, or why its provider cannot; None where there is nothing to say about it now."""
    if row.status is Status.UNCERTAIN or row.cancel_requested_at is not None:
        return None
    price = wording.priced(row.credits)
    if row.status is Status.PENDING:
        return {"can": True, "text": _("Nothing was sent yet: the {price} come back at once.").format(price=price)}
    if row.stage in (Stage.READY_TO_DOWNLOAD, Stage.DOWNLOADING):
        return None
    provider = registry.provider_class(row.provider)
    if not provider.can_cancel:
        return {"can": False, "text": translate_message(provider.cancel_note)}
    cost = _(
        "{provider} is asked to stop. If it does, the {price} come back; "
        "if the clip is done first, it is kept and charged."
    )
    return {"can": True, "text": cost.format(provider=provider.display_name, price=price)}


def why_cancelled(row: ListRow | Take) -> str:
    """Why there is no clip of a cancelled one: it was not approved, or its person did not want it any more."""
    if row.error is not None and row.error.code in NOT_APPROVED:
        return translate_message(row.error)
    return _("Cancelled, credits returned")


def _awaiting_approval(row: Generation) -> str:
    """That a manager has to say yes, and until when."""
    if row.deadline_at is None:
        return _("Waiting for approval by a manager")
    day = wording.day(row.deadline_at)
    return _("Waiting for approval by a manager. Without an answer it lapses on {day}").format(day=day)


def _in_line(row: Generation, text: str, ahead: int) -> str:
    """Its place in line behind where it stands; nothing of that before one which is about to be sent."""
    place = _("number {place} in line").format(place=wording.credits(ahead + 1)) if ahead else _("next in line")
    if row.stage is Stage.QUEUED:
        return place[:1].upper() + place[1:]
    return text if row.stage is Stage.DISPATCHED and not ahead else f"{text}, {place}"


def _usual(standing: InFlightItem) -> str:
    """The honest range from this installation's own history, the line before it included, or that there is none yet."""
    usual = standing.until_done
    half, most = wording.span(usual.p50_seconds), wording.span(usual.p90_seconds)
    if not usual.based_on:
        return _("May take {half} to {most}; there is no history yet").format(half=half, most=most)
    if (standing.ahead or standing.in_making) and standing.pace_seconds:
        return _("With those before it, {half} to {most}").format(half=half, most=most)
    return _("Usually takes {half} to {most}").format(half=half, most=most)
