"""How one worker carries many clips in flight: time to settle, lag behind the vendor, CPU a clip; against a stand-in.

Run: python -m benchmarks.in_flight [500] [--a-second RATE] [--postgresql] [--submit 1] [--collect 1]. All at
once, or so many a second: then the machine also makes the orders and is the vendor, whose CPU is told beside the
worker's. Everything is on loopback; it ends by itself.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path

import psutil
from sqlalchemy import func, select

from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.tables import Generation, GenerationEvent
from tests import postgres, simulators
from tests.system.installation import Installation, installed

VENDOR_SECONDS = 20
LONGEST_SECONDS = 900
WARM_UP = 4


def main() -> None:
    """Order them, let one worker do them, print what it took."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("clips", type=int, nargs="?", default=500)
    options.add_argument("--a-second", type=float, default=0.0, help="so many orders a second; 0 is all at once")
    options.add_argument("--postgresql", action="store_true")
    options.add_argument("--submit", default="1", help="submit processes of the worker")
    options.add_argument("--collect", default="1", help="collect processes of the worker")
    chosen = options.parse_args()
    os.environ["MODELSLAB_MAX_IN_FLIGHT"] = str(chosen.clips)
    with ExitStack() as stack:
        address = stack.enter_context(postgres.database()) if chosen.postgresql else None
        vendor = stack.enter_context(simulators.running("modelslab", seconds=VENDOR_SECONDS, limit=chosen.clips))
        site = stack.enter_context(installed(vendor, address))
        measure(site, chosen.clips, chosen.a_second, "--submit", chosen.submit, "--collect", chosen.collect)


def measure(site: Installation, clips: int, a_second: float, *processes: str) -> None:
    """Print what so many clips take."""
    site.start_redis()
    if not a_second:
        order(site, clips, 0)
    others = family()
    begun = time.monotonic()
    worker = psutil.Process(site.start_worker(*processes, log=Path(os.devnull)).pid)
    cpu_at_start: Mapping[str, float] = {}
    since = utc_now()
    if a_second:
        order(site, WARM_UP, 0)  # so that every part has loaded what it needs
        wait(site, begun)
        cpu_at_start = cpu_by_part(worker, others)
        begun, since = time.monotonic(), utc_now()
        order(site, clips, a_second)
    most = wait(site, begun)
    wall = time.monotonic() - begun
    cpu = {part: used - cpu_at_start.get(part, 0.0) for part, used in cpu_by_part(worker, others).items()}
    rows = [row for row in site.rows() if row.status is Status.COMPLETED and (row.created_at >= since or not a_second)]
    ends = [(row.id, row.submitted_at, row.ended_at) for row in rows if row.ended_at and row.submitted_at]
    lags = [(end - begin).total_seconds() - VENDOR_SECONDS for _id, begin, end in ends]
    noticed = noticed_at(site)
    stored = [(end - noticed[id_]).total_seconds() for id_, _begin, end in ends]
    pace = f"{a_second:g} a second" if a_second else "all at once"
    print(f"{clips} clips of {VENDOR_SECONDS} s at the vendor, {pace}, {site.database.engine.dialect.name}")
    print(f"one worker        {' '.join(processes)}")
    print(f"completed         {len(lags)}")
    print(f"wall              {wall:.0f} s, {most} in flight at the most")
    print(f"submitted         {clips / span(rows):.1f} a second")
    named = {"lag": lags, "of the last half": lags[len(lags) // 2 :], "noticed to stored": stored}
    for name, some in named.items():
        p50, p95 = statistics.median(some), sorted(some)[int(len(some) * 0.95)]
        print(f"{name:17} p50 {p50:.1f} s, p95 {p95:.1f} s")
    for part, seconds in sorted(cpu.items(), key=lambda item: -item[1]):
        print(f"CPU a clip        {seconds / clips * 1000:5.1f} ms {part}")
    print(f"load              {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    begun = time.monotonic()
    while count(site, Stage.FINALIZED, has_preview=True) < count(site, Stage.FINALIZED):
        time.sleep(2)
    print(f"previews          all made {time.monotonic() - begun:.0f} s after the last clip")


def order(site: Installation, clips: int, a_second: float) -> None:
    """Order them, each at its time."""
    begun = time.monotonic()
    for number in range(clips):
        site.order(f"clip {number}")
        if a_second:
            time.sleep(max(0.0, begun + (number + 1) / a_second - time.monotonic()))


def wait(site: Installation, begun: float) -> int:
    """Until all are settled: the most that were in flight at once."""
    most = 0
    while waiting := count(site) - count(site, Stage.FINALIZED):
        if time.monotonic() - begun > LONGEST_SECONDS:
            raise SystemExit("not settled in time")
        most = max(most, waiting)
        time.sleep(1)
    return most


def count(site: Installation, *stages: Stage, has_preview: bool = False) -> int:
    """How many are at one of these stages, or all."""
    query = select(func.count()).select_from(Generation)
    if stages:
        query = query.where(Generation.stage.in_(stages))
    if has_preview:
        query = query.where(Generation.preview_key.is_not(None))
    with site.database.read_session() as session:
        return session.scalar(query) or 0


def noticed_at(site: Installation) -> dict[str, datetime]:
    """When each clip was found to be done at the vendor: it asks to be looked at each 5 s, which is most of the lag."""
    is_ready = GenerationEvent.stage == Stage.READY_TO_DOWNLOAD
    with site.database.read_session() as session:
        found = session.execute(select(GenerationEvent.generation_id, GenerationEvent.at).where(is_ready))
        return {row.generation_id: row.at for row in found}


def family() -> set[psutil.Process]:
    """This process and all that it has started."""
    return {psutil.Process(), *psutil.Process().children(recursive=True)}


def cpu_by_part(worker: psutil.Process, others: set[psutil.Process]) -> Mapping[str, float]:
    """Seconds of CPU that each part has used so far, those of its processes that have ended left out."""
    found: defaultdict[str, float] = defaultdict(float)
    of_worker = {worker, *worker.children(recursive=True)}
    for process in of_worker | others | family():
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            own = times.user + times.system
            found[part_of(process, of_worker)] += own + ended_children(process) * (process in of_worker)
    return found


def ended_children(process: psutil.Process) -> float:
    """Seconds of CPU of what it has started and that has ended: a host of isolated work forks for each."""
    times = process.cpu_times()
    return times.children_user + times.children_system if "core.files.isolated" in process.cmdline() else 0.0


def part_of(process: psutil.Process, of_worker: set[psutil.Process]) -> str:
    """What a process is, in a word or two."""
    command = process.cmdline()
    if process in of_worker:
        if "core.files.isolated" in command:
            return f"isolated {command[-1].rpartition('.')[2]}"
        return command[command.index("--role") + 1] if "--role" in command else "supervisor and studio"
    if process == psutil.Process():
        return "who orders"
    return "PostgreSQL" if process.name() == "postgres" else "the vendor, Redis"


def span(rows: Sequence[Generation]) -> float:
    """Seconds from the first acceptance to the last."""
    times = sorted(row.submitted_at for row in rows if row.submitted_at)
    return max(1.0, (times[-1] - times[0]).total_seconds())


if __name__ == "__main__":
    main()
