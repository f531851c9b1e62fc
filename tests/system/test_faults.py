"""Every fault a vendor was seen or documented to have, one generation each, all in flight together."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from core.billing import ledger
from core.clock import utc_now
from core.db.enums import ENDED_STATUSES, EntryKind, Stage, Status
from core.db.tables import Flight, Generation, ProviderHealth
from core.generations import reconciliation
from core.worker import claims
from tests import simulators
from tests.factories.generations import rewrite
from tests.simulators.vendor import KINDS
from tests.system.installation import Installation, installed

pytestmark = pytest.mark.process


@dataclass(frozen=True)
class Outcome:
    """What must become of one generation: `jobs` begun at the vendor, `submits` sent to it."""

    status: Status
    code: str | None = None
    jobs: int = 1
    submits: int = 1


DONE = Outcome(Status.COMPLETED)
LATER = Outcome(Status.COMPLETED, submits=2)
LOST = Outcome(Status.UNCERTAIN, "submit_uncertain")
REFUSED_UNREAD = Outcome(Status.UNCERTAIN, "submit_uncertain", jobs=0)
STILL = Outcome(Status.PROCESSING)


def _refused(code: str) -> Outcome:
    return Outcome(Status.FAILED, code, jobs=0)


def _failed(code: str) -> Outcome:
    return Outcome(Status.FAILED, code)


EVERYWHERE: dict[str, Outcome] = {
    "ok": DONE,
    "slow": DONE,
    "never": STILL,
    # Before the vendor takes it.
    "429": LATER,
    "badkey": _refused("provider_bad_key"),
    "nocredit": _refused("provider_out_of_credits"),
    "nsfwsubmit": _refused("content_refused"),
    "gone": _refused("model_unavailable"),
    "badinput": _refused("provider_invalid_input"),
    "500": REFUSED_UNREAD,
    # It takes the job, and no readable answer says so.
    "reset": LOST,
    "502html": LOST,
    "500bare": LOST,
    "garbage": LOST,
    "noid": LOST,
    # While it works on the job.
    "look429": DONE,
    "look500": DONE,
    "lookhtml": DONE,
    "lookreset": DONE,
    "oddword": DONE,
    "early": DONE,
    "nsfw": _failed("content_refused"),
    "fail": _failed("generation_failed"),
    "nojob": _failed("generation_failed"),
    # While the file is fetched.
    "drop": DONE,
    "expired": DONE,
}
"""Kind of fault -> what must become of it, at any vendor."""

FILES: dict[str, Outcome] = {
    "hevc": DONE,
    "wrongtype": DONE,
    "gzip": DONE,
    # What time or a fresh link may change is tried for hours.
    **dict.fromkeys(
        ("empty", "lost", "truncate", "notvideo", "htmlfile", "redirect", "redirectplain", "hugelen"), STILL
    ),
}
"""Faults of the file host, which all vendors share."""

SOME = {kind: EVERYWHERE[kind] for kind in ("ok", "429", "badkey", "nocredit", "reset", "500", "nsfw", "expired")}
"""At vendors whose stand-ins tests/simulators/test_stand_ins.py tries in every way."""

LISTED: dict[str, Outcome] = {
    **dict.fromkeys(("reset", "502html", "500bare", "garbage", "noid"), DONE),  # found in its list
    "500": Outcome(Status.FAILED, "generation_failed", jobs=0),  # not found there
}
"""What becomes of a lost order at a vendor that lists its jobs."""

FAULTS: Mapping[str, Mapping[str, Outcome]] = {  # one entry a vendor, and its model in simulators.MODELS
    "modelslab": EVERYWHERE
    | FILES
    | {
        "500": _refused("provider_error"),  # its own JSON says "error", so nothing was begun
        "500verdict": _refused("provider_error"),
        "429header": LATER,
        "429text": LATER,
        "messege": _refused("content_refused"),
        "idtext": DONE,
        "hang": LOST,
    },
    "edenai": EVERYWHERE
    | {
        "500verdict": _refused("provider_error"),
        "429header": LATER,
        "429text": LATER,
        "jobid": DONE,
        "costnumber": DONE,
        "bigvideo": DONE,
        "upstreamfail": _failed("generation_failed"),
        "hang": LOST,
    },
    "replicate": EVERYWHERE
    | LISTED
    | {
        "429header": LATER,
        "aborted": Outcome(Status.CANCELLED),
        "removed": _failed("expired_at_provider"),
    },
    "fal": EVERYWHERE | {"doneerror": _failed("generation_failed")},
    "gemini": EVERYWHERE
    | {
        "429header": LATER,
        "inline": DONE,
        "bigvideo": DONE,
        "latefile": DONE,
        "filegone": _failed("expired_at_provider"),
        "nsfwdone": _failed("content_refused"),
        "toobusy": _failed("generation_failed"),
    },
    "minimax": EVERYWHERE
    | {
        "429header": LATER,
        "200error": _refused("provider_out_of_credits"),
        "expires": _failed("generation_failed"),
        "costtext": DONE,
    },
    "openrouter": SOME
    | {
        "200error": REFUSED_UNREAD,
        "expires": _failed("generation_failed"),
        "nsfwdone": _failed("content_refused"),
        **dict.fromkeys(("costnull", "costtext", "costnumber"), DONE),
    },
    "byteplus": SOME
    | {kind: outcome for kind, outcome in LISTED.items() if kind in SOME}
    | {"expires": _failed("generation_failed"), "nsfwdone": _failed("content_refused")},
    "kling": SOME
    | {kind: outcome for kind, outcome in LISTED.items() if kind in SOME}
    | {"429text": LATER, "expires": _failed("generation_failed"), "nsfwdone": _failed("content_refused")},
}
COSTS = {
    ("edenai", "ok"): "0.48",
    ("edenai", "costnumber"): "0.48",
    ("gemini", "ok"): "0.568216",
    ("minimax", "costtext"): "0.4",
    ("openrouter", "ok"): "0.4573",
    ("openrouter", "costtext"): "0.4573",
    ("openrouter", "costnull"): None,
    ("openrouter", "costnumber"): None,
}
"""(vendor, kind) -> what it says that the job has cost, in dollars; None where it says nothing."""
TOGETHER = (("modelslab", "edenai", "replicate", "fal"), ("gemini", "minimax", "openrouter", "byteplus", "kling"))
"""Vendors whose faults are tried at the same time; all at once would take a small machine too long."""
LONG_SECONDS = 300
"""A bound for a machine that has much else to do; on a quiet one everything takes a minute or two."""
MONEY = {
    Status.COMPLETED: "charged",
    Status.FAILED: "given back",
    Status.CANCELLED: "given back",
    Status.PROCESSING: "held",
    Status.UNCERTAIN: "held",
}
_ENTRIES = {
    (EntryKind.HOLD,): "held",
    (EntryKind.HOLD, EntryKind.SETTLE): "charged",
    (EntryKind.HOLD, EntryKind.RELEASE): "given back",
}
UNCERTAIN_ALIKE = frozenset({"reset", "502html", "500bare", "garbage", "noid", "hang", "500", "200error"})
SEARCHED = frozenset({"replicate", "byteplus", "kling"})


@pytest.fixture
def vendors(request: pytest.FixtureRequest) -> Iterator[Mapping[str, str]]:
    """A stand-in of each vendor, of the first ones unless it is said, whose jobs take a second: name -> address."""
    names = getattr(request, "param", TOGETHER[0])
    with ExitStack() as stack:
        yield {name: stack.enter_context(simulators.running(name, seconds=1, limit=1000)) for name in names}


@pytest.fixture
def site(vendors: Mapping[str, str]) -> Iterator[Installation]:
    """An installation that uses all vendors, with Redis and no worker yet."""
    environ = {"MODELSLAB_MAX_IN_FLIGHT": "1000", "DELIVERY_CHECKS": "off"}
    for name, url in vendors.items():
        environ |= {f"{name.upper()}_BASE_URL": url, f"{name.upper()}_API_KEY": "key-for-tests"}
    with installed(next(iter(vendors.values())), environ=environ) as found:
        found.start_redis()
        yield found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("vendors", TOGETHER, ids="-".join, indirect=True)
def test_every_fault(
    site: Installation, vendors: Mapping[str, str], record_property: Callable[[str, object], None]
) -> None:
    """Each fault ends as it must: the right status and reason, one job at most, the money where it belongs."""
    assert {kind for faults in FAULTS.values() for kind in faults} <= KINDS
    orders = {
        (vendor, kind): site.order(f"[sim:{kind}] a lake", model_id=simulators.MODELS[vendor])
        for vendor in vendors
        for kind in _interleaved(FAULTS[vendor])
    }
    late = {vendor: site.order("[sim:late] a late lake", model_id=simulators.MODELS[vendor]) for vendor in vendors}
    site.start_worker("--submit", "3", "--collect", "2")

    def all_are_late() -> bool:
        for generation_id in late.values():
            if (row := site.row(generation_id)).stage is Stage.WAITING and row.status is Status.PROCESSING:
                _rewrite(site, generation_id, deadline_at=utc_now() - timedelta(seconds=1))
        return all(site.row(generation_id).status is Status.UNCERTAIN for generation_id in late.values())

    site.until(all_are_late, "the deadlines are noticed", seconds=LONG_SECONDS)
    expected = {orders[vendor, kind]: FAULTS[vendor][kind] for vendor, kind in orders}
    expected |= dict.fromkeys(late.values(), DONE)
    still = {generation_id for generation_id, outcome in expected.items() if outcome is STILL}

    def all_are_over() -> bool:
        _hurry(site, late.values())
        rows = [row for row in site.rows() if row.id not in still]
        tried = all(site.row(generation_id).attempt for generation_id in still)
        came = all(site.row(generation_id).status in ENDED_STATUSES for generation_id in late.values())
        return tried and came and all(row.status in (*ENDED_STATUSES, Status.UNCERTAIN) for row in rows)

    site.until(all_are_over, "all but the endless are settled", seconds=LONG_SECONDS)
    lost = [row.id for row in site.rows() if row.provider in SEARCHED and row.status is Status.UNCERTAIN]
    for generation_id in lost:
        _rewrite(site, generation_id, updated_at=utc_now() - reconciliation.LATE_ARRIVAL_WINDOW)

    def list_has_settled() -> bool:
        _hurry(site, lost)
        return all(site.row(generation_id).status in ENDED_STATUSES for generation_id in lost)

    site.until(list_has_settled, "the list settles what was lost", seconds=LONG_SECONDS)
    site.until(lambda: not _without_preview(site), "the clips have their previews", seconds=LONG_SECONDS)

    names = {generation_id: place for place, generation_id in orders.items()}
    names |= {generation_id: (vendor, "late") for vendor, generation_id in late.items()}
    lines, wrong = _table(site, vendors, names, expected)
    record_property("table", "\n".join(lines))
    assert wrong == []
    assert all(count <= 1 for count in _counted(vendors)[1].values())
    _check_what_is_kept(site, orders)
    site.check_books()


def test_breaker_leaves_a_failing_vendor_alone(site: Installation, vendors: Mapping[str, str]) -> None:
    """After five failures in a row nothing more is sent there, one trial goes after the pause, others work on."""
    for n in range(5):
        site.order(f"[sim:502html] lost {n}")
    site.start_worker()
    site.until(lambda: _pause_ends(site) is not None, "the breaker is open")
    trial = site.order("[sim:502html] trial")
    held = [site.order(f"held {n}") for n in range(3)]
    elsewhere = site.order("elsewhere", model_id=simulators.MODELS["edenai"])
    site.until(lambda: site.row(elsewhere).status is Status.COMPLETED, "the other vendor works on")
    assert _counted(vendors)[0].total() == 6  # five lost ones and the one elsewhere

    _end_pause(site)
    site.until(lambda: site.row(trial).status is Status.UNCERTAIN, "one trial was sent, and failed")
    site.until(lambda: (_pause_ends(site) or utc_now()) > utc_now(), "the pause begins anew")
    assert [site.row(generation_id).status for generation_id in held] == [Status.PENDING] * 3
    _end_pause(site)
    site.until(site.settled, "a trial went well, and the rest follows")

    assert [site.row(generation_id).status for generation_id in held] == [Status.COMPLETED] * 3
    assert _pause_ends(site) is None
    assert _counted(vendors)[0].total() == 10
    site.check_books()


def _interleaved(faults: Mapping[str, Outcome]) -> Sequence[str]:
    """The kinds in an order in which no five failures of the vendor's own follow one another."""
    bad = [kind for kind in faults if kind in UNCERTAIN_ALIKE]
    good = [kind for kind in faults if kind not in UNCERTAIN_ALIKE and faults[kind].jobs]
    rest = [kind for kind in faults if kind not in bad and kind not in good]
    pairs = [kind for pair in zip(bad, good, strict=False) for kind in pair]
    return [*pairs, *good[len(bad) :], *rest]


def _table(
    site: Installation,
    vendors: Mapping[str, str],
    names: Mapping[str, tuple[str, str]],
    expected: Mapping[str, Outcome],
) -> tuple[Sequence[str], Sequence[object]]:
    """A line for each generation, and what of them is not as expected; `names` are (vendor, kind) by id."""
    submits, jobs = _counted(vendors)
    lines: list[str] = []
    wrong: list[object] = []
    for row in site.rows():
        vendor, kind = names[row.id]
        seen = Outcome(row.status, row.error_code, jobs[vendor, row.prompt], submits[vendor, row.prompt])
        money = _money(site, row)
        ok = seen == expected[row.id] and money == MONEY[row.status]
        lines.append(
            f"{vendor:10} {kind:15} {seen.status:10} {seen.code or '-':24} "
            f"submits {seen.submits}  jobs {seen.jobs}  {money}{'' if ok else '   WRONG'}"
        )
        if not ok:
            wrong.append((vendor, kind, seen, money, expected[row.id], row.error_detail))
    return lines, wrong


def _check_what_is_kept(site: Installation, orders: Mapping[tuple[str, str], str]) -> None:
    """Beside status and money: costs as reported, no clip inside a reply, what browsers play, no left-overs."""
    rows = {place: site.row(generation_id) for place, generation_id in orders.items()}
    for place, dollars in COSTS.items():
        if row := rows.get(place):
            assert row.provider_cost_is_estimate is (dollars is None), place
            if dollars is not None:
                assert (row.provider_cost, row.provider_cost_currency) == (Decimal(dollars), "USD"), place
    for (vendor, kind), row in rows.items():
        if kind == "bigvideo":
            assert len(str(row.provider_response)) < 10_000, vendor
        if kind == "hevc":
            facts = row.output_facts or {}
            assert (facts["video_codec"], facts["web_safe"]) == ("h264", True)
    under_way = tuple(row.id for (vendor, kind), row in rows.items() if FAULTS[vendor][kind] is STILL)

    def nothing_is_left() -> bool:  # clips are looked over beside the rest, each in a copy
        files = [path for path in Path(site.environ["DATA_DIR"], "incoming").rglob("*") if path.is_file()]
        locks = [path for path in files if path.parent.name.startswith("process-") and path.name == "lock"]
        return all(path in locks or path.name.startswith(under_way) for path in files)

    site.until(nothing_is_left, "no file is left over", seconds=LONG_SECONDS)


def _rewrite(site: Installation, generation_id: str, **values: datetime) -> None:
    """Change times in a row, since a test cannot wait for them."""
    with site.database.write_session() as session:
        rewrite(session, Generation.id == generation_id, **values)


def _hurry(site: Installation, generation_ids: Iterable[str]) -> None:
    """Let the uncertain among these be looked at again instead of in five minutes.

    What is due sooner than a claim lasts may be asked about right now: a second claim would void that answer, and on a
    slow machine every one of them.
    """
    with site.database.write_session() as session:
        far_off = Flight.next_at > utc_now() + claims.POLL_LEASE
        uncertain = Flight.status == Status.UNCERTAIN
        hurried = update(Flight).where(Flight.id.in_(list(generation_ids)), uncertain, far_off)
        session.execute(hurried.values(next_at=utc_now()))


def _without_preview(site: Installation) -> list[str]:
    return [row.id for row in site.rows() if row.status is Status.COMPLETED and row.preview_key is None]


def _counted(vendors: Mapping[str, str]) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Submits that reached a vendor and jobs it began, by vendor and prompt: not every vendor keeps a reference."""
    submits: Counter[tuple[str, str]] = Counter()
    jobs: Counter[tuple[str, str]] = Counter()
    for vendor, url in vendors.items():
        for call in httpx.get(f"{url}/_sim/calls").json()["submits"]:
            submits[vendor, call["prompt"]] += 1
            jobs[vendor, call["prompt"]] += bool(call["job_id"])
    return submits, jobs


def _money(site: Installation, row: Generation) -> str:
    """What the ledger says of a generation's price, in a word."""
    with site.database.read_session() as session:
        entries = ledger.entries_of_generation(session, row.id)
    if any(entry.amount_credits != row.credits for entry in entries):
        return "wrong amount"
    return _ENTRIES.get(tuple(entry.kind for entry in entries), "wrong entries")


def _pause_ends(site: Installation) -> datetime | None:
    with site.database.read_session() as session:
        row = session.get(ProviderHealth, "modelslab")
        return row.retry_at if row is not None else None


def _end_pause(site: Installation) -> None:
    with site.database.write_session() as session:
        session.execute(update(ProviderHealth).values(retry_at=utc_now()))
