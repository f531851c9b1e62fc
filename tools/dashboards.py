"""Builds the dashboard for Grafana: `python -m tools.dashboards` writes it, `--check` fails when it is stale.

The queries are made of metrics that the product has; a test holds them to its registry.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FILE = Path(__file__).parents[1] / "deploy" / "observability" / "dashboard.json"

_SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
_WIDTH, _HEIGHT = 8, 8


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart: its title, its unit as Grafana calls it, and queries by what their lines are called."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    what: str = ""


def _quantile(share: float, metric: str, by: str) -> str:
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket[$__rate_interval])))"


def _rate(metric: str, by: str, only: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{only}[$__rate_interval]))"


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Work",
        (
            Panel("Under way, by stage", "short", (("{{stage}}", "max by (stage) (video_flights)"),)),
            Panel(
                "Most overdue", "s", (("overdue", "max(video_oldest_due_seconds)"),), "Climbs when no dispatcher runs."
            ),
            Panel("Looks a second", "ops", (("{{outcome}}", _rate("video_looks_total", "outcome")),)),
            Panel(
                "How late looks are",
                "s",
                (("{{provider}} p95", _quantile(0.95, "video_look_lag_seconds", "provider")),),
            ),
            Panel(
                "Wait for a worker",
                "s",
                (("{{queue}} p95", _quantile(0.95, "video_queue_wait_seconds", "queue")),),
                "Long for video-collect: add collect processes.",
            ),
            Panel("Queues", "short", (("{{queue}}", "max by (queue) (video_queue_length)"),)),
        ),
    ),
    (
        "Vendors",
        (
            Panel(
                "Sending",
                "s",
                (
                    ("{{provider}} p50", _quantile(0.5, "video_submit_seconds", "provider")),
                    ("{{provider}} p95", _quantile(0.95, "video_submit_seconds", "provider")),
                ),
            ),
            Panel(
                "Bringing home",
                "s",
                (
                    ("{{provider}} p50", _quantile(0.5, "video_collect_seconds", "provider")),
                    ("{{provider}} p95", _quantile(0.95, "video_collect_seconds", "provider")),
                ),
            ),
            Panel(
                "What does not go well",
                "ops",
                (
                    ("send {{outcome}}", _rate("video_submit_seconds_count", "outcome", '{outcome!="ok"}')),
                    ("collect {{outcome}}", _rate("video_collect_seconds_count", "outcome", '{outcome!="ok"}')),
                ),
            ),
            Panel(
                "Vendors that work",
                "short",
                (("{{provider}}", "min by (provider) (video_provider_up and video_provider_configured == 1)"),),
            ),
            Panel(
                "Unclear",
                "short",
                (("orders", 'sum(max by (provider) (video_generations_in_flight{status="uncertain"}))'),),
            ),
            Panel("Previews and checks", "s", (("p95", _quantile(0.95, "video_preview_seconds", "job")),)),
        ),
    ),
    (
        "Money",
        (
            Panel(
                "Credits an hour",
                "short",
                (("{{kind}}", "sum by (kind) (increase(video_ledger_credits_total[1h]))"),),
            ),
            Panel(
                "Balances",
                "short",
                (
                    ("available", "max(video_ledger_available_credits)"),
                    ("held", "max(video_ledger_held_credits)"),
                ),
            ),
            Panel(
                "The books",
                "short",
                (
                    ("broken rules", "max(video_audit_broken_rules)"),
                    ("minutes since the audit", "(time() - max(video_audit_timestamp_seconds)) / 60"),
                ),
            ),
        ),
    ),
    (
        "Web",
        (
            Panel(
                "Requests a second",
                "reqps",
                (("{{route}}", f"topk(10, {_rate('video_http_seconds_count', 'route')})"),),
            ),
            Panel(
                "Answers that broke",
                "reqps",
                (("{{route}} {{code}}", _rate("video_http_seconds_count", "route, code", '{code=~"5.."}')),),
            ),
            Panel(
                "Until an answer begins",
                "s",
                (
                    ("p50", "histogram_quantile(0.5, sum by (le) (rate(video_http_seconds_bucket[$__rate_interval])))"),
                    (
                        "p95",
                        "histogram_quantile(0.95, sum by (le) (rate(video_http_seconds_bucket[$__rate_interval])))",
                    ),
                ),
            ),
            Panel("Open pages", "short", (("{{instance}}", "video_sessions"),)),
        ),
    ),
    (
        "What it stands on",
        (
            Panel(
                "Database connections in use",
                "short",
                (("{{instance}} {{engine}}", "video_db_pool_checkedout"),),
            ),
            Panel("Oldest transaction", "s", (("open for", "max(video_oldest_snapshot_seconds)"),)),
            Panel("Begun since", "short", (("transactions", "max(video_oldest_snapshot_transactions)"),)),
            Panel("Log that is held back", "bytes", (("{{slot}}", "max by (slot) (video_replication_slot_bytes)"),)),
            Panel(
                "Filled in after an upgrade", "short", (("{{backfill}}", "max by (backfill) (video_backfill_rows)"),)
            ),
            Panel("It answers", "short", (("database", "min(video_database_up)"), ("redis", "min(video_queue_up)"))),
            Panel("Store of files", "s", (("{{op}} p95", _quantile(0.95, "video_storage_seconds", "op")),)),
            Panel("Store away or full", "ops", (("{{op}}", _rate("video_storage_errors_total", "op")),)),
            Panel("CPU", "short", (("{{instance}}", "rate(process_cpu_seconds_total[$__rate_interval])"),)),
            Panel("Most memory held", "bytes", (("{{instance}}", "process_peak_memory_bytes"),)),
            Panel("Open files", "short", (("{{instance}}", "process_open_fds"),)),
        ),
    ),
)


def queries() -> Iterator[str]:
    """Every query of the dashboard."""
    for _title, panels in ROWS:
        for panel in panels:
            for _name, query in panel.queries:
                yield query


def built() -> str:
    """The dashboard as Grafana imports it."""
    board = (
        dashboard.Dashboard("AI Video Generator")
        .uid("ai-video-generator")
        .tags(["ai-video-generator"])
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("30s")
        .with_variable(dashboard.DatasourceVariable("source").label("Data source").type("prometheus"))
    )
    for title, panels in ROWS:
        board = board.with_row(dashboard.Row(title))
        for panel in panels:
            board = board.with_panel(_chart(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _chart(panel: Panel) -> timeseries.Panel:
    chart = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.what)
        .datasource(_SOURCE)
        .unit(panel.unit)
        .min(0)
        .span(_WIDTH)
        .height(_HEIGHT)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    for name, query in panel.queries:
        chart = chart.with_target(prometheus.Dataquery().expr(query).legend_format(name).datasource(_SOURCE))
    return chart


def main(arguments: list[str]) -> int:
    """Write it, or with `--check` only say whether it is as the code has it."""
    if "--check" in arguments:
        is_stale = not FILE.is_file() or FILE.read_text(encoding="utf-8") != built()
        print(
            f"{FILE.name} is stale: run python -m tools.dashboards"
            if is_stale
            else f"{FILE.name} is as the code has it"
        )
        return int(is_stale)
    FILE.write_text(built(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
