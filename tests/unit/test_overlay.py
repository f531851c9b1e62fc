"""What administrators say, laid over what files say: by moment, in the order it was said, and nothing else moves."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.catalog import catalogue, overlay
from core.catalog.catalogue import Catalogue
from core.catalog.overlay import Change
from core.catalog.records import LifeState, PerSecondPrice, PublishedPrice
from core.db.enums import ChangeKind
from core.providers.model_files import BadRecord

DAY = timedelta(days=1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
BASE = catalogue.shipped()
BASE_DAY = BASE.get("veo3").prices[0].since
ADDED = {
    "id": "demo/short",
    "provider": "demo",
    "name": "Short Film",
    "description": "Two seconds.",
    "default_seconds": 2,
    "durations": [2],
    "resolutions": ["720p"],
    "aspect_ratios": ["16:9"],
    "prices": [{"since": "2027-03-01", "credits_per_second": {"720p": 7}}],
}


def said(
    number: int, kind: ChangeKind, value: Mapping[str, Any], since: datetime = NOON, model: str = "veo3"
) -> Change:
    """A change that was made."""
    return Change(number, model, kind, since, value)


def laid(*changes: Change) -> Catalogue:
    """All of them over what files say; none may be left out."""
    found = overlay.apply(BASE, changes)
    assert not found.left_out
    return found.catalogue


def test_price_when_it_begins_at_a_moment() -> None:
    """The price before holds until that very moment, to the second, and the new one from it on."""
    entry = laid(said(1, ChangeKind.PRICE, {"base_credits": 2600, "default_seconds": 8})).get("veo3")

    before, after = entry.price(NOON - timedelta(seconds=1)), entry.price(NOON)
    assert isinstance(before, PublishedPrice)
    assert isinstance(after, PublishedPrice)
    assert (before.base_credits, after.base_credits) == (2500, 2600)
    assert laid().get("veo3").price(NOON) == before


def test_price_when_a_later_release_says_otherwise() -> None:
    """An administrator's price holds against one that files begin after it; older ones of the files stay."""
    own = said(1, ChangeKind.PRICE, {"credits_per_second": {"720p": 300, "1080p": 400}}, since=BASE_DAY - DAY)
    entry = laid(own).get("veo3")

    assert isinstance(entry.price(NOON), PerSecondPrice)
    assert len(entry.prices) == 1


def test_life_when_several_words_are_said() -> None:
    """The newest word that has begun counts, whoever said it, and the successor comes with it."""
    found = laid(
        said(1, ChangeKind.LIFE, {"state": "withdrawn", "successor": "veo2", "reason": "Gone."}),
        said(2, ChangeKind.LIFE, {"state": "available"}, since=NOON + DAY),
        said(3, ChangeKind.LIFE, {"state": "hidden"}, since=NOON + 2 * DAY),
    ).get("veo3")

    at = [found.state(NOON + days * DAY) for days in range(3)]
    assert at == [LifeState.WITHDRAWN, LifeState.AVAILABLE, LifeState.HIDDEN]
    life = found.life(NOON)
    assert life is not None
    assert (life.successor, life.reason) == ("veo2", "Gone.")


def test_vendor_id_when_it_is_changed() -> None:
    """The vendor's id is another from the moment on, and the rest of the model stays."""
    entry = laid(said(1, ChangeKind.VENDOR_ID, {"upstream_id": "veo-3.1"})).get("veo3")

    assert entry.model_at(NOON).upstream_id == "veo-3.1"
    assert entry.model_at(NOON - DAY) == BASE.get("veo3").model == entry.model


def test_position_when_models_are_moved() -> None:
    """A model comes before the one that is named, or last; the others keep their order."""
    order = list(BASE.entries)

    moved = list(
        laid(
            said(1, ChangeKind.POSITION, {"before": "veo3"}, model="demo-film"),
            said(2, ChangeKind.POSITION, {"before": None}, model="veo2"),
        ).entries
    )

    rest = [model_id for model_id in order if model_id not in ("demo-film", "veo2")]
    assert moved == ["demo-film", *rest, "veo2"]


def test_change_when_it_was_taken_back() -> None:
    """A change that was taken back never begins."""
    assert laid(
        said(1, ChangeKind.LIFE, {"state": "hidden"}), said(2, ChangeKind.TAKEN_BACK, {"change": 1})
    ).entries == dict(BASE.entries)


def test_record_when_a_model_is_added() -> None:
    """An added model stands last, with its price and marked as added; a newer record changes what it makes only."""
    found = laid(said(1, ChangeKind.RECORD, ADDED, model="demo/short"))

    assert list(found.entries) == [*BASE.entries, "demo/short"]
    entry = found.get("demo/short")
    assert (entry.added, entry.model.provider, entry.model.durations) == (True, "demo", (2,))
    newer = {name: value for name, value in ADDED.items() if name != "prices"} | {"durations": [2, 3]}
    changed = laid(
        said(1, ChangeKind.RECORD, ADDED, model="demo/short"),
        said(2, ChangeKind.PRICE, {"credits_per_second": {"720p": 9}}, since=NOON + DAY, model="demo/short"),
        said(3, ChangeKind.RECORD, newer, model="demo/short"),
    ).get("demo/short")
    assert changed.model.durations == (2, 3)
    rates = [price.credits_per_second for price in changed.prices if isinstance(price, PerSecondPrice)]
    assert rates == [{"720p": 7}, {"720p": 9}]


def test_change_when_it_cannot_be_laid_over() -> None:
    """What is about a model that is gone, or of another release, is left out and told; the rest holds."""
    found = overlay.apply(
        BASE,
        [
            said(1, ChangeKind.LIFE, {"state": "hidden"}, model="gone"),
            said(2, ChangeKind.LIFE, {"state": "asleep"}),
            said(3, ChangeKind.LIFE, {"state": "hidden"}),
        ],
    )

    assert [change.id for change, _why in found.left_out] == [1, 2]
    assert found.catalogue.get("veo3").state(NOON) is LifeState.HIDDEN


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        (ChangeKind.LIFE, {"state": "asleep"}, "state"),
        (ChangeKind.LIFE, {"state": "hidden", "since": "2027-01-01"}, "since"),
        (ChangeKind.PRICE, {"base_credits": 0, "default_seconds": 8}, "base_credits"),
        (ChangeKind.PRICE, {"credits_per_second": {"720p": 1.5}}, "credits_per_second.720p"),
        (ChangeKind.COST, {"source": "", "per_call": 1, "per_second": {"any": 1}}, ""),
        (ChangeKind.VENDOR_ID, {"upstream_id": ""}, "upstream_id"),
        (ChangeKind.VENDOR_ID, {"upstream_id": "x", "why": "y"}, "why"),
    ],
)
def test_read_when_a_field_is_wrong(kind: ChangeKind, value: Mapping[str, Any], field: str) -> None:
    """What cannot be said is refused with the field that is wrong."""
    with pytest.raises(BadRecord) as refused:
        overlay.read(kind, value, NOON)
    assert refused.value.field == field


def test_table_of_what_is_said() -> None:
    """What is said of a model can be written as the table of a record and read again, the same."""
    for entry in BASE.entries.values():
        for price in entry.prices:
            table = overlay.table_of(price)
            since = datetime.fromisoformat(table.pop("since"))
            assert overlay.read(ChangeKind.PRICE, table, since) == price
