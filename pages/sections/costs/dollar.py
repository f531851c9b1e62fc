"""What a dollar is taken for, and the form that sets it from a day on, for administrators."""

from datetime import UTC, date, datetime, time

import streamlit as st

from core import db
from core.clock import utc_now
from core.usage import exchange_rates
from core.usage.exchange_rates import LEAST_IDR_PER_USD, MOST_IDR_PER_USD
from pages.ui import components, current_member, wording
from pages.ui.language import _

RATES_SHOWN = 12


def form() -> None:
    """The rates there are, and a further one."""
    st.header(_("The dollar"), anchor=False)
    now = utc_now()
    with db.read_session() as session:
        rates = exchange_rates.rates(session, current_member.administrator())
        today_idr = exchange_rates.at(session, now)
    components.table(
        [_("From"), _("Rupiah for a dollar")],
        [
            (wording.moment(rate.since, UTC) if rate.since else _("always"), wording.rupiah(rate.idr_per_usd))
            for rate in rates[:RATES_SHOWN]
        ],
        numbers=(1,),
    )
    st.caption(
        _(
            "Providers are paid in dollars. Each order keeps the dollar of its own moment: what was counted does not "
            "change. Prices in credits do not follow it either, margins do."
        )
    )
    with st.form("admin_dollar", border=True):
        with st.grid(2, min_column_width=200, vertical_alignment="bottom"):
            idr_per_usd = st.number_input(
                _("Rupiah for a dollar"),
                min_value=LEAST_IDR_PER_USD,
                max_value=MOST_IDR_PER_USD,
                value=today_idr,
                step=50,
                key="admin_dollar_idr",
            )
            since = st.date_input(
                _("From this day on, UTC"),
                min_value=now.date(),
                value=now.date(),
                format="YYYY-MM-DD",
                key="admin_dollar_since",
                help=_("Today is from now on."),
            )
        if st.form_submit_button(_("Set the dollar"), type="primary"):
            _set(int(idr_per_usd or today_idr), since if isinstance(since, date) else now.date())


def _set(idr_per_usd: int, day: date) -> None:
    """At once where the day has begun."""
    begins = datetime.combine(day, time(), UTC)
    since = begins if begins > utc_now() else None
    components.save_and_rerun(
        lambda session: exchange_rates.set_rate(
            session, current_member.administrator(), idr_per_usd=idr_per_usd, since=since
        ),
        done=_("A dollar is {rate}.").format(rate=wording.rupiah(idr_per_usd)),
    )
