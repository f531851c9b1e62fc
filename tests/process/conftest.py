"""Shows, after a run, the tables that process tests have recorded (`record_property("table", ...)`)."""

import pytest
from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print each recorded table under the name of its test."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if not isinstance(report, pytest.TestReport) or report.when != "call":
            continue
        for name, table in report.user_properties:
            if name == "table":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(str(table))
