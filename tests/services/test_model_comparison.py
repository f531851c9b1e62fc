from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import select, update

from core import errors
from core.catalog.records import LifeState
from core.db import Database
from core.db.enums import Role, Status
from core.db.tables import Generation
from core.insights import model_comparison
from core.insights.model_comparison import ComparedModel, KeptShare
from core.insights.model_stats import TimeRange
from core.projects import projects
from core.spec import GenerationSpec
from core.usage.reports import UsageQuery
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.histories import Ended
from tests.factories.users import ensure_member

pytestmark = pytest.mark.both_databases  # times are told and ranked by SQL, in each database's words

DAY = date(2026, 11, 21)
CHOSEN = UsageQuery(DAY - timedelta(days=9), DAY)
ORDER = GenerationSpec(model_id="", resolution="720p", duration_seconds=5, aspect_ratio="16:9")


def project(database: Database, user: Member) -> str:
    """The id of a new project."""
    with database.write_session() as session:
        return projects.create(session, user, name="Lakes").id


def book(database: Database, user: Member, *clips: Ended) -> None:
    """Clips of one person."""
    with database.write_session() as session:
        histories.book(session, user, clips)


def judged(clip: Ended, *, kept: int, rejected: int) -> list[Ended]:
    """So many of the same clip, kept and rejected."""
    return [replace(clip, kept=True)] * kept + [replace(clip, kept=False)] * rejected


def found_of(
    database: Database, user: Member, chosen: UsageQuery = CHOSEN, order: GenerationSpec = ORDER
) -> dict[str, ComparedModel]:
    """Model id -> what is said of it."""
    with database.read_session() as session:
        return {one.model_id: one for one in model_comparison.compare(session, user, chosen, order).models}


def blame(database: Database, *codes: str | None) -> None:
    """Give the failed clips these codes, one each."""
    with database.write_session() as session:
        failed = select(Generation.id).where(Generation.status == Status.FAILED).order_by(Generation.id)
        for id, code in zip(session.scalars(failed).all(), codes, strict=True):
            session.execute(update(Generation).where(Generation.id == id).values(error_code=code))


def test_figures_of_a_model_are_those_worked_by_hand(database: Database, person: Member) -> None:
    """Price of the order, times, success, kept share with its interval, and what a kept second came to."""
    where = project(database, person)
    clip = Ended(DAY, where, "kling-2.5")
    took = [replace(clip, kept=True, took_seconds=10 * place) for place in range(1, 9)]
    book(
        database,
        person,
        *took,
        replace(clip, kept=False, took_seconds=90),
        replace(clip, kept=False, took_seconds=100),
        *[replace(clip, outcome=Status.FAILED)] * 4,
        replace(clip, outcome=Status.CANCELLED),
    )
    blame(database, "generation_failed", None, errors.ContentRefused.code, errors.BadKey.code)

    found = found_of(database, person)["kling-2.5"]

    assert found.order is not None
    assert (found.order.credits, found.order.idr, found.order.changes) == (500, 25_000, ())
    assert found.record.times == TimeRange(50, 100, 10)
    # Two of the four failures are the model's: one was refused to a person, one is of our key.
    assert (found.record.completed, found.record.ended) == (10, 12)
    assert found.record.success_rate == pytest.approx(10 / 12)
    assert (found.kept.kept, found.kept.judged, found.kept.share) == (8, 10, 0.8)
    assert found.kept.low == pytest.approx(0.49016, abs=1e-5)
    assert found.kept.high == pytest.approx(0.94332, abs=1e-5)
    # Ten clips of 500 credits for 40 seconds that were kept, at Rp 50 a credit.
    assert found.idr_per_kept_second == 6_250
    assert (found.figures.completed, found.figures.failed, found.figures.settled_credits) == (10, 4, 5000)


def test_nothing_is_told_of_what_is_kept_below_ten(database: Database, person: Member) -> None:
    """Nine judged clips say nothing; how many they are is said."""
    clip = Ended(DAY, project(database, person), "kling-2.5")
    book(database, person, *judged(clip, kept=8, rejected=1))

    found = found_of(database, person)["kling-2.5"]

    assert (found.kept.share, found.kept.low, found.kept.high, found.idr_per_kept_second) == (None, None, None, None)
    assert (found.kept.kept, found.kept.judged) == (8, 9)


def test_order_is_the_nearest_that_a_model_makes(database: Database, person: Member) -> None:
    """What had to change stands beside the price; a model that makes nothing from text alone has none."""
    found = found_of(database, person)

    veo, image_only = found["fal-veo-3.1-fast"].order, found["svd"].order
    assert veo is not None
    assert veo.credits == 730
    assert [(one.field, one.wanted, one.given) for one in veo.changes] == [("duration_seconds", 5, 6)]
    assert image_only is None
    assert not found["svd"].is_orderable
    assert "veo3" not in found  # it can be ordered no more, and nobody has used it


def test_costs_are_for_those_who_see_all_figures(database: Database, person: Member) -> None:
    """An analyst is told what the order costs us; a member is not."""
    with database.write_session() as session:
        analyst = ensure_member(session, "root@example.org", signup_credits=0, role=Role.ANALYST)
    with database.read_session() as session:
        plain = model_comparison.compare(session, person, CHOSEN, ORDER)
        told = model_comparison.compare(session, analyst, CHOSEN, ORDER)

    assert (plain.sees_costs, told.sees_costs) == (False, True)
    assert {one.order.cost_idr for one in plain.models if one.order} == {None}
    orders = {one.model_id: one.order for one in told.models if one.order}
    # $0.07 a second at Rp 16,500.
    assert (orders["kling-2.5"].cost_idr, orders["kling-2.5"].margin_idr) == (5_775, 25_000 - 5_775)
    assert (orders["seedance-t2v"].cost_idr, orders["seedance-t2v"].margin_idr) == (None, None)


def test_scopes_tell_of_their_own_clips(database: Database, person: Member) -> None:
    """A project, the workspace and everything each tell of their own clips, times and success too."""
    with database.write_session() as session:
        admin = ensure_member(session, "root@example.org", signup_credits=0, role=Role.ADMIN)
        other = ensure_member(session, "ben@example.org", signup_credits=0)
    here, beside, there = project(database, person), project(database, person), project(database, other)
    clip = Ended(DAY, here, "kling-2.5", took_seconds=20)
    book(database, person, *judged(clip, kept=9, rejected=1))
    book(database, person, *judged(replace(clip, project_id=beside, took_seconds=40), kept=0, rejected=10))
    book(database, other, *judged(replace(clip, project_id=there, took_seconds=60), kept=10, rejected=0))
    book(database, other, replace(clip, project_id=there, day=CHOSEN.since - timedelta(days=1), kept=False))

    of_project = found_of(database, person, replace(CHOSEN, project_id=here))["kling-2.5"]
    of_workspace = found_of(database, person)["kling-2.5"]
    of_all = found_of(database, admin, replace(CHOSEN, everybody=True))["kling-2.5"]

    assert [(one.kept.kept, one.kept.judged) for one in (of_project, of_workspace, of_all)] == [
        (9, 10),
        (9, 20),
        (19, 30),
    ]
    assert [one.record.times for one in (of_project, of_workspace, of_all)] == [
        TimeRange(20, 20, 10),
        TimeRange(20, 40, 20),
        TimeRange(40, 60, 30),
    ]
    assert [one.record.ended for one in (of_project, of_workspace, of_all)] == [10, 20, 30]
    with pytest.raises(errors.Forbidden):
        found_of(database, person, replace(CHOSEN, everybody=True))
    with pytest.raises(errors.NotFound):
        found_of(database, person, replace(CHOSEN, project_id=there))


def test_cheaper_model_that_keeps_as_many_is_named(database: Database, person: Member) -> None:
    """It asks less for the very same order, and its share and the begin of its interval are not lower."""
    where = project(database, person)
    book(
        database,
        person,
        *judged(Ended(DAY, where, "kling-2.5"), kept=8, rejected=2),
        *judged(Ended(DAY, where, "fal-kling-2.5-turbo"), kept=16, rejected=4),  # 320 credits, as many
        *judged(Ended(DAY, where, "replicate-seedance-1-pro"), kept=7, rejected=3),  # 250, fewer
        *judged(Ended(DAY, where, "seedance-t2v"), kept=9, rejected=0),  # 400, too few were judged
        *judged(Ended(DAY, where, "fal-hailuo-2.3", duration_seconds=6), kept=10, rejected=0),  # 250, but six seconds
    )

    found = found_of(database, person)

    assert found["kling-2.5"].cheaper == ("fal-kling-2.5-turbo",)
    assert found["fal-kling-2.5-turbo"].cheaper == ()
    assert found["seedance-t2v"].cheaper == ()


def test_model_that_is_gone_is_told_of_and_not_offered(database: Database, person: Member) -> None:
    """What was made with it counts; it has no price and is nobody's cheaper one."""
    clip = Ended(DAY, project(database, person), "kling-2.5")
    book(database, person, clip)
    with database.write_session() as session:
        session.execute(update(Generation).values(model_id="gone"))
        session.connection().exec_driver_sql("UPDATE usage_days SET model_id = 'gone'")

    found = found_of(database, person)["gone"]

    assert (found.order, found.state, found.is_orderable) == (None, LifeState.WITHDRAWN, False)
    assert (found.figures.completed, found.record.ended) == (1, 1)


def test_chosen_model_is_compared_with_all(database: Database, person: Member) -> None:
    """A chosen model or provider leaves the others out, and is still told what is cheaper."""
    where = project(database, person)
    book(
        database,
        person,
        *judged(Ended(DAY, where, "kling-2.5"), kept=8, rejected=2),
        *judged(Ended(DAY, where, "fal-kling-2.5-turbo"), kept=16, rejected=4),
    )

    found = found_of(database, person, replace(CHOSEN, model_id="kling-2.5"))

    assert [(one.model_id, one.cheaper) for one in found.values()] == [("kling-2.5", ("fal-kling-2.5-turbo",))]
    assert {one.provider for one in found_of(database, person, replace(CHOSEN, provider="fal")).values()} == {"fal"}


@pytest.mark.parametrize(
    ("kept", "judged", "low", "high"), [(0, 10, 0, 0.27753), (10, 10, 0.72247, 1), (75, 100, 0.65696, 0.82455)]
)
def test_interval_of_a_share(kept: int, judged: int, low: float, high: float) -> None:
    """It is Wilson's at 95 in 100, as tables have it."""
    found = KeptShare(kept, judged)
    assert found.low == pytest.approx(low, abs=1e-5)
    assert found.high == pytest.approx(high, abs=1e-5)


@given(st.integers(10, 10**6), st.integers(0, 10**6), st.integers(1, 100))
def test_interval_holds_its_share_and_narrows_with_more(judged: int, kept: int, times: int) -> None:
    """It lies in 0 to 1, around the share; the same share of more clips is known no less surely."""
    assume(kept <= judged)
    one, more = KeptShare(kept, judged), KeptShare(kept * times, judged * times)
    assert one.is_told
    low, share, high = (value or 0.0 for value in (one.low, one.share, one.high))
    assert 0 <= low <= share <= high <= 1
    assert low <= (more.low or 0.0) + 1e-9
    assert (more.high or 0.0) <= high + 1e-9
    assert one.keeps_as_many_as(one)
