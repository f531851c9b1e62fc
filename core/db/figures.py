"""What a process says of its database connections, for Prometheus."""

import platform
from collections.abc import Callable, Iterator

from prometheus_client.core import Metric

from core import metrics
from core.db.engine import Database


def figures(database: Database) -> Iterator[Metric]:
    """How many connections are in use, and what runs here."""
    engines = {"write": database.engine, "read": database.read_engine}
    used = [({"engine": name}, taken()) for name, each in engines.items() if (taken := _taken(each.pool))]
    yield metrics.gauge("video_db_pool_checkedout", used)
    build = {"python": platform.python_version(), "database": database.engine.dialect.name}
    yield metrics.gauge("video_build_info", [(build, 1)])


def _taken(pool: object) -> Callable[[], int] | None:
    """How a pool says it; one of a database in memory does not."""
    return getattr(pool, "checkedout", None)
