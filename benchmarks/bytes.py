"""How many bytes a clip takes in PostgreSQL, by table, and what a hundred million of them would; prints a table.

    python -m benchmarks.bytes [--clips 100000]

A filled SQLite database is copied row by row into a PostgreSQL of its own, so that both hold the same. An ended clip
has `EVENTS` events in the product and one here, so that table is told for as many. It ends by itself.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, func, select, text

from benchmarks import filled
from core.db import Database
from core.db.tables import Generation
from tests import postgres

EVENTS = 7
"""What the timeline of a clip has from the order to its end."""
BATCH = 5_000
SCALE = 100_000_000
BY_CLIPS = ("generations", "generation_events", "ledger_entries")
"""What has rows for each clip; roll-ups grow with people and days instead, and the rest with people."""


def copy(source: Database, target: Database) -> None:
    """All rows of all tables, with nobody checking them again."""
    with source.read_connection() as reading, target.engine.begin() as writing:
        writing.execute(text("SET session_replication_role = replica"))
        for table in Generation.metadata.sorted_tables:
            writing.execute(table.delete())
            rows = reading.execute(select(table), execution_options={"yield_per": BATCH}).mappings()
            for some in rows.partitions(BATCH):
                writing.execute(table.insert(), [dict(row) for row in some])


def sizes(connection: Connection) -> Iterator[tuple[str, int, int, int]]:
    """Table, rows, bytes of its heap and of its indexes, partitions included; the largest first."""
    found = []
    for table in Generation.metadata.sorted_tables:
        rows = connection.scalar(select(func.count()).select_from(table)) or 0
        heap, indexes = connection.execute(
            text(
                "SELECT sum(pg_table_size(oid)), sum(pg_indexes_size(oid)) FROM pg_class "
                "WHERE oid = to_regclass(:name) "
                "OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(:name))"
            ),
            {"name": table.name},
        ).one()
        found.append((table.name, rows, int(heap), int(indexes)))
    return iter(sorted(found, key=lambda each: -each[2] - each[3]))


def main() -> None:
    """Fill, copy, and print what it takes."""
    parser = argparse.ArgumentParser(description="Bytes a clip takes in PostgreSQL, by table.")
    parser.add_argument("--clips", type=int, default=100_000)
    clips = parser.parse_args().clips
    with tempfile.TemporaryDirectory(prefix="video-bytes-") as folder, postgres.database() as address:
        os.environ["DATA_DIR"] = folder
        filled.fill(clips)
        source, target = Database(f"sqlite:///{Path(folder) / 'studio.db'}"), Database(address)
        target.migrate()
        copy(source, target)
        with target.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM FULL ANALYZE"))
            report(connection, clips)
        source.dispose()
        target.dispose()


def report(connection: Connection, clips: int) -> None:
    """One line a table that takes more than a thousandth."""
    told = list(sizes(connection))
    whole = sum(heap + indexes for _name, _rows, heap, indexes in told)
    print(f"{'table':24} {'rows a clip':>11} {'heap B a row':>12} {'index B a row':>13} {'GB at 1e8 clips':>15}")
    for name, rows, heap, indexes in told:
        if rows and heap + indexes > whole / 1000:
            factor = EVENTS if name == "generation_events" else 1
            gigabytes = f"{(heap + indexes) / clips * factor * SCALE / 1e9:.0f}" if name in BY_CLIPS else "-"
            print(f"{name:24} {rows / clips * factor:11.2f} {heap / rows:12.0f} {indexes / rows:13.0f} {gigabytes:>15}")


if __name__ == "__main__":
    main()
