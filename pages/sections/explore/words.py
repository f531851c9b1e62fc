"""What the explorer's dimensions, values and figures are called in the reader's language; nothing is drawn here."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from babel import dates, numbers

from core.catalog import price_list
from core.db.enums import Status
from core.usage.dimensions import UNKNOWN, Dimension, Interval, Value
from core.usage.exploration import Amounts, Measure
from core.usage.views import Unit, Whose
from pages.sections.usage import labels, reasons
from pages.ui import language, wording
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

DIMENSIONS = TranslatedLabels(
    {
        Dimension.PERSON: N_("Person"),
        Dimension.PROJECT: N_("Project"),
        Dimension.MODEL: N_("Model"),
        Dimension.PROVIDER: N_("Provider"),
        Dimension.OUTCOME: N_("Outcome"),
        Dimension.REASON: N_("Reason"),
        Dimension.TAG: N_("Tag"),
        Dimension.WEEKDAY: N_("Day of week"),
        Dimension.WORKSPACE: N_("Workspace"),
    }
)
INTERVALS = TranslatedLabels({Interval.DAY: N_("Daily"), Interval.WEEK: N_("Weekly"), Interval.MONTH: N_("Monthly")})
MEASURES = TranslatedLabels(
    {
        Measure.SPENT: N_("Spent"),
        Measure.RETURNED: N_("Returned"),
        Measure.CLIPS: N_("Clips"),
        Measure.SECONDS: N_("Seconds of video"),
    }
)
UNITS = TranslatedLabels({Unit.CREDITS: N_("Credits"), Unit.IDR: N_("Rupiah"), Unit.USD: N_("Dollars")})
WHOSE = TranslatedLabels(
    {Whose.PRESENT: N_("This workspace"), Whose.MINE: N_("All my workspaces"), Whose.ALL: N_("Everybody")}
)
REASONS = TranslatedLabels(
    {
        Status.COMPLETED.value: N_("Delivered"),
        Status.CANCELLED.value: N_("Cancelled"),
        UNKNOWN: N_("Not known"),
    }
)
MONEY = frozenset({Measure.SPENT, Measure.RETURNED})


def value(dimension: Dimension, of: Value) -> str:
    """What a value is called."""
    if dimension is Dimension.OUTCOME:
        return wording.STATUS[Status(of.key)] if of.key else _("Not known")
    if dimension is Dimension.REASON:
        return REASONS[of.key] if of.key in REASONS else reasons.failure(of.key)
    if dimension is Dimension.TAG:
        return of.key or _("No tag")
    if dimension is Dimension.WEEKDAY:
        return str(dates.get_day_names("wide", locale=language.locale())[int(of.key) - 1]).capitalize()
    return of.shown


def names(by: Sequence[Dimension], values: Sequence[Value]) -> list[str]:
    """What the values of a row are called."""
    return [value(dimension, each) for dimension, each in zip(by, values, strict=True)]


def figure(amounts: Amounts, measure: Measure, unit: Unit) -> float:
    """What is charted and sorted by: credits, rupiah or dollars, else clips or seconds."""
    if measure not in MONEY or unit is Unit.CREDITS:
        return amounts.of(measure)
    if unit is Unit.IDR:
        return amounts.of(measure) * price_list.IDR_PER_CREDIT
    return (amounts.spent_microusd if measure is Measure.SPENT else amounts.returned_microusd) / 1_000_000


def written(amount: float, measure: Measure, unit: Unit) -> str:
    """A figure as it stands in a column whose head says of what."""
    if measure in MONEY and unit is Unit.USD:
        return numbers.format_decimal(Decimal(str(round(amount, 2))), format="#,##0.00", locale=language.locale())
    return wording.credits(round(amount))


def told(amount: float, measure: Measure, unit: Unit) -> str:
    """A figure in a sentence: `407,314 credits`, `Rp 20,365,700`, `1,234.29 USD`, `12 clips`, `60 s`."""
    if measure in MONEY:
        ways: dict[Unit, Callable[[], str]] = {
            Unit.CREDITS: lambda: wording.priced(round(amount)),
            Unit.IDR: lambda: wording.rupiah(round(amount)),
            Unit.USD: lambda: wording.money(Decimal(str(round(amount, 2))), "USD"),
        }
        return ways[unit]()
    return labels.clips(round(amount)) if measure is Measure.CLIPS else labels.seconds(amount)


def head(measure: Measure, unit: Unit) -> str:
    """The head of the measure's column, and the title of its axis."""
    if measure not in MONEY:
        return MEASURES[measure]
    of = "Rp" if unit is Unit.IDR else "US$" if unit is Unit.USD else _("Credits")
    return of if measure is Measure.SPENT else _("Returned, {unit}").format(unit=of)
