"""Tries vendors without buying: whether each can be reached and takes its key, and what its models cost."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import httpx

from core import errors, redaction
from core.catalog import catalogue
from core.catalog.records import PublishedPrice
from core.clock import utc_now
from core.config import Settings
from core.messages import message
from core.providers import connection, registry
from core.providers.contract import Provider

TRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Tried:
    """One vendor: whether it can be used, why or why not, and a line for each of its models."""

    name: str
    works: bool | None
    sentence: str
    models: tuple[str, ...]


def tried(settings: Settings, names: Collection[str] = ()) -> list[Tried]:
    """Every vendor that is configured, or those of these names; NotFound for a name that is none.

    `works` is None where nothing could be tried: no key or address is set, or the vendor has no free call.
    """
    known = {provider.name: provider for provider in registry.providers()}
    if unknown := sorted(set(names) - set(known)):
        raise errors.NotFound(message("no_such_vendor", name=", ".join(unknown), known=", ".join(known)))
    usable = connection.configured(settings)
    wanted = [provider for name, provider in known.items() if name in (names or usable)]

    async def all_of_them() -> list[Tried]:
        async with connection.submit_client(settings) as client:
            return list(await asyncio.gather(*(_try(settings, provider, client) for provider in wanted)))

    return asyncio.run(all_of_them())


async def _try(settings: Settings, provider: type[Provider], client: httpx.AsyncClient) -> Tried:
    works, sentence = await _answer(settings, provider, client)
    return Tried(provider.name, works, sentence, tuple(_priced(model.id) for model in provider.models))


async def _answer(settings: Settings, provider: type[Provider], client: httpx.AsyncClient) -> tuple[bool | None, str]:
    if provider.name not in connection.configured(settings):
        variable = provider.key_variable() if provider.needs_key else provider.base_url_variable()
        return None, f"not configured: set {variable}"
    if not provider.can_check_key:
        return None, "configured; it has no call that costs nothing, so nothing was tried"
    try:
        async with asyncio.timeout(TRY_SECONDS):
            await connection.connect(settings, provider.name, client).check_key()
    except TimeoutError:
        return False, f"it has not answered within {TRY_SECONDS:.0f} seconds"
    except errors.AppError as refused:
        detail = f" ({refused.detail[:300]})" if refused.detail else ""
        return False, redaction.redactor(*connection.secrets(settings))(f"{refused}{detail}")
    return True, "it answers" + (" and takes the key" if provider.needs_key else "")


def _priced(model_id: str) -> str:
    """A model's id with its state and price of today."""
    now = utc_now()
    entry = catalogue.shipped().get(model_id)
    price = entry.price(now)
    if price is None:
        return f"{model_id}: no price, so it is not offered"
    if isinstance(price, PublishedPrice):
        asked = f"{price.base_credits:,} credits for {price.default_seconds} s"
    else:
        rates = ", ".join(f"{name} {credits:,}" for name, credits in price.credits_per_second.items())
        asked = f"credits a second: {rates}"
    cost = "" if entry.cost(now) else "; what the vendor takes is not known"
    return f"{model_id}: {entry.state(now)}, {asked}{cost}"
