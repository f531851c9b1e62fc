"""Runs one command of `python -m core.cli`: asks the API, prints, and says by the exit code how it went."""

import argparse
import os
from collections.abc import Mapping, Sequence

from core.cli import arguments, printing
from core.rest_client import Access, Client, downloads, quotes
from core.rest_client.answers import AWAITING_APPROVAL, UNCERTAIN, Clip, Ordered, Progress, Wanted
from core.rest_client.connection import Waiting
from core.rest_client.problems import BadSetting, ClientProblem, Refused, Unreachable

WORKED, NO_CLIP, REFUSED, UNREACHABLE, NOT_ENDED = range(5)
INTERRUPTED = 130

TRIES_AT_A_PRICE = 3
"""So often an order within a limit is quoted anew when the price changes between quote and order."""


def main(given: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command; the exit code as `arguments.EXIT_CODES` says."""
    chosen = arguments.parser().parse_args(given)
    try:
        access = Access.of(os.environ if environ is None else environ)
        with Client(access, Waiting(patience_seconds=chosen.patience, said=printing.beside)) as client:
            return _COMMANDS[chosen.command](client, chosen)
    except Unreachable as problem:
        printing.beside(str(problem))
        return UNREACHABLE
    except ClientProblem as problem:
        code = f" ({problem.code})" if isinstance(problem, Refused) else ""
        printing.beside(f"{problem}{code}")
        return REFUSED
    except KeyboardInterrupt:
        printing.beside("Stopped. What was ordered goes on; the same command takes it up again.")
        return INTERRUPTED


def _models(client: Client, chosen: argparse.Namespace) -> int:
    found = [model for model in client.models() if chosen.all or model.orderable]
    if chosen.json:
        printing.out_json({"models": [model.model_dump(mode="json") for model in found]})
    else:
        printing.out([printing.model(model) for model in found])
    return WORKED


def _quote(client: Client, chosen: argparse.Namespace) -> int:
    quote = client.quote(arguments.wanted(chosen))
    if chosen.json:
        printing.out_json(quote.model_dump(mode="json"))
    else:
        printing.out(printing.quote(quote))
    return WORKED if quote.confirmation else REFUSED


def _order(client: Client, chosen: argparse.Namespace) -> int:
    wanted = arguments.wanted(chosen)
    if not (chosen.no_wait or chosen.no_download):
        downloads.check_target(chosen.output)
    if chosen.confirm is None:
        ordered = _order_up_to(client, wanted, chosen.up_to)
    else:
        ordered = client.order(wanted, credits=quotes.credits_of(chosen.confirm), confirmation=chosen.confirm)
    printing.beside(printing.ordered(ordered))
    told = {"ordered": ordered.model_dump(mode="json")}
    if chosen.no_wait:
        _tell(chosen, told, ordered.id)
        return WORKED
    clip = client.wait(ordered.id, seconds=chosen.seconds, seen=_Watched())
    told["clip"] = clip.model_dump(mode="json")
    if clip.status != "completed":
        _tell(chosen, told, printing.clip(clip))
        return _how_it_ended(clip)
    if chosen.no_download:
        _tell(chosen, told, printing.clip(clip))
        return WORKED
    path = str(client.download(clip.id, chosen.output))
    _tell(chosen, told | {"file": path}, path)
    return WORKED


def _order_up_to(client: Client, wanted: Wanted, up_to: int) -> Ordered:
    for left in reversed(range(TRIES_AT_A_PRICE)):
        quote = client.quote(wanted)
        if quote.confirmation is None:
            raise BadSetting(" ".join(quote.reasons))
        if quote.credits > up_to:
            raise BadSetting(f"This costs {quote.credits:,} credits, more than {up_to:,}. Nothing was ordered.")
        try:
            return client.order(wanted, credits=quote.credits, confirmation=quote.confirmation)
        except Refused as refused:
            if refused.code != "price_changed" or not left:
                raise
    raise AssertionError("unreachable")


def _wait(client: Client, chosen: argparse.Namespace) -> int:
    clip = client.wait(chosen.id, seconds=chosen.seconds, seen=_Watched())
    _tell(chosen, clip.model_dump(mode="json"), printing.clip(clip))
    return _how_it_ended(clip)


def _find(client: Client, chosen: argparse.Namespace) -> int:
    found = client.find(
        words=" ".join(chosen.words),
        status=chosen.status,
        model=chosen.model,
        project=chosen.project,
        limit=chosen.limit,
    )
    if chosen.json:
        printing.out_json({"clips": [clip.model_dump(mode="json") for clip in found]})
    else:
        printing.out([printing.clip(clip) for clip in found])
    return WORKED


def _download(client: Client, chosen: argparse.Namespace) -> int:
    path = str(client.download(chosen.id, chosen.output))
    _tell(chosen, {"file": path}, path)
    return WORKED


def _spend(client: Client, chosen: argparse.Namespace) -> int:
    spend = client.spend(since=chosen.since, until=chosen.until, project=chosen.project)
    if chosen.json:
        printing.out_json(spend.model_dump(mode="json"))
    else:
        printing.out(printing.spend(spend))
    return WORKED


class _Watched:
    """Tells each change of a clip that is waited for, once."""

    def __init__(self) -> None:
        self._before: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        if progress != self._before:
            printing.beside(f"{progress.status}, {progress.progress} %")
        self._before = progress


def _how_it_ended(clip: Clip) -> int:
    if clip.status == "completed":
        return WORKED
    if clip.status == UNCERTAIN:
        printing.beside("Nobody knows whether the provider has this clip; an administrator decides.")
    if clip.stage == AWAITING_APPROVAL:
        printing.beside("A manager has to approve this clip before it is made.")
    return NO_CLIP if clip.ended else NOT_ENDED


def _tell(chosen: argparse.Namespace, found: Mapping[str, object], line: str) -> None:
    if chosen.json:
        printing.out_json(found)
    else:
        printing.out([line])


_COMMANDS = {
    "models": _models,
    "quote": _quote,
    "order": _order,
    "wait": _wait,
    "find": _find,
    "download": _download,
    "spend": _spend,
}
