from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.billing import pricing
from core.billing.quote import idr_of_microusd
from core.catalog.price_list import IDR_PER_CREDIT, IDR_PER_USD
from core.db import Database
from core.db.enums import Role, Status
from core.messages import message
from core.projects import projects
from core.providers import registry
from core.usage import reports, repricing
from core.usage.reports import UsageQuery
from core.usage.repricing import ClipGroup, GroupTotal, Scenario
from core.workspaces.access import Member
from tests.factories import histories
from tests.factories.generations import build_spec
from tests.factories.histories import Ended
from tests.factories.users import ensure_member
from tests.unit.test_price_list import PUBLISHED

DAY = date(2026, 11, 21)
CHOSEN = UsageQuery(DAY - timedelta(days=9), DAY)


def kind(model_id: str = "kling-2.5", *, duration_seconds: int | None = None, **changes: Any) -> ClipGroup:
    """Two clips as a model makes them by default, charged and estimated by the lists; with changes."""
    seconds = registry.model(model_id).default_seconds
    ordered = build_spec(model_id, prompt="", duration_seconds=seconds)
    price, estimate = pricing.priced(ordered).total_credits, pricing.estimated_cost(ordered)
    found = ClipGroup(replace(ordered, duration_seconds=duration_seconds or seconds), 2, 2 * price, 2 * price)
    if estimate is None:
        return replace(found, cost_unknown_clips=2, **changes)
    cost_idr = 2 * idr_of_microusd(estimate.microusd, IDR_PER_USD)
    found = replace(found, estimated_cost_microusd=2 * estimate.microusd, estimated_cost_idr=cost_idr)
    return replace(found, **changes)


def book(database: Database, user: Member, *clips: Ended) -> None:
    """Clips of one person."""
    with database.write_session() as session:
        histories.book(session, user, clips)


def test_same_model_as_it_is_changes_nothing() -> None:
    """Putting in place what was there comes to what was charged, at the vendor's $0.07 a second."""
    found = repricing.reprice([kind()], Scenario("kling-2.5"))

    assert found.was == found.would_be == GroupTotal(2, 1000, 2 * 5_775)
    assert found.impossible == {}


def test_another_model() -> None:
    """Clips are priced by their own settings with the other model, its cost estimated from its vendor's price."""
    found = repricing.reprice([kind(duration_seconds=10)], Scenario("replicate-seedance-1-pro", base_credits=1000))

    assert found.was.credits == 1000
    assert found.would_be == GroupTotal(2, 2 * 1500, 2 * 9_900)  # 10 s * $0.06 * Rp 16,500


def test_another_model_when_nobody_knows_its_cost() -> None:
    """Its clips are in no cost, and told apart."""
    found = repricing.reprice([kind("seedance-t2v")], Scenario("veo3"))
    assert found.impossible
    found = repricing.reprice([kind("fal-kling-2.5-turbo")], Scenario("seedance-t2v"))
    assert found.would_be == GroupTotal(2, 800, 0, 2)


def test_cost_does_not_follow_our_price() -> None:
    """Twice the base price is twice the charge for the same cost."""
    plain = repricing.reprice([kind()], Scenario("kling-2.5"))
    dearer = repricing.reprice([kind()], Scenario("kling-2.5", base_credits=1000))

    assert (dearer.would_be.credits, dearer.would_be.cost_idr) == (2000, plain.would_be.cost_idr)
    assert dearer.was == plain.was


@pytest.mark.parametrize(
    ("change", "cost_idr"),
    [
        ({"vendor_percent": 150}, 17_325),
        ({"idr_per_usd": 33_000}, 23_100),
        ({"vendor_percent": 50, "idr_per_usd": 33_000}, 11_550),
        # With a markup it is that share of the price: Rp 50,000 over 5.5.
        ({"markup_percent": 550}, 9_091),
        ({"markup_percent": 550, "vendor_percent": 200}, 18_182),
    ],
)
def test_cost_follows_the_vendor_and_the_dollar(change: dict[str, int], cost_idr: int) -> None:
    """What the vendor takes, a dollar and a markup change the cost, and nothing that was charged."""
    found = repricing.reprice([kind()], Scenario("kling-2.5", **change))

    assert found.was == GroupTotal(2, 1000, 11_550)
    assert found.would_be == GroupTotal(2, 1000, cost_idr)


def test_reported_cost_stays_as_reported() -> None:
    """What a provider reported is no estimate, whatever markup is tried; it follows the dollar like all costs."""
    reported = kind(
        unreported_credits=0,
        reported_cost_microusd=1_000_000,
        reported_cost_idr=16_000,  # the dollar of then
        estimated_cost_microusd=0,
        estimated_cost_idr=0,
    )

    found = repricing.reprice([reported], Scenario("kling-2.5", markup_percent=1000))
    at_another = repricing.reprice([reported], Scenario("kling-2.5", idr_per_usd=20_000))

    assert found.was.cost_idr == found.would_be.cost_idr == at_another.was.cost_idr == 16_000
    assert found.was.margin_idr == 1000 * IDR_PER_CREDIT - 16_000
    assert at_another.would_be.cost_idr == 20_000


def test_what_the_other_model_cannot_make_is_listed() -> None:
    """Impossible clips stand apart with a reason, and are in neither sum."""
    long, plain = kind(duration_seconds=10), kind("seedance-t2v")

    found = repricing.reprice([long, plain], Scenario("nova-reel"))

    assert sum(some.clips for some in found.impossible.values()) + found.was.clips == 4
    assert message("model_makes_durations", name="Amazon Nova Reel", durations="6") in found.impossible
    assert found.was.clips == found.would_be.clips


def test_model_that_is_no_longer_offered_can_be_replaced() -> None:
    """Clips of a model that is gone have their charge and an estimate, and can be priced with another one."""
    gone = replace(kind(), spec=build_spec("gone"))

    found = repricing.reprice([gone], Scenario("kling-2.5"))

    assert (found.was.credits, found.would_be.credits) == (1000, 1000)
    assert found.was.cost_idr == 11_550


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"base_credits": 0}, "baseCredits"),
        ({"markup_percent": 99}, "markupPercent"),
        ({"vendor_percent": 0}, "vendorPercent"),
    ],
)
def test_change_that_cannot_be(changes: dict[str, int], field: str) -> None:
    """A price is above 0, a markup does not give money away, and a vendor takes something."""
    with pytest.raises(errors.InvalidRequest) as raised:
        Scenario("veo3", **changes)
    assert list(raised.value.fields) == [field]


@given(st.sampled_from(sorted(PUBLISHED)), st.sampled_from(sorted(PUBLISHED)), st.integers(1, 50))
def test_every_clip_is_in_one_sum(of: str, instead: str, clips: int) -> None:
    """Each clip is either priced anew or impossible, with what it was charged."""
    drawn = kind(of, clips=clips)

    found = repricing.reprice([drawn], Scenario(instead))

    assert found.was.clips + sum(some.clips for some in found.impossible.values()) == clips
    assert found.was.credits + sum(some.credits for some in found.impossible.values()) == drawn.charged_credits


def test_kinds_are_counted_from_charged_clips(database: Database, person: Member) -> None:
    """Alike clips are counted together; failed ones, other days and other people's are not in it."""
    with database.write_session() as session:
        other = ensure_member(session, "ben@example.org", signup_credits=0)
        mine, second, theirs = (projects.create(session, who, name="P").id for who in (person, person, other))
    wide, framed = Ended(DAY, mine, "kling-2.5"), Ended(DAY, mine, "kling-2.5", start_image=True, negative_prompt="fog")
    book(
        database,
        person,
        wide,
        wide,
        framed,
        replace(wide, reported_usd=Decimal("0.123456")),
        replace(wide, outcome=Status.FAILED),
        replace(wide, day=DAY - timedelta(days=10)),
        replace(wide, project_id=second, model_id="veo3", duration_seconds=8),
    )
    book(database, other, replace(wide, project_id=theirs))
    with database.read_session() as session:
        found = repricing.clip_groups(session, person, CHOSEN)
        of_one = repricing.clip_groups(session, person, replace(CHOSEN, project_id=second))
        completed = reports.total(session, person, CHOSEN).completed

    assert sorted(
        (k.spec.model_id, k.spec.start_image_key is not None, k.spec.negative_prompt != "", k.clips, k.charged_credits)
        for k in found
    ) == [
        ("kling-2.5", False, False, 3, 1500),
        ("kling-2.5", True, True, 1, 600),
        ("veo3", False, False, 1, 2500),
    ]
    [reported] = [k for k in found if k.reported_cost_microusd]
    assert (reported.reported_cost_microusd, reported.unreported_credits) == (123_456, 1000)
    assert [k.spec.model_id for k in of_one] == ["veo3"]
    assert sum(k.clips for k in found) == completed


def test_kinds_of_everybody(database: Database, person: Member) -> None:
    """An administrator re-prices all people's clips; nobody else does."""
    with database.write_session() as session:
        admin = ensure_member(session, "root@example.org", signup_credits=0, role=Role.ADMIN)
        mine = projects.create(session, person, name="P").id
    book(database, person, Ended(DAY, mine, "demo-film"))
    everybody = replace(CHOSEN, everybody=True)
    with database.read_session() as session:
        assert [k.clips for k in repricing.clip_groups(session, admin, everybody)] == [1]
        assert [k.clips for k in repricing.clip_groups(session, admin, replace(everybody, user_id=person.id))] == [1]
        assert repricing.clip_groups(session, admin, CHOSEN) == []
        with pytest.raises(errors.Forbidden):
            repricing.clip_groups(session, person, everybody)
