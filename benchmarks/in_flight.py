"""How one worker carries many clips in flight: time to settle, lag behind the vendor, CPU a clip; against a stand-in.

Run: python -m benchmarks.in_flight [clips]. Everything is on loopback; it ends by itself.
"""

import os
import statistics
import sys
import time
from collections.abc import Sequence

import psutil

from core.db.enums import Status
from core.db.tables import Generation
from tests import simulators
from tests.system.installation import Installation, installed

VENDOR_SECONDS = 20
LONGEST_SECONDS = 600


def main() -> None:
    """Order all at once, let one worker do them, print what it took."""
    clips = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    os.environ["MODELSLAB_MAX_IN_FLIGHT"] = str(clips)
    with simulators.running("modelslab", seconds=VENDOR_SECONDS, limit=clips) as vendor, installed(vendor) as site:
        site.start_redis()
        for number in range(clips):
            site.order(f"clip {number}")
        begun = time.monotonic()
        worker = psutil.Process(site.start_worker().pid)
        in_flight, cpu_seconds = wait(site, worker, begun)
        wall = time.monotonic() - begun
        rows = site.rows()
        while not all(row.preview_key for row in site.rows() if row.status is Status.COMPLETED):
            time.sleep(1)
        previews_wall = time.monotonic() - begun
    lags = sorted(
        (row.ended_at - row.submitted_at).total_seconds() - VENDOR_SECONDS
        for row in rows
        if row.status is Status.COMPLETED and row.ended_at and row.submitted_at
    )
    print(f"{clips} clips of {VENDOR_SECONDS} s at the vendor, one worker (one submit, one collect process)")
    print(f"completed         {len(lags)}")
    print(f"wall              {wall:.0f} s, {in_flight} in flight at the most")
    print(f"submitted         {clips / span(rows):.1f} a second")
    print(f"lag               p50 {statistics.median(lags):.1f} s, p95 {lags[int(len(lags) * 0.95)]:.1f} s")
    print(f"previews          all made {previews_wall - wall:.0f} s after the last clip")
    print(f"CPU a clip        {cpu_seconds / clips * 1000:.0f} ms, without previews; all processes of the worker")


def wait(site: Installation, worker: psutil.Process, begun: float) -> tuple[int, float]:
    """Until all are settled: the most that were in flight at once, and the CPU seconds of the worker's family."""
    most, cpu_seconds = 0, 0.0
    while not site.settled():
        if time.monotonic() - begun > LONGEST_SECONDS:
            raise SystemExit("not settled in time")
        most = max(most, sum(row.status is Status.PROCESSING for row in site.rows()))
        family = [worker, *worker.children(recursive=True)]
        cpu_seconds = sum(sum(process.cpu_times()[:2]) for process in family)
        time.sleep(2)
    return most, cpu_seconds


def span(rows: Sequence[Generation]) -> float:
    """Seconds from the first acceptance to the last."""
    times = sorted(row.submitted_at for row in rows if row.submitted_at)
    return max(1.0, (times[-1] - times[0]).total_seconds())


if __name__ == "__main__":
    main()
