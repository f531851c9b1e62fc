from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.billing.quote import estimated_cost_idr, quote
from core.catalog import price_list
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

DAY = date(2026, 11, 21)
CHOSEN = UsageQuery(DAY - timedelta(days=9), DAY)


def listed(model_id: str, *, base_credits: int | None = None, markup_percent: int | None = None) -> Scenario:
    """A model at its list price, with changes."""
    price = price_list.price(model_id)
    base = price.base_credits if base_credits is None else base_credits
    return Scenario(model_id, base, price.markup_percent if markup_percent is None else markup_percent)


def kind(model_id: str = "kling-2.5", *, duration_seconds: int | None = None, **changes: Any) -> ClipGroup:
    """Two clips as a model makes them by default, charged at list price, nothing reported; with changes."""
    seconds = registry.model(model_id).default_seconds
    price = quote(build_spec(model_id, duration_seconds=seconds)).total_credits
    ordered = build_spec(model_id, prompt="", duration_seconds=duration_seconds or seconds)
    return replace(ClipGroup(ordered, 2, 2 * price, 2 * price, 0), **changes)


def book(database: Database, user: Member, *clips: Ended) -> None:
    """Clips of one person."""
    with database.write_session() as session:
        histories.book(session, user, clips)


def test_same_model_at_its_list_price_changes_nothing() -> None:
    """Putting in place what was there comes to what was charged."""
    found = repricing.reprice([kind()], listed("kling-2.5"))

    assert found.was == found.would_be == GroupTotal(2, 1000, estimated_cost_idr("kling-2.5", 1000))
    assert found.impossible == {}


def test_another_model() -> None:
    """Clips are priced by their own settings with the other model, its cost estimated from its list price."""
    found = repricing.reprice([kind(duration_seconds=10)], listed("replicate-seedance-1-pro", base_credits=1000))

    assert found.was.credits == 1000
    assert found.would_be == GroupTotal(2, 2 * 1500, 2 * estimated_cost_idr("replicate-seedance-1-pro", 375))


def test_cost_does_not_follow_our_price() -> None:
    """Twice the base price is twice the charge for the same cost; another markup is another estimate."""
    plain = repricing.reprice([kind()], listed("kling-2.5"))
    dearer = repricing.reprice([kind()], listed("kling-2.5", base_credits=1000))
    leaner = repricing.reprice([kind()], listed("kling-2.5", markup_percent=550))

    assert (dearer.would_be.credits, dearer.would_be.cost_idr) == (2000, plain.would_be.cost_idr)
    assert leaner.would_be == GroupTotal(2, 1000, estimated_cost_idr("kling-2.5", 1000, markup_percent=550))
    assert leaner.would_be.cost_idr < plain.would_be.cost_idr
    assert dearer.was == leaner.was == plain.was


def test_reported_cost_stays_as_reported() -> None:
    """What a provider reported is no estimate, whatever markup is tried."""
    reported = kind(unreported_credits=0, reported_cost_microusd=1_000_000)

    found = repricing.reprice([reported], listed("kling-2.5", markup_percent=1000))

    assert found.was.cost_idr == found.would_be.cost_idr == price_list.IDR_PER_USD
    assert found.was.margin_idr == 1000 * price_list.IDR_PER_CREDIT - price_list.IDR_PER_USD


def test_what_the_other_model_cannot_make_is_listed() -> None:
    """Impossible clips stand apart with a reason, and are in neither sum."""
    long, plain = kind(duration_seconds=10), kind("seedance-t2v")

    found = repricing.reprice([long, plain], listed("nova-reel"))

    assert sum(some.clips for some in found.impossible.values()) + found.was.clips == 4
    assert message("model_makes_durations", name="Amazon Nova Reel", durations="6") in found.impossible
    assert found.was.clips == found.would_be.clips


def test_model_that_is_no_longer_offered_can_be_replaced() -> None:
    """Clips of a model that is gone have their charge and an estimate, and can be priced with another one."""
    gone = replace(kind(), spec=build_spec("gone"))

    found = repricing.reprice([gone], listed("kling-2.5"))

    assert (found.was.credits, found.would_be.credits) == (1000, 1000)
    assert found.was.cost_idr == 1000 * 50 * 100 // price_list.DEFAULT_MARKUP_PERCENT + 1


@pytest.mark.parametrize(
    ("changes", "field"), [({"base_credits": 0}, "baseCredits"), ({"markup_percent": 99}, "markupPercent")]
)
def test_change_that_cannot_be(changes: dict[str, int], field: str) -> None:
    """A price is above 0 and a markup does not give money away."""
    with pytest.raises(errors.InvalidRequest) as raised:
        listed("veo3", **changes)
    assert list(raised.value.fields) == [field]


@given(st.sampled_from(list(price_list.PRICES)), st.sampled_from(list(price_list.PRICES)), st.integers(1, 50))
def test_every_clip_is_in_one_sum(of: str, instead: str, clips: int) -> None:
    """Each clip is either priced anew or impossible, with what it was charged."""
    drawn = kind(of, clips=clips)

    found = repricing.reprice([drawn], listed(instead))

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
