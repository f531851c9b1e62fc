"""What the lines of a statement are matched with: one to one, the same in any order, and nothing invented."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.db.enums import LineOutcome
from core.statements import matching
from core.statements.matching import Billed, Compared, Sent, compare

NOON = datetime(2026, 10, 15, 12, tzinfo=UTC)
RATE = 16_500
OF_OURS = {LineOutcome.MATCHED, LineOutcome.PRICE_DIFFERS, LineOutcome.OTHER_MODEL, LineOutcome.UNCLEAR}


def clip(id: str, *, job: str = "", at: int = 0, cost_idr: int = 5_775, model: str = "kling-2.5") -> Sent:
    """A clip that was sent so many seconds past noon and took 40."""
    sent_at = NOON + timedelta(seconds=at)
    return Sent(id, model, job, sent_at, sent_at + timedelta(seconds=40), cost_idr, RATE)


def line(id: str, *, job: str = "", at: int = 0, micro: int = 350_000, model: str = "kling-2.5") -> Billed:
    """A line of so many seconds past noon."""
    moment = NOON + timedelta(seconds=at)
    return Billed(id, f"{job}|{model}|{at}|{micro}", job, model, moment, moment, "USD", micro)


def outcomes(found: Compared) -> dict[str, LineOutcome]:
    """Line -> what became of it."""
    return {match.line.id: match.outcome for match in found.matches}


def pairs(found: Compared) -> dict[str, str]:
    """Line -> its clip."""
    return {match.line.id: match.clip.id for match in found.matches if match.clip}


def test_job_id_wins_over_time() -> None:
    """A line that names the job is that clip, whenever it was billed."""
    found = compare([line("a", job="j1", at=9_000)], [clip("one", job="j1"), clip("two", job="j2", at=9_000)])
    assert pairs(found) == {"a": "one"}
    assert [one.id for one in found.ours_only] == ["two"]


def test_job_id_of_another_clip_is_never_matched_by_time() -> None:
    """Both know a job and they are two: one is theirs, one is ours."""
    found = compare([line("a", job="other")], [clip("one", job="j1")])
    assert outcomes(found) == {"a": LineOutcome.THEIRS_ONLY}
    assert [one.id for one in found.ours_only] == ["one"]


@pytest.mark.parametrize(
    ("micro", "outcome"),
    [
        (350_000, LineOutcome.MATCHED),
        (355_000, LineOutcome.MATCHED),
        (345_000, LineOutcome.MATCHED),
        (356_000, LineOutcome.PRICE_DIFFERS),
        (344_000, LineOutcome.PRICE_DIFFERS),
    ],
)
def test_price_within_tolerance(micro: int, outcome: LineOutcome) -> None:
    """Half a cent either way is rounding."""
    assert outcomes(compare([line("a", job="j", micro=micro)], [clip("one", job="j")])) == {"a": outcome}


def test_price_of_dear_clip_within_one_percent() -> None:
    """One percent of a large amount is more than half a cent."""
    dear = clip("one", job="j", cost_idr=165_000)
    assert outcomes(compare([line("a", job="j", micro=10_090_000)], [dear])) == {"a": LineOutcome.MATCHED}
    assert outcomes(compare([line("a", job="j", micro=10_110_000)], [dear])) == {"a": LineOutcome.PRICE_DIFFERS}


def test_rupiah_is_compared_as_it_is() -> None:
    """An amount in rupiah needs no dollar."""
    idr = replace(line("a", job="j", micro=5_775_000_000), currency="IDR")
    assert outcomes(compare([idr], [clip("one", job="j")])) == {"a": LineOutcome.MATCHED}


def test_job_billed_twice() -> None:
    """The line nearest to our price is the clip's, whichever comes first, and the other is a duplicate."""
    found = compare([line("dear", job="j", micro=700_000), line("right", job="j")], [clip("one", job="j")])
    assert outcomes(found) == {"dear": LineOutcome.DUPLICATE, "right": LineOutcome.MATCHED}
    assert pairs(found) == {"dear": "one", "right": "one"}
    unknown = compare([line("a", job="x"), line("b", job="x")], [])
    assert Counter(outcomes(unknown).values()) == {LineOutcome.THEIRS_ONLY: 1, LineOutcome.DUPLICATE: 1}


def test_job_with_another_model() -> None:
    """The job is ours, and the vendor calls it another model."""
    found = compare([line("a", job="j", model="veo3")], [clip("one", job="j")])
    assert outcomes(found) == {"a": LineOutcome.OTHER_MODEL}


def test_unclear_clip_is_evidence() -> None:
    """A clip that has not ended is evidence, by its job as by its time."""
    unclear = replace(clip("one"), has_ended=False, is_expected=False)
    found = compare([line("a", job="j")], [unclear])
    assert outcomes(found) == {"a": LineOutcome.UNCLEAR}
    assert not found.ours_only


def test_two_alike_within_a_minute() -> None:
    """Two clips of one model and price are two lines, in any order, and nothing is left over."""
    clips = [clip("one", at=0), clip("two", at=20)]
    for some in ([line("a", at=0), line("b", at=20)], [line("b", at=20), line("a", at=0)]):
        found = compare(some, clips)
        assert pairs(found) == {"a": "one", "b": "two"}
        assert not found.ours_only


def test_no_line_takes_what_another_one_needs() -> None:
    """The line that could be either takes the clip that nobody else can have."""
    clips = [clip("early", at=0), clip("late", at=200)]
    found = compare([line("a", at=-290), line("b", at=150)], clips)
    assert pairs(found) == {"a": "early", "b": "late"}


def test_other_price_needs_the_same_time() -> None:
    """Without a job id a clip at another price is found where the times agree, and not guessed where they do not."""
    near = compare([line("a", at=1, micro=700_000)], [clip("one")])
    assert outcomes(near) == {"a": LineOutcome.PRICE_DIFFERS}
    far = compare([line("a", at=-200, micro=700_000)], [clip("one")])
    assert (outcomes(far), len(far.ours_only)) == ({"a": LineOutcome.THEIRS_ONLY}, 1)


def test_day_without_a_time() -> None:
    """A line of a whole day is any clip of that day."""
    day = NOON.replace(hour=0)
    lines = [replace(line(id), begins_at=day, ends_at=day + timedelta(days=1)) for id in "ab"]
    found = compare(lines, [clip("one", at=0), clip("two", at=30_000)])
    assert set(pairs(found).values()) == {"one", "two"}


JOBS = st.sampled_from(["", "j1", "j2", "j3", "j4", "j5"])
TIMES = st.integers(-600, 600)
PRICES = st.sampled_from([350_000, 353_000, 700_000, 10_000])
MODELS = st.sampled_from(["kling-2.5", "veo3"])
LINES = st.lists(st.tuples(JOBS, TIMES, PRICES, MODELS | st.just("")), max_size=10)
CLIPS = st.lists(st.tuples(JOBS, TIMES, PRICES, MODELS), max_size=8, unique_by=lambda one: one[0] or (one[1], one[2]))


@given(LINES, CLIPS, st.randoms())
def test_every_line_and_clip_is_accounted_for(
    some: list[tuple[str, int, int, str]], sent: list[tuple[str, int, int, str]], random: st.DataObject
) -> None:
    """Each clip has one line or is ours only, each line is in one class, and the order of the lines changes nothing."""
    lines = [
        line(f"l{nth}", job=job, at=at, micro=micro, model=model) for nth, (job, at, micro, model) in enumerate(some)
    ]
    clips = [
        clip(f"c{nth}", job=job, at=at, cost_idr=micro * RATE // 10**6, model=model)
        for nth, (job, at, micro, model) in enumerate(sent)
    ]
    found = compare(lines, clips)

    of_clips = [match for match in found.matches if match.outcome in OF_OURS]
    taken = [match.clip.id for match in of_clips if match.clip]
    assert len(taken) == len(set(taken)) == len(of_clips)
    assert sorted([*taken, *(one.id for one in found.ours_only)]) == sorted(one.id for one in clips)
    counted = Counter(match.outcome for match in found.matches)
    others = counted[LineOutcome.THEIRS_ONLY] + counted[LineOutcome.DUPLICATE]
    assert len(of_clips) + others == len(lines) == len({match.line.id for match in found.matches})

    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random
    again = compare(shuffled, list(reversed(clips)))
    assert Counter((match.line.digest, match.outcome) for match in again.matches) == Counter(
        (match.line.digest, match.outcome) for match in found.matches
    )
    assert [one.id for one in sorted(again.ours_only, key=matching.begin_order(matching.WINDOWS[0]))] == [
        one.id for one in sorted(found.ours_only, key=matching.begin_order(matching.WINDOWS[0]))
    ]
