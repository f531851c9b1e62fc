"""Tells whether a call is the vendor's: by keys that were set, else by those that it tells itself, kept for a day."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from core import errors
from core.config import Settings
from core.providers import connection
from core.providers.contract import Provider
from core.providers.vendor_calls import VendorCall

KEYS_SECONDS = 24 * 3600.0
NOT_AGAIN_SECONDS = 60.0
"""So long at least between two questions for keys, also when one failed: anybody who knows an address can call it."""


class CallKeys:
    """The keys of all vendors that sign, for one process; safe to use from several threads."""

    def __init__(self, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._monotonic = settings, monotonic
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, Sequence[str]] = {}
        self._asked_at: dict[str, float] = {}

    def is_believed(self, provider: type[Provider], call: VendorCall, now: datetime) -> bool:
        """Whether a call is read, which came to one of our secret addresses.

        It has to be signed where the vendor signs and its keys can be had; an installation of someone else's at another
        address has none. Raises ProviderError while nobody knows the keys: the vendor is to call again later.
        """
        if not provider.signs_calls:
            return True
        if given := self._settings.provider_webhook_secrets.get(provider.name):
            return provider.is_signed(call, [given], now)
        keys = self._told(provider.name, newer_than_seconds=KEYS_SECONDS)
        if not keys or provider.is_signed(call, keys, now):
            return True
        return provider.is_signed(call, self._told(provider.name, newer_than_seconds=NOT_AGAIN_SECONDS), now)

    def _told(self, name: str, *, newer_than_seconds: float) -> Sequence[str]:
        # One question for all that wait, and no vendor waits for another's answer.
        with self._locks.setdefault(name, threading.Lock()):
            since = self._monotonic() - self._asked_at.get(name, float("-inf"))
            if since > (newer_than_seconds if name in self._known else NOT_AGAIN_SECONDS):
                self._asked_at[name] = self._monotonic()
                self._known[name] = asyncio.run(self._ask(name))
            elif name not in self._known:
                raise errors.ProviderUnavailable(detail="its keys could not be had a moment ago")
            return self._known[name]

    async def _ask(self, name: str) -> Sequence[str]:
        async with connection.submit_client(self._settings) as client:
            try:
                return await connection.connect(self._settings, name, client).call_keys()
            except errors.ProviderNotConfigured:
                return ()
