"""What commands print: lines for people or one JSON object, on stdout what was asked for and the rest on stderr."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from core.rest_client.answers import AWAITING_APPROVAL, Clip, Model, Ordered, Quote, Spend


def out(lines: Sequence[str]) -> None:
    """What a command was asked for."""
    for line in lines:
        print(line)  # noqa: T201 -- its output


def out_json(found: Mapping[str, Any]) -> None:
    """The same for programs."""
    print(json.dumps(found, indent=2, ensure_ascii=False))  # noqa: T201 -- its output


def beside(line: str) -> None:
    """What somebody who looks on wants to know."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 -- its output


def model(found: Model) -> str:
    """A line for a model."""
    lengths = f"{min(found.durations)} to {max(found.durations)} s"
    state = "" if found.orderable else "  (cannot be ordered here now)"
    return f"{found.id:28} {found.base_credits:>7,} credits  {lengths}, {', '.join(found.resolutions)}{state}"


def quote(found: Quote) -> list[str]:
    """The lines of a price."""
    wanted = found.wanted
    lines = [
        f"{found.model_name}, {wanted.duration} s, {wanted.resolution}, {wanted.aspect_ratio}: "
        f"{found.credits:,} credits (Rp {found.idr:,}); {found.available_credits:,} are available.",
        *(f"  {credits:>8,}  {kind}" for kind, credits in found.breakdown.items()),
        *found.reasons,
    ]
    return [*lines, f"--confirm {found.confirmation}"] if found.confirmation else lines


def ordered(found: Ordered) -> str:
    """A line for an order."""
    if found.is_repeat:
        return f"{found.id} was ordered before, for {found.credits:,} credits; --take makes a further one."
    waits = " A manager has to approve it first." if found.awaiting_approval else ""
    return f"{found.id} is ordered; {found.credits:,} credits are reserved.{waits}"


def clip(found: Clip) -> str:
    """A line for a clip."""
    how = f"{found.progress} %" if not found.ended else f"{found.credits:,} credits"
    if found.stage == AWAITING_APPROVAL:
        how = "approval"
    line = f"{found.id}  {found.status:10} {how:>14}  {found.model_id}  {_short(found.prompt)}"
    return f"{line}  -- {found.error_message}" if found.error_message else line


def spend(found: Spend) -> list[str]:
    """The lines of a balance and of what was charged."""
    return [
        f"{found.available_credits:,} credits are available, {found.held_credits:,} are reserved.",
        f"{found.charged_credits:,} credits (Rp {found.charged_idr:,}) were charged from {found.since} to "
        f"{found.until}: {found.completed:,} clips, and {found.failed:,} failed.",
        *(
            f"  {row.settled_credits:>8,}  {row.model_id}: {row.completed:,} clips"
            for row in sorted(found.models, key=lambda row: -row.settled_credits)
        ),
    ]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:59]}…"
