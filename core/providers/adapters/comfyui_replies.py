"""What a ComfyUI server answers, read: its queue, a job's record in its history, and what is wrong with a workflow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from core.providers import http
from core.providers.http import Reply

OURS = "ai_video_generator"
"""What goes along with an order and comes back with its record, under this name."""
_VIDEO = re.compile(r".+\.(mp4|m4v|mov|webm|mkv|avi)", re.I)


@dataclass(frozen=True, slots=True)
class Queue:
    """The ids in a server's queue, in the order they are made."""

    running: tuple[str, ...]
    pending: tuple[str, ...]

    @classmethod
    def of(cls, reply: Reply) -> Self | None:
        """What the queue's own answer says; None for any other."""
        parts = [(reply.body or {}).get(f"queue_{name}") for name in ("running", "pending")]
        if reply.status != 200 or not all(isinstance(part, list) for part in parts):
            return None
        running, pending = ([item for item in part or () if _is_item(item)] for part in parts)
        pending.sort(key=lambda item: item[0])
        return cls(tuple(item[1] for item in running), tuple(item[1] for item in pending))


def told(record: Mapping[str, Any]) -> dict[str, Any]:
    """What of a record in the history matters: the state, the seconds it ran, its files, and what broke."""
    status = record.get("status")
    status = status if isinstance(status, Mapping) else {}
    events = {
        each[0]: each[1]
        for each in _items(status.get("messages"))
        if isinstance(each, list) and len(each) > 1 and isinstance(each[0], str) and isinstance(each[1], Mapping)
    }
    state = "interrupted" if "execution_interrupted" in events else status.get("status_str", "success")
    found: dict[str, Any] = {"state": state, "files": _files(record)}
    begun, *ended = (
        http.number(events.get(f"execution_{name}", {}).get("timestamp"))
        for name in ("start", "success", "error", "interrupted")
    )
    end = next((each for each in ended if each is not None), None)
    if begun is not None and end is not None and end >= begun:
        found["seconds"] = (end - begun) / 1000  # they are milliseconds
    if error := events.get("execution_error"):
        names = ("node_id", "node_type", "exception_type", "exception_message")
        found["error"] = {name: error.get(name) for name in names}
    elif state == "success" and not any(map(is_video, found["files"])):
        found["error"] = {"type": "no_video"}
    return found


def is_video(file: Mapping[str, Any]) -> bool:
    """By its kind where the node tells it, as VideoHelperSuite does, else by its name, as core's nodes need it."""
    return bool(_VIDEO.fullmatch(file["filename"]) or file["format"].startswith("video/"))


def mistakes(reply: Reply) -> list[tuple[str, Mapping[str, Any]]]:
    """What is wrong with a workflow, each with the id of its node."""
    nodes = (reply.body or {}).get("node_errors")
    return [
        (node_id, mistake)
        for node_id, node in (nodes.items() if isinstance(nodes, Mapping) else ())
        for mistake in (_items(node.get("errors")) if isinstance(node, Mapping) else ())
        if isinstance(mistake, Mapping)
    ]


def error_codes(reply: Reply) -> list[str]:
    """Kinds of errors in a refused workflow, and the exception that ended a job."""
    error = (reply.body or {}).get("error")
    found = [error.get("type"), error.get("exception_type")] if isinstance(error, Mapping) else []
    found += [mistake.get("type") for _, mistake in mistakes(reply)]
    return [each for each in found if isinstance(each, str)]


def waiting(reply: Reply) -> float | None:
    """How many jobs a server has, as it says when it is asked; None for any other answer."""
    info = (reply.body or {}).get("exec_info")
    return http.number(info.get("queue_remaining")) if reply.status == 200 and isinstance(info, Mapping) else None


def _is_item(item: Any) -> bool:
    """Whether this is an item of a queue: its number, its id, and more."""
    return isinstance(item, list) and len(item) > 1 and isinstance(item[0], int | float) and isinstance(item[1], str)


def _files(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The files of all nodes in the order they were made; of one node where the order named it."""
    outputs = record.get("outputs")
    outputs = outputs if isinstance(outputs, Mapping) else {}
    named = _named_output(record.get("prompt"))
    nodes = [outputs.get(named)] if named else outputs.values()
    lists = (items for node in nodes if isinstance(node, Mapping) for items in node.values())
    return [
        {name: str(item.get(name) or "") for name in ("filename", "subfolder", "type", "format")}
        for items in lists
        for item in _items(items)
        if isinstance(item, Mapping) and item.get("filename")
    ]


def _named_output(prompt: Any) -> str | None:
    extra = prompt[3] if isinstance(prompt, list) and len(prompt) > 3 else None
    ours = extra.get(OURS) if isinstance(extra, Mapping) else None
    node = ours.get("output") if isinstance(ours, Mapping) else None
    return node if isinstance(node, str) else None


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
