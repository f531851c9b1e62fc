from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.providers import registry
from pages.sections.usage import labels
from pages.ui import language, time_zone, wording

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def test_every_number_is_grouped_as_the_reader_does() -> None:
    """Credits and rupiah alike, 50 rupiah a credit: with commas in English, with points in Indonesian."""
    assert wording.priced(2500) == "2,500 credits"
    assert wording.priced(1) == "1 credit"
    assert wording.worth(2500) == "Rp 125,000"
    assert wording.rupiah(1_234_567) == "Rp 1,234,567"
    assert wording.rupiah_in_short(848_044_997) == "Rp 848M"
    assert wording.rupiah_in_short(-1_484_077_503) == "Rp -1.5B"
    with language.using_language("id"):
        assert (wording.priced(2500), wording.worth(2500)) == ("2.500 kredit", "Rp 125.000")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3600, "1 h ago"),
        (86_400, "1 day ago"),
        (29 * 86_400, "29 days ago"),
        (31 * 86_400, "21 Oct 2026"),
    ],
)
def test_age_uses_the_largest_unit_that_fits(seconds: int, said: str) -> None:
    """Rough while it is recent, a date when it is not; a clock that is off is not a future."""
    assert wording.age(NOW - timedelta(seconds=seconds), NOW) == said


def test_every_price_line_has_a_name() -> None:
    """No line of a quote is shown by its inner word, and a share of the base price is said."""
    assert wording.line("resolution", 30) == "Resolution (+30%)"
    of_images = ("startImage", "endImage", "images", "references")
    for kind in ("base", "resolution", "duration", *of_images, "audio", "promptEnhancement"):
        assert wording.line(kind, None) != kind


def test_money_of_a_provider_is_in_its_currency() -> None:
    """Rupiah as everywhere; other money with two decimals at least, written as the reader does."""
    assert wording.money(Decimal("1636"), "IDR") == "Rp 1,636"
    assert wording.money(Decimal("1234.4"), "USD") == "1,234.40 USD"
    with language.using_language("id"):
        assert wording.money(Decimal("0.4275"), "USD") == "0,4275 USD"


def test_large_amounts_of_an_axis_have_the_letters_of_the_language() -> None:
    """A thousand million is B in English and M in Indonesian, where a million is jt."""
    assert "datum.value / 1e9, '~r') + 'B'" in labels.axis_label()
    with language.using_language("id"):
        assert "datum.value / 1e9, '~r') + '\N{NO-BREAK SPACE}M'" in labels.axis_label()
        assert "datum.value / 1e6, '~r') + '\N{NO-BREAK SPACE}jt'" in labels.axis_label()


def test_lengths_of_every_model_are_worded() -> None:
    """One length, two, or a range."""
    assert wording.lengths(registry.model("veo3")) == "8 s"
    assert wording.lengths(registry.model("kling-2.5")) == "5 or 10 s"
    assert wording.lengths(registry.model("demo-film")) == "1 to 16 s"


def test_sound_that_is_always_there_is_no_choice() -> None:
    """What was ordered is said, but for a model that makes sound whatever was ordered, and one that is gone."""
    demo = registry.model("demo-film")
    loud = replace(demo, always_audio=True)
    asked = [wording.sound(*each) for each in ((True, demo), (False, demo), (False, loud), (True, None))]
    assert asked == ["on", "off", "always", "on"]


def test_reference_is_named_by_its_role() -> None:
    """A usual role in words, another as its model names it, none without."""
    assert [wording.reference(role) for role in ("asset", "first-pass", "")] == [
        "Reference (subject)",
        "Reference (first-pass)",
        "Reference",
    ]


def test_moment_is_told_in_a_zone_by_its_name() -> None:
    """That of a browser where there is one, here none; a zone without a name of its own is told by its distance."""
    assert wording.moment(NOW) == "21 Nov 2026, 09:30:00 UTC"
    assert wording.minute(NOW, ZoneInfo("Asia/Jakarta")) == "21 Nov 2026, 16:30 WIB"
    assert wording.minute(NOW, ZoneInfo("Asia/Dubai")) == "21 Nov 2026, 13:30 UTC+04"
    assert wording.moment(NOW.replace(hour=1), ZoneInfo("America/New_York")) == "20 Nov 2026, 20:30:00 EST"


@pytest.mark.parametrize("said", ["Nowhere/At_all", "../etc/passwd", "", "a" * 5000, "Asia"])
def test_zone_that_is_none_is_utc(said: str) -> None:
    """A browser may say anything, and its page is drawn."""
    assert time_zone.named(said) == UTC
