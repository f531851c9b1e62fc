"""Charts of the usage page with the same figures as a table and as a file. Draws only.

The libraries behind charts and tables are as large as all the rest of the app, so they come in with this module, when
somebody opens the page for the first time; what they bring is then kept out of the garbage collector's rounds.
"""

import gc
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import altair  # noqa: F401 -- Streamlit would import it in the middle of the first chart
import pandas as pd
import pandas.io.formats.style
import pyarrow as pa
import streamlit as st

from core.usage import spreadsheet
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from pages.sections.usage import labels
from pages.sections.usage.charts import OPENED, Value
from pages.ui import downloads, wording
from pages.ui.downloads import MakeFile
from pages.ui.language import _

gc.freeze()


def charted(
    spec: dict[str, Any],
    lines: Sequence[Value],
    *,
    key: str,
    alt: str,
    percent: Sequence[str] = (),
    file: MakeFile | None = None,
    on_opened: Callable[[str, str], None] | None = None,
) -> None:
    """A chart, the same as a table behind the next tab, and as a file; the tab that is not open is not made."""
    chart_tab, table_tab = st.tabs([_("Chart"), _("Table")], key=f"usage_{key}_tabs", on_change="rerun")
    with chart_tab:
        if not spec["data"]["values"]:
            st.caption(_("None in this period."))
        elif chart_tab.open:
            chart(spec, key=key, alt=alt, on_opened=on_opened)
    with table_tab:
        if table_tab.open:
            table(lines, key=key, percent=percent, file=file)


def chart(spec: dict[str, Any], *, key: str, alt: str, on_opened: Callable[[str, str], None] | None = None) -> None:
    """A chart alone, in a place of its height, which is kept free until it is drawn.

    `on_opened` is told the day (ISO) and the series of a part that was clicked on, of bars that open.
    """
    if not spec["data"]["values"]:
        st.caption(_("None in this period."))
        return
    values = {"values": pa.Table.from_pylist(spec["data"]["values"])}  # as a list it would pass through pandas
    with st.container(height=spec["height"], border=False):
        drawn: Callable[..., Any] = partial(
            st.vega_lite_chart,
            spec=spec | {"data": values},
            width="stretch",
            height="stretch",
            alt=alt,
            key=f"usage_{key}_chart",
        )
        if on_opened is None:
            drawn()
        elif opened := drawn(on_select="rerun", selection_mode=OPENED)["selection"].get(OPENED):
            on_opened(opened[0]["at"], opened[0]["series"])


def behind(lines: Sequence[Value], *, key: str, file: MakeFile) -> None:
    """Every figure of a chart as a table and as a file, made when it is opened."""
    place = st.expander(_("Every figure as a table and as a file"), key=f"usage_{key}_lines", on_change="rerun")
    with place:
        if place.open:
            table(lines, key=key, file=file)


def table(
    lines: Sequence[Value],
    *,
    key: str,
    percent: Sequence[str] = (),
    file: MakeFile | None = None,
) -> None:
    """Lines to sort and look through, and the same as a file, or what `file` makes in its place."""
    worded = _worded(lines, percent=percent)
    st.dataframe(
        # A number format of Streamlit's own would follow the browser's language, not the one that was chosen.
        pd.DataFrame(list(lines)).style.format(worded, na_rep=labels.NONE),  # type: ignore[arg-type]  # names are labels
        hide_index=True,
        key=f"usage_{key}_table",
        height="content" if len(lines) <= 10 else 385,
    )
    _download(key, file or partial(as_file, lines))


def download_of(lines: Sequence[Value], *, key: str) -> None:
    """Lines as a file."""
    _download(key, partial(as_file, lines))


def _worded(
    lines: Sequence[Value], *, percent: Sequence[str], seconds: Sequence[str] = ()
) -> dict[str, Callable[[float], str]]:
    """How the figures of each column are written."""
    found: dict[str, Callable[[float], str]] = {
        name: wording.decimal for line in lines[:1] for name, value in line.items() if not isinstance(value, str)
    }
    return found | dict.fromkeys(percent, wording.share) | dict.fromkeys(seconds, labels.seconds)


def _download(key: str, make: MakeFile) -> None:
    downloads.figures(make, name=f"usage-{key}", key=f"usage_{key}")


def as_file(lines: Sequence[Value], form: SpreadsheetFormat, separator: Separator = Separator.COMMA) -> bytes:
    """The lines as a file for spreadsheets; texts can run nothing there."""
    heads = list(lines[0]) if lines else []
    return b"".join(spreadsheet.write([heads, *(list(line.values()) for line in lines)], form, separator))
