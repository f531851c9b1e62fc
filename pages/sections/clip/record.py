"""What is on record of a clip: its source images, settings and file, receipt and timeline; draws only."""

import html
from collections.abc import Mapping
from decimal import Decimal

import streamlit as st

from core.catalog import in_force
from core.db.enums import CostBasis
from core.db.tables import Generation
from core.generations import delivery_findings, lifecycle, queries
from core.generations.credentials import Credentials
from core.generations.queries import Details
from core.providers import registry
from pages.ui import components, wording
from pages.ui.language import N_, _, translate_message

COST_BASIS: Mapping[CostBasis, str] = {
    CostBasis.REPORTED: N_("as reported"),
    CostBasis.USED: N_("by the use that was reported"),
    CostBasis.MEASURED: N_("estimate, by the time it ran"),
    CostBasis.ESTIMATE: N_("estimate"),
}


def source_images(row: Generation) -> None:
    """The images it was made from, or that it refers to."""
    shown = [(row.start_image_key, _("Start image")), (row.end_image_key, _("End image"))]
    shown += [(reference.key, wording.reference(reference.role)) for reference in row.references]
    pictures = [_picture(key, html.escape(label)) for key, label in shown if key]
    if pictures:
        st.html(f'<div style="display:flex;gap:12px;flex-wrap:wrap">{"".join(pictures)}</div>')


def _picture(key: str, label: str) -> str:
    return (
        f'<figure style="margin:0"><img src="{html.escape(components.media_link(key) or "")}" alt="{label}" '
        f'style="height:96px;border-radius:8px"><figcaption style="font-size:.8rem">{label}</figcaption></figure>'
    )


def settings(row: Generation, project_name: str, charged_in: str | None, signed: Credentials) -> None:
    """What it was ordered with and what was measured in its file; `charged_in` is where it was before a move."""
    facts = row.output_facts or {}
    rows = [
        (_("Project"), project_name),
        *([(_("Charged in"), charged_in)] if charged_in else []),
        (_("Model"), row.model_name),
        (_("Resolution"), f"{row.resolution}, {row.aspect_ratio}"),
        (_("Length"), _("{seconds} s").format(seconds=row.duration_seconds)),
        (_("Sound"), wording.sound(row.generate_audio, in_force.find_model(row.model_id))),
        (_("Prompt enhancement"), _("on") if row.enhance_prompt else _("off")),
        *([(_("Seed"), str(row.seed))] if row.seed is not None else []),
        *([(_("Frames a second"), str(row.fps))] if row.fps else []),
        (_("Ordered"), wording.moment(row.created_at)),
    ]
    if facts:
        sound = facts.get("audio_codec") or _("no sound")
        rate = _("{rate} frames a second").format(rate=wording.decimal(facts.get("frame_rate", 0), 2))
        length = _("{seconds} s").format(seconds=wording.decimal(facts.get("duration_seconds", 0)))
        measured = f"{facts.get('width')} × {facts.get('height')}, {length}, {rate}"
        rows.append(
            (
                _("File, as measured"),
                f"{measured}, {facts.get('video_codec')}, {sound}, {wording.size(queries.file_bytes(row))}",
            )
        )
        rows.append((_("Checked at delivery"), _checked(row)))
        if row.loudness_lufs is not None:
            rows.append((_("Loudness"), _("{lufs} LUFS").format(lufs=wording.decimal(row.loudness_lufs))))
        if digest := facts.get("sha256"):
            rows.append((_("SHA-256"), str(digest)))
        rows.append((_("Content credentials"), _signature(signed)))
    rows.append((_("ID"), row.id))
    components.table([_("Setting"), _("Value")], rows)


def _signature(signed: Credentials) -> str:
    """Whether its file says what it is, and by whose word."""
    if signed.reason is not None:
        return _("none. {reason}").format(reason=translate_message(signed.reason))
    if signed.report is None:
        return _("none; it was made before clips were signed")
    said = _("signed by {name}").format(name=signed.report.signer)
    inside = [each.signer or each.title for each in signed.report.ingredients]
    return f"{said} · {_('with those of {names}').format(names=', '.join(inside))}" if inside else said


def _checked(row: Generation) -> str:
    if row.findings is None:
        return _("not looked over")
    kinds = dict.fromkeys(noticed.finding.kind for noticed in delivery_findings.of(row))
    return ", ".join(wording.FINDING[kind] for kind in kinds) or _("nothing noticed")


def receipt(row: Generation, told: Details) -> None:
    """Every line of the price, and every movement of credits with its time."""
    lines = [(wording.line(x["kind"], x["percent"]), x["credits"]) for x in row.quote["lines"]]
    components.breakdown(lines, row.quote["total"])
    st.caption(_("Fixed when it was ordered, by the price list {version}.").format(version=row.quote["version"]))
    booked = [
        (
            wording.moment(entry.created_at),
            wording.ENTRY[entry.kind],
            wording.credits(entry.amount_credits),
            _("{reason}. Afterwards {available} available, {held} reserved.").format(
                reason=(translate_message(entry.message or entry.reason) or wording.ENTRY[entry.kind]).removesuffix(
                    "."
                ),
                available=wording.credits(entry.available_after),
                held=wording.credits(entry.held_after),
            ),
        )
        for entry in told.entries
    ]
    components.table([_("When"), _("Booked"), _("Credits"), _("Why")], booked, numbers=(2,))


def timeline(_row: Generation, told: Details) -> None:
    """Every step, with its time and who took it."""
    rows = [
        (
            wording.moment(event.at),
            translate_message(event.message or event.what),
            _("system") if event.actor == lifecycle.SYSTEM else event.actor,
        )
        for event in told.events
    ]
    components.table([_("When"), _("What"), _("Who")], rows)


def provider(row: Generation) -> None:
    """What only administrators see."""
    cost = expected = _("not known yet")
    if row.provider_cost is not None:
        of_before = CostBasis.ESTIMATE if row.provider_cost_is_estimate else CostBasis.REPORTED
        about = _(COST_BASIS[row.cost_basis or of_before])
        cost = f"{wording.money(row.provider_cost, row.provider_cost_currency or '')} ({about})"
    if row.idr_per_usd is not None:
        expected = _("nobody knows the provider's price")
        if row.estimated_cost_microusd is not None:
            expected = wording.money(Decimal(row.estimated_cost_microusd) / 1_000_000, "USD")
    why = row.error_detail or translate_message(row.error or row.error_message)
    components.table(
        [_("Fact"), _("Value")],
        [
            (_("Provider"), registry.provider_class(row.provider).display_name),
            (_("Job ID"), row.provider_job_id or _("none")),
            (_("Address"), row.provider_base_url or _("the vendor's own")),
            (_("Cost"), cost),
            (_("Estimate at the order"), expected),
            (
                _("Attempts"),
                _("{submits} to submit, {fetches} to fetch").format(submits=row.attempt, fetches=row.collect_attempt),
            ),
            (_("Error"), f"{row.error_code}: {why}" if row.error_code else _("none")),
        ],
    )
    if row.provider_response:
        st.json(row.provider_response, expanded=False)
