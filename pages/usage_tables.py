"""Charts of the usage page with the same figures as a table and as a file. Draws only."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core import usage_csv
from pages import usage_wording, wording
from pages.language import _
from pages.usage_charts import Value


def charted(
    spec: dict[str, Any],
    lines: Sequence[Value],
    *,
    key: str,
    alt: str,
    percent: Sequence[str] = (),
    csv: Callable[[], bytes] | None = None,
) -> None:
    """A chart, the same as a table behind the next tab, and as a file."""
    chart_tab, table_tab = st.tabs([_("Chart"), _("Table")], key=f"usage_{key}_tabs")
    with chart_tab:
        if spec["data"]["values"]:
            st.vega_lite_chart(spec=spec, width="stretch", alt=alt, key=f"usage_{key}_chart")
        else:
            st.caption(_("None in this period."))
    with table_tab:
        table(lines, key=key, percent=percent, csv=csv)


def table(
    lines: Sequence[Value],
    *,
    key: str,
    percent: Sequence[str] = (),
    seconds: Sequence[str] = (),
    csv: Callable[[], bytes] | None = None,
) -> None:
    """Lines to sort and look through, and the same as CSV, or what `csv` makes in its place."""
    worded: dict[str, Callable[[float], str]] = {
        name: wording.decimal for line in lines[:1] for name, value in line.items() if not isinstance(value, str)
    }
    worded |= dict.fromkeys(percent, wording.share) | dict.fromkeys(seconds, usage_wording.seconds)
    st.dataframe(
        # A number format of Streamlit's own would follow the browser's language, not the one that was chosen.
        pd.DataFrame(list(lines)).style.format(worded, na_rep=usage_wording.NONE),  # type: ignore[arg-type]  # names are labels
        hide_index=True,
        key=f"usage_{key}_table",
        height="content" if len(lines) <= 10 else 385,
    )
    st.download_button(
        _("Download CSV"),
        data=csv or (lambda: as_csv(lines)),
        file_name=f"usage-{key}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"usage_{key}_csv",
    )


def as_csv(lines: Sequence[Value]) -> bytes:
    """The lines as a file for spreadsheets; texts can run nothing there."""
    heads = list(lines[0]) if lines else []
    written = ([usage_csv.harmless(v) if isinstance(v, str) else v for v in line.values()] for line in lines)
    return b"".join(usage_csv.table([heads, *written]))
