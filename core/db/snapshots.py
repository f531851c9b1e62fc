"""What holds old snapshots of a PostgreSQL: while one is held, nothing that was changed since can be cleaned up.

Measured: one transaction that was left open let the moves of what is in flight fall to a sixth within 40 seconds. Of
other roles' sessions a role sees nothing here unless it is in `pg_read_all_stats`. SQLite has none of it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from core.db.sessions import Reader

HELD_SECONDS = 300.0
"""So old a snapshot is told: no work of the product takes as long in one transaction."""
HELD_TRANSACTIONS = 1_000_000
HELD_BYTES = 10 * 1024**3
"""So far behind is a replication slot told."""


@dataclass(frozen=True, slots=True)
class HeldSnapshot:
    """Who holds one, as the server calls it, and how far back; `seconds` of a transaction, `log_bytes` of a slot."""

    name: str
    transactions: int
    seconds: float | None = None
    log_bytes: int | None = None

    def is_old(self, seconds: float = HELD_SECONDS) -> bool:
        """Somebody has to look at it."""
        return (
            (self.seconds or 0.0) > seconds
            or (self.log_bytes or 0) > HELD_BYTES
            or self.transactions > HELD_TRANSACTIONS
        )


_HELD = text("""
SELECT concat_ws(', ', nullif(application_name, ''), usename, state, 'process ' || pid) AS name,
       greatest(age(backend_xmin), age(backend_xid)) AS transactions,
       extract(epoch FROM clock_timestamp() - xact_start) AS seconds,
       CAST(NULL AS numeric) AS log_bytes
  FROM pg_stat_activity
 WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
   AND pid <> pg_backend_pid()
   AND backend_type <> 'autovacuum worker'
   AND coalesce(datname, current_database()) = current_database()
UNION ALL
SELECT 'prepared transaction ' || gid, age(transaction), extract(epoch FROM clock_timestamp() - prepared), NULL
  FROM pg_prepared_xacts
 WHERE database = current_database()
UNION ALL
SELECT 'replication slot ' || slot_name, greatest(age(xmin), age(catalog_xmin)), NULL,
       CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) END
  FROM pg_replication_slots
""")


def held(reader: Reader) -> list[HeldSnapshot]:
    """All that are held now but by this session, the ones furthest back first."""
    bind = reader if isinstance(reader, Connection) else reader.get_bind()
    if bind.dialect.name != "postgresql":
        return []
    found = [
        HeldSnapshot(
            row.name,
            int(row.transactions or 0),
            None if row.seconds is None else float(row.seconds),
            None if row.log_bytes is None else int(row.log_bytes),
        )
        for row in reader.execute(_HELD)
    ]
    return sorted(found, key=lambda each: (each.transactions, each.seconds or 0.0, each.name), reverse=True)
