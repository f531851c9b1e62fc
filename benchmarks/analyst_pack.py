"""How fast an analyst pack is written, with how much memory; prints a table.

    python -m benchmarks.analyst_pack [--clips 1000000] [--people 20] --database sqlite:////tmp/usage.db

A database that already holds people is measured as it is; on PostgreSQL give the address of an empty one. Memory is the
resident set of this process before and at its highest while the pack is written, since a fresh start of Python's peak.
"""

import argparse
import json
import tempfile
import time
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

from sqlalchemy import func, select

from benchmarks import usage
from core.analyst_pack import packing
from core.analyst_pack.asked import Asked
from core.analyst_pack.packing import Order, Progress
from core.db import Database
from core.db.tables import User

PEAK = "VmHWM"


def resident_mb(name: str = "VmRSS") -> float:
    """Memory of this process by Linux's own figures, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def forget_peak() -> None:
    """Let the highest figure begin anew (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(database: Database, *, is_pseudonymous: bool) -> tuple[str, ...]:
    """One pack of everything: rows, seconds, rows a second, its size, and memory before, at its peak, and more."""
    packing.queries()
    import pyarrow.parquet as _parquet  # what is loaded once is no part of it

    del _parquet
    forget_peak()
    before = resident_mb()
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        asked = Asked(None, is_pseudonymous=is_pseudonymous)
        checks = packing.make(database, Order(asked, (), b"benchmark"), cast(BinaryIO, file), Progress())
        seconds = time.perf_counter() - begin
        peak = resident_mb(PEAK)
        size_mb = file.tell() / 1e6
        files = json.loads(zipfile.ZipFile(cast(BinaryIO, file)).read("checks.json"))["files"]
    rows = sum(each["rows"] for each in files)
    agreed = f"{sum(check.agrees for check in checks)} of {len(checks)}"
    return (
        "pseudonymous" if is_pseudonymous else "with names",
        *(f"{rows:,}", f"{seconds:.1f}", f"{rows / seconds:,.0f}", f"{size_mb:.1f}"),
        *(f"{before:.0f}", f"{peak:.0f}", f"{peak - before:.0f}", agreed),
    )


def main() -> None:
    """Fill if empty, then measure both kinds of pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--database", required=True)
    options = parser.parse_args()
    database = Database(options.database)
    database.migrate()
    with database.read_session() as session:
        is_empty = not session.scalar(select(func.count()).select_from(User))
    if is_empty:
        usage.fill(database, clips=options.clips, people=options.people)
    print("pack | rows | s | rows/s | MB | RSS before | RSS peak | more | checks that agree")
    for is_pseudonymous in (False, True):
        print(" | ".join(measure(database, is_pseudonymous=is_pseudonymous)), flush=True)


if __name__ == "__main__":
    main()
