"""Reads vendors' own lists of models once a day, where they have one; what they tell is noted and changes nothing."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

import httpx

from core import db, errors
from core.catalog_changes import current, live_lists
from core.db import WriteSession
from core.installation import Installation
from core.providers import connection, registry
from core.providers.contract import Provider
from core.providers.models import VideoModel

log = logging.getLogger(__name__)


async def read_due(installation: Installation, client: httpx.AsyncClient) -> None:
    """Every list that is due, of providers that can be used here, one after the other."""
    for provider in registry.providers():
        is_used = provider.name in installation.configured and not provider.is_local
        if is_used and await asyncio.to_thread(_claim, provider.name):
            await _read(installation, client, provider)


async def _read(installation: Installation, client: httpx.AsyncClient, provider: type[Provider]) -> None:
    name = provider.name
    try:
        reached = connection.connect(installation.settings, name, client)
        try:
            models, is_whole = await reached.live_models(), True
            if len(models) > live_lists.MOST_MODELS:
                raise errors.UnreadableReply(detail=f"a list of {len(models)} models")
            listed = {model.upstream_id: model.name for model in models}
        except NotImplementedError:
            listed, is_whole = await _one_by_one(reached, await asyncio.to_thread(_asked, installation, name)), False
    except NotImplementedError:
        await asyncio.to_thread(_write, lambda session: live_lists.has_none(session, name))
    except errors.AppError as error:
        log.info("the list of models of %s could not be read: %s", name, error.detail or error)
        failure = str(error)
        await asyncio.to_thread(_write, lambda session: live_lists.fail(session, name, failure))
    else:
        usable = {
            upstream_id: shown[: live_lists.LONGEST_NAME]
            for upstream_id, shown in listed.items()
            if 0 < len(upstream_id) <= live_lists.LONGEST_NAME
        }
        notes = await asyncio.to_thread(_record, installation, name, usable, is_whole=is_whole)
        if notes:
            log.warning(
                "the list of models of %s differs from the one before: %d notes for administrators", name, notes
            )


async def _one_by_one(provider: Provider, models: list[VideoModel]) -> dict[str, str]:
    """Those that are still there, vendor's id -> name."""
    found = {}
    for model in models:
        if (live := await provider.live_model(model)) is not None:
            found[model.upstream_id] = live.name or model.name
    return found


def _claim(provider: str) -> bool:
    with db.read_session() as session:  # first, so that with nothing to do no write lock is taken
        if not live_lists.is_due(session, provider):
            return False
    with db.write_session() as session:
        return live_lists.claim(session, provider)


def _asked(installation: Installation, provider: str) -> list[VideoModel]:
    """The models that are offered, as the vendor is asked for them."""
    with db.read_session() as session:
        known, offered = current.of(session), live_lists.ours(session, installation.settings, provider)
    return [replace(known.get(ours).model, upstream_id=vendors) for vendors, ours in offered.items()]


def _record(installation: Installation, provider: str, listed: dict[str, str], *, is_whole: bool) -> int:
    with db.write_session() as session:
        return len(live_lists.record(session, installation.settings, provider, listed, is_whole=is_whole))


def _write(work: Callable[[WriteSession], None]) -> None:
    with db.write_session() as session:
        work(session)
