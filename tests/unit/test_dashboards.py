import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from core import metrics
from tools import dashboards

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"
_PARTS = ("_bucket", "_count", "_sum")


def named(query: str) -> Iterator[str]:
    """The metrics that a query names, those of a histogram by its own name."""
    for found in re.findall(r"\b(?:video|process)_[a-z_]+", query):
        end = next((part for part in _PARTS if found.endswith(part)), "")
        yield found.removesuffix(end) if end and found.removesuffix(end) in metrics.described() else found


def labels(query: str) -> Iterator[tuple[str, str]]:
    """(metric, label) of each selector of a query."""
    for name, selector in re.findall(r"\b(video_[a-z_]+)\{([^}]*)\}", query):
        for label in re.findall(r"([a-z_]+)\s*[=!]", selector):
            yield next(named(name)), label


def rules() -> list[dict[str, object]]:
    """The alert rules."""
    [group] = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, object]] = group["rules"]
    return found


def test_dashboard_is_as_the_code_builds_it() -> None:
    """The file that people import says what the code says."""
    assert dashboards.FILE.read_text(encoding="utf-8") == dashboards.built(), "run python -m tools.dashboards"
    panels = json.loads(dashboards.built())["panels"]
    assert {target["expr"] for panel in panels for target in panel.get("targets", ())} == set(dashboards.queries())


@pytest.mark.parametrize("query", [*dashboards.queries(), *(str(rule["expr"]) for rule in rules())])
def test_query_asks_for_what_there_is(query: str) -> None:
    """Every metric and every label that a chart or a rule names is one that a process gives."""
    assert set(named(query)) <= set(metrics.described())
    assert list(named(query))
    counted = [(name, label) for name, label in labels(query) if metrics.labels_of(name)]
    assert [pair for pair in counted if pair[1] not in metrics.labels_of(pair[0])] == []


def test_every_counted_metric_is_on_the_dashboard() -> None:
    """What is counted is shown, but for what is said of the process alone."""
    shown = {name for query in dashboards.queries() for name in named(query)}
    assert (
        set(metrics.described()) - shown
        == {
            *("process_threads", "video_build_info", "video_generations_in_flight", "video_provider_failures"),
        }
        - shown
    )


def test_every_rule_says_what_to_do() -> None:
    """Somebody who is woken reads what is wrong and what to do, and the severity that wakes them."""
    for rule in rules():
        notes, marks = rule["annotations"], rule["labels"]
        assert isinstance(notes, dict)
        assert isinstance(marks, dict)
        assert {"summary", "runbook"} == set(notes)
        assert marks["severity"] in ("page", "warn")
    assert len(rules()) >= 8


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is part of Prometheus, which is not here")
@pytest.mark.parametrize("command", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")])
def test_prometheus_takes_the_rules(command: tuple[str, ...]) -> None:
    """Prometheus' own tool reads the rules, and they say what they should in situations that are made up."""
    ran = subprocess.run(["promtool", *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{ran.stdout}{ran.stderr}"
