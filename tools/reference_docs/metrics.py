"""The page of the metrics: every name that a process gives to Prometheus, from the registry that counts them."""

from core import metrics
from tools.reference_docs import markdown


def page() -> str:
    """The page as it must stand in docs/reference."""
    rows = [
        (f"`{name}`", kind, ", ".join(f"`{label}`" for label in metrics.labels_of(name)), said)
        for name, (kind, said) in metrics.described().items()
    ]
    return markdown.page(
        "Metrics",
        "What Prometheus gets; [see inside](../how-to/see-inside.md) says where. Counters and histograms are of the "
        "process that is asked. Gauges whose name says nothing of a process are looked up when the web process is "
        "asked, and every web process says the same: take the `max` of them.",
        markdown.table(("name", "kind", "labels", "what"), rows),
        "Labels are words of ours and names of providers and routes, never people, ids or addresses.",
    )
