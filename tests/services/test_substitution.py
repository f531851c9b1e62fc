from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.db import Database
from core.messages import message
from core.projects import projects
from core.usage import reports, repricing, substitution
from core.usage.reports import UsageQuery
from core.usage.repricing import ClipGroup, GroupTotal
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.generations import build_spec
from tests.factories.histories import Ended
from tests.unit.test_price_list import PUBLISHED

DAY = date(2026, 11, 21)
CHOSEN = UsageQuery(DAY - timedelta(days=9), DAY)


def group(model_id: str = "kling-2.5", clips: int = 2, **settings: object) -> ClipGroup:
    """Clips that were charged 500 credits each and cost Rp 1,000 each."""
    spec = build_spec(model_id, prompt="", **settings)
    return ClipGroup(spec, clips, 500 * clips, 0, reported_cost_idr=1000 * clips)


@pytest.mark.both_databases
def test_clips_of_one_model_on_another(database: Database, person: Member) -> None:
    """They are the chosen ones of this model, each as the nearest order, against what was charged for the very same."""
    with database.write_session() as session:
        mine = projects.create(session, person, name="P").id
        short = Ended(DAY, mine, "kling-2.5", duration_seconds=5)
        long = replace(short, duration_seconds=10)
        clips = [short, short, long, replace(short, day=DAY - timedelta(days=10)), replace(short, model_id="veo2")]
        histories.book(session, person, [*clips, replace(short, reported_usd=Decimal("0.5"))])
    with database.read_session() as session:
        found = substitution.substitute(
            session, person, CHOSEN, model_id="kling-2.5", with_model_id="fal-kling-2.5-turbo"
        )
        sixes = substitution.substitute(session, person, CHOSEN, model_id="kling-2.5", with_model_id="nova-reel")
        charged = reports.total(session, person, replace(CHOSEN, model_id="kling-2.5"))

    assert (found.of_clips, found.clips, found.as_ordered, found.changes) == (4, 4, 4, [])
    assert (found.coverage, found.was_seconds, found.would_be_seconds) == (1, 25, 25)
    assert found.was == GroupTotal(4, charged.settled_credits, charged.cost_idr)
    # 3 * 320, and twice the length for the long one; $0.07 a second at Rp 16,500.
    assert found.would_be.clips == 4
    assert found.would_be.cost_idr == 25 * 1_155
    # Amazon Nova Reel makes six seconds and nothing else, for 400 credits.
    assert (sixes.as_ordered, sixes.was_seconds, sixes.would_be_seconds) == (0, 25, 24)
    assert sorted(
        (one.adjustment.field, one.adjustment.wanted, one.adjustment.given, one.clips) for one in sixes.changes
    ) == [
        ("duration_seconds", 5, 6, 3),
        ("duration_seconds", 10, 6, 1),
    ]
    assert sixes.would_be.credits == 4 * 400


def test_what_only_a_person_could_give_is_not_made_up() -> None:
    """A model that needs a start image makes only the clips that had one; the others are told of, in no sum."""
    plain, framed = group(clips=3), group(clips=2, start_image_key="given")

    found = substitution.of_groups([plain, framed], model_id="kling-2.5", with_model_id="svd", of_clips=5)

    assert (found.was.clips, found.would_be.clips, found.coverage) == (2, 2, 0.4)
    assert found.impossible == {message("needs_start_image", name="Stable Video Diffusion"): GroupTotal(3, 1500, 3000)}


def test_clips_that_differ_by_seed_are_one_kind() -> None:
    """A seed that the other model does not take is left out, once for all of them."""
    seeded = [group("replicate-seedance-1-pro", clips=1, seed=seed) for seed in range(40)]

    found = substitution.of_groups(
        seeded, model_id="replicate-seedance-1-pro", with_model_id="seedance-t2v", of_clips=40
    )

    assert (found.was.clips, found.was.credits, found.as_ordered) == (40, 20_000, 0)
    assert [(one.adjustment.field, one.adjustment.given, one.clips) for one in found.changes] == [("seed", None, 40)]


def test_same_model_changes_nothing_but_the_price() -> None:
    """A model in its own place makes everything as it was ordered, at its own cost."""
    found = substitution.of_groups([group()], model_id="kling-2.5", with_model_id="kling-2.5", of_clips=2)

    assert (found.as_ordered, found.changes, found.impossible) == (2, [], {})
    assert found.would_be == GroupTotal(2, 1000, 2000)


def test_model_that_there_is_not() -> None:
    """Nothing can be priced with it, not even no clip."""
    with pytest.raises(errors.InvalidRequest):
        substitution.of_groups([], model_id="kling-2.5", with_model_id="nobody", of_clips=0)


@given(
    st.sampled_from(sorted(PUBLISHED)),
    st.sampled_from(sorted(PUBLISHED)),
    st.integers(1, 50),
    st.integers(1, 16),
    st.booleans(),
)
def test_every_clip_is_in_one_sum(of: str, instead: str, clips: int, seconds: int, framed: bool) -> None:
    """Each clip is either made, as ordered or changed, or impossible; and never is one made dearer by being counted."""
    drawn = group(of, clips, duration_seconds=seconds, start_image_key="given" if framed else None)

    found = substitution.of_groups([drawn], model_id=of, with_model_id=instead, of_clips=clips)
    left_out = sum(found.impossible.values(), repricing.GroupTotal())

    assert found.clips == clips == found.was.clips + left_out.clips
    assert found.was.clips == found.would_be.clips >= found.as_ordered
    assert found.was.credits + left_out.credits == drawn.charged_credits
    assert all(change.clips <= found.was.clips for change in found.changes)
