"""A workflow as ComfyUI exports it for its API: which of its inputs take what a person chose, and the graph filled in.

A graph is a mapping of node id -> `{"class_type": ..., "inputs": {...}}`; an input is a value, or `[node id, output]`
where it is connected. A place is written `NODE.INPUT`, the node by its number or its title.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.providers import model_files
from core.providers.contract import BadFact, VideoRequest
from core.providers.models import VideoModel

FIELDS: Mapping[str, str] = {
    "prompt": "prompt",
    "negative": "negativePrompt",
    "seed": "seed",
    "seconds": "duration",
    "frames": "duration",
    "fps": "fps",
    "width": "resolution",
    "height": "resolution",
    "start_image": "startImagePath",
}
"""What a workflow may take, by its name in the options of a model -> our field."""
OPTIONS: Mapping[str, type] = {"workflow": object, "inputs": Mapping, "fps": int, "frame_step": int, "output": str}
SEEDS = 2**53
"""Seeds are below this: whole numbers that every JSON reader keeps."""
_SHOWN_NODES = 20
_ONLY = "This kind takes one start image, and has no choice of sound and no prompt enhancement."
_IMAGE_ALONE = (
    "A workflow that takes a start image makes no clip without one: set `text_to_video = false`, and describe a second "
    "model, with a workflow of its own, for clips from text alone."
)


class BadPlace(ValueError):
    """A place that the workflow does not have; the text is one sentence."""


def model_error(model: VideoModel) -> BadFact | None:
    """What in a model's options does not go together with its workflow, or with what the model says that it makes."""
    options = model.options
    for name, value in options.items():
        if name not in OPTIONS:
            return BadFact(f"There is no such option. There are: {', '.join(OPTIONS)}.", f"options.{name}")
        if not isinstance(value, OPTIONS[name]) or isinstance(value, bool) or value in (0, ""):
            return BadFact(model_files.wrong_type(OPTIONS[name]), f"options.{name}")
    if "workflow" not in options:
        return BadFact("It needs a workflow: the file that ComfyUI exports for its API.", "options")
    if wrong := _not_a_graph(options["workflow"]):
        return BadFact(wrong, "options.workflow")
    return _places_error(model) or _declaration_error(model)


def filled(request: VideoRequest) -> dict[str, Any]:
    """The graph of a request's model with what was chosen in its places; what was not chosen stays as exported."""
    model = request.model
    graph: dict[str, Any] = {
        node_id: {**node, "inputs": dict(node["inputs"])} for node_id, node in model.options["workflow"].items()
    }
    chosen = _values(request)
    for name, written in model.options["inputs"].items():
        if chosen[name] is None:
            continue
        for place in _listed(written):
            node_id, name_of_input = _place(graph, place)
            graph[node_id]["inputs"][name_of_input] = chosen[name]
    return graph


def output_node(model: VideoModel) -> str | None:
    """The id of the node whose file is the clip; None where the model does not say."""
    named = model.options.get("output")
    return _node(model.options["workflow"], named) if named else None


def slot_at(models: Iterable[VideoModel], place: str) -> str | None:
    """What a place takes (a key of `FIELDS`) in all models that use it; None where it is not one of ours."""
    found = {
        name
        for model in models
        for name, written in model.options["inputs"].items()
        if place in (".".join(_place(model.options["workflow"], each)) for each in _listed(written))
    }
    return found.pop() if len(found) == 1 else None


def _values(request: VideoRequest) -> Mapping[str, Any]:
    """What each place gets; None leaves it as exported."""
    model, image = request.model, request.start_image
    rate = request.fps or model.options.get("fps") or next(iter(model.frame_rates), None)
    width, height = request.frame_size
    return {
        "prompt": request.prompt,
        "negative": request.negative_prompt or None,
        "seed": _seed(request.reference) if request.seed is None else request.seed,
        "seconds": request.duration_seconds,
        "frames": _frames(request.duration_seconds * rate, model.options.get("frame_step")) if rate else None,
        "fps": rate,
        "width": width,
        "height": height,
        "start_image": image.uploaded if image else None,
    }


def _seed(reference: str) -> int:
    """Another one for each order: ComfyUI makes nothing anew that it has made with the same values."""
    return int.from_bytes(hashlib.sha256(reference.encode()).digest()[:8]) % SEEDS


def _frames(count: int, step: int | None) -> int:
    """The nearest length that the model can make: with a step, a multiple of it and one more."""
    return count if step is None else (count + step // 2) // step * step + 1


def _not_a_graph(graph: Any) -> str:
    if not isinstance(graph, Mapping):
        return "It must be a file of nodes, as ComfyUI exports a workflow for its API."
    if isinstance(graph.get("nodes"), list):
        return "This is a workflow as ComfyUI saves it for its own page. Export it for the API: File, Export (API)."
    for node_id, node in graph.items():
        if not (isinstance(node, Mapping) and "class_type" in node and isinstance(node.get("inputs"), Mapping)):
            return f"This is no workflow for ComfyUI's API: {node_id!r} is no node with `class_type` and `inputs`."
    return "" if graph else "The workflow is empty."


def _places_error(model: VideoModel) -> BadFact | None:
    graph, inputs = model.options["workflow"], model.options.get("inputs")
    if inputs is None:
        return BadFact("It needs `inputs`: which inputs of the workflow take what was chosen.", "options")
    for name, written in inputs.items():
        field = f"options.inputs.{name}"
        if name not in FIELDS:
            return BadFact(f"A workflow is given: {', '.join(FIELDS)}.", field)
        places = _listed(written)
        if not places or not all(isinstance(place, str) for place in places):
            return BadFact("It must be a place such as 6.text, or a list of places.", field)
        for place in places:
            try:
                _place(graph, place)
            except BadPlace as wrong:
                return BadFact(str(wrong), field)
    try:
        output_node(model)
    except BadPlace as wrong:
        return BadFact(str(wrong), "options.output")
    return None


def _declaration_error(model: VideoModel) -> BadFact | None:
    """What the model offers and the workflow is not given, or the other way round."""
    inputs, options = model.options["inputs"], model.options
    if model.end_image or model.reference_images or model.audio or model.prompt_enhancement:
        return BadFact(_ONLY)
    if model.start_image and model.text_to_video:
        return BadFact(_IMAGE_ALONE, "text_to_video")
    sizes = {model.frame_size(resolution, ratio) for resolution in model.resolutions for ratio in model.aspect_ratios}
    needed = {
        "prompt": "prompt" not in inputs,
        "negative": model.negative_prompt and "negative" not in inputs,
        "seed": model.seed and "seed" not in inputs,
        "fps": bool(model.frame_rates) and "fps" not in inputs,
        "frames": len(model.durations) > 1 and not {"frames", "seconds"} & set(inputs),
        "width": len(sizes) > 1 and "width" not in inputs,
        "height": len(sizes) > 1 and "height" not in inputs,
        "start_image": model.start_image and "start_image" not in inputs,
    }
    if lacking := next((name for name, lacks in needed.items() if lacks), None):
        return BadFact(f"The model offers a choice that the workflow is not given: add {lacking}.", "options.inputs")
    if "start_image" in inputs and not model.start_image:
        return BadFact("The workflow takes a start image: set `start_image = true`.", "options.inputs.start_image")
    if "frames" in inputs and not (model.frame_rates or "fps" in options):
        return BadFact("It needs the frames a second: `fps` in the options, or `frame_rates`.", "options")
    return None


def _listed(written: Any) -> Sequence[Any]:
    return written if isinstance(written, list) else [written]


def _place(graph: Mapping[str, Any], written: str) -> tuple[str, str]:
    """The node's id and the name of its input; raises BadPlace. Titles and names of inputs may hold dots."""
    dots = [at for at, letter in enumerate(written) if letter == "."]
    unknown = BadPlace(f"'{written}' is no place such as 6.text: node, dot, input.")
    for dot in reversed(dots):
        try:
            node_id = _node(graph, written[:dot])
        except BadPlace as wrong:
            unknown = wrong
            continue
        inputs, name = graph[node_id]["inputs"], written[dot + 1 :]
        if name not in inputs:
            has = f"It has: {', '.join(inputs)}." if inputs else "It has none."
            unknown = BadPlace(f"The node {_shown(node_id, graph[node_id])} has no input '{name}'. {has}")
        elif isinstance(inputs[name], list):
            source = str(next(iter(inputs[name]), ""))
            here, there = _shown(node_id, graph[node_id]), _shown(source, graph.get(source, {}))
            raise BadPlace(f"The input '{name}' of node {here} is connected to node {there}: name an input there.")
        else:
            return node_id, name
    raise unknown


def _node(graph: Mapping[str, Any], named: str) -> str:
    """The id of a node, by its id or its title; raises BadPlace."""
    if named in graph:
        return named
    titled = [node_id for node_id, node in graph.items() if _title(node) == named]
    if len(titled) > 1:
        raise BadPlace(f"Several nodes have the title '{named}': {', '.join(titled)}. Write the number of one.")
    if not titled:
        shown = ", ".join(_shown(node_id, node) for node_id, node in list(graph.items())[:_SHOWN_NODES])
        more = ", ..." if len(graph) > _SHOWN_NODES else ""
        raise BadPlace(f"The workflow has no node '{named}'. It has: {shown}{more}.")
    return titled[0]


def _title(node: Mapping[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if isinstance(title, str) else ""


def _shown(node_id: str, node: Mapping[str, Any]) -> str:
    return f"{node_id} ({_title(node) or node.get('class_type', '?')})"
