"""What one process works with: settings, database, storage, Redis, providers and caches, built once and handed on.

A composition root (app.py, worker.py, the command line, a test) opens one. Services are handed what they need of it;
`current` is for what a framework calls without arguments: page scripts, jobs of the queue, requests.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from core import config, db, redaction
from core.catalog import offered
from core.config import BadSetting, Settings
from core.db import Database, availability
from core.db.engine import PATIENCE_SECONDS
from core.files.storage import Storage, open_storage
from core.generations.progress import ProgressBoard
from core.identity.api_tokens import TokenCache
from core.insights import presence_watch
from core.notifications import outbox
from core.providers import connection as provider_connection
from core.redis import connection as redis_connection
from core.redis.rate_limits import RateLimiter
from core.retry import OnceAWhile
from core.usage.cache import UsageCache

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Installation:
    """Everything of a process that is not of one request; nothing in it is remembered beyond it.

    `redis_url` is where Redis is: as configured, or the one that the app has brought along; None without one.
    """

    settings: Settings
    database: Database
    storage: Storage
    redis_url: str | None
    tokens: TokenCache = field(default_factory=TokenCache)
    usage: UsageCache = field(default_factory=UsageCache)
    board: ProgressBoard = field(default_factory=ProgressBoard)
    told: OnceAWhile = field(default_factory=OnceAWhile)
    """What the log has lately been told of housekeeping."""

    @cached_property
    def configured(self) -> frozenset[str]:
        """Names of the providers that can be used here."""
        return provider_connection.configured(self.settings)

    @cached_property
    def redis(self) -> redis_connection.Connection:
        """Connections to Redis; only to be asked for where there is one."""
        return redis_connection.connect(self.redis_url or "")

    @cached_property
    def watch(self) -> presence_watch.Watch:
        """Who works here, looked at now and then by all of this process."""
        return presence_watch.Watch(None if self.redis_url is None else lambda: self.redis)

    @cached_property
    def request_limiter(self) -> RateLimiter:
        """Counts the requests of API tokens."""
        return RateLimiter(self.redis_url, self.settings.api_requests_per_minute)

    def close(self) -> None:
        """Give up every connection."""
        self.database.dispose()
        if self.redis_url is not None:
            self.redis.close()


def build(settings: Settings, *, patience_seconds: float = PATIENCE_SECONDS, waits: bool = False) -> Installation:
    """An installation whose schema is up to date. Raises BadSetting for a database that cannot be used.

    From then on the process logs none of the secrets in these settings.
    """
    redaction.guard_logs(settings.secrets)
    for model_id in offered.unpriced():
        log.warning("The model '%s' has no price in core/catalog/price_list.py, so it is not offered.", model_id)
    database = open_database(settings, patience_seconds=patience_seconds, waits=waits)
    return Installation(settings, database, open_storage(settings.storage_url), settings.redis_url)


def open_database(settings: Settings, *, patience_seconds: float = PATIENCE_SECONDS, waits: bool = False) -> Database:
    """The database of these settings, its schema up to date. Raises BadSetting, which shows no secret.

    `patience_seconds` is how long it is waited for while somebody else holds it. With `waits` it is waited for until it
    is there, as befits a process that would only be started again.
    """
    address = config.without_secrets(settings.database_url)
    try:
        info = {outbox.PUBLIC_PATH: urlsplit(settings.public_url).path}
        database = Database(settings.database_url, patience_seconds=patience_seconds, info=info)
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise BadSetting(f"DATABASE_URL: '{address}' is no address of a database we can use.") from None
    pause_seconds = 0.5
    while True:
        try:
            database.migrate()
            break
        except OperationalError as failure:
            if waits and availability.is_away(failure):
                time.sleep(pause_seconds)
                pause_seconds = min(5.0, pause_seconds * 2)
                continue
            database.dispose()
            why = f"DATABASE_URL: the database at '{address}' does not answer or refuses us."
            raise BadSetting(why) from failure
    return database


@contextmanager
def opened(
    settings: Settings | None = None, *, patience_seconds: float = PATIENCE_SECONDS, waits: bool = False
) -> Iterator[Installation]:
    """Build one, from the process's own settings unless some are given; current while the block runs, then closed.

    The rest is as for `open_database`.
    """
    settings = settings or provider_connection.read_settings()
    installation = build(settings, patience_seconds=patience_seconds, waits=waits)
    try:
        with using(installation):
            yield installation
    finally:
        installation.close()


@contextmanager
def using(installation: Installation) -> Iterator[None]:
    """Make it the current one while the block runs; for composition roots only."""
    before = list(_current)
    _current[:] = [installation]
    try:
        with db.using(installation.database):
            yield
    finally:
        _current[:] = before


def current() -> Installation:
    """The one that the composition root has opened."""
    return _current[0]


_current: list[Installation] = []
