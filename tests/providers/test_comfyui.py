"""ComfyUI as instances that a file names: workflows with places, one server or several, a front with a key."""

import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import errors, vendors_file
from core.providers import registry
from core.providers.contract import (
    JobMatches,
    JobState,
    JobStatus,
    Provider,
    ReportedCost,
    SourceImage,
    VideoRequest,
)
from core.providers.testing import (
    BASE_URL,
    ODD_WORD,
    PROMPT,
    REFERENCE,
    Answer,
    Listing,
    ProviderContract,
    VendorScript,
)
from core.providers.testing.script import SENT_AT
from tests.providers.calls import KEY
from tests.providers.test_any_reply import assert_known, replies

WORKFLOW: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": 1, "steps": 20, "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["55", 0]},
        "_meta": {"title": "KSampler"},
    },
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["38", 0]}, "_meta": {"title": "Prompt"}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["38", 0]}, "_meta": {"title": "Not"}},
    "38": {"class_type": "CLIPLoader", "inputs": {"clip_name": "umt5.safetensors", "type": "wan"}},
    "55": {
        "class_type": "Wan22ImageToVideoLatent",
        "inputs": {"width": 640, "height": 352, "length": 121, "batch_size": 1},
    },
    "57": {"class_type": "CreateVideo", "inputs": {"fps": 24, "images": ["8", 0]}},
    "58": {"class_type": "SaveVideo", "inputs": {"filename_prefix": "video/ComfyUI", "video": ["57", 0]}},
    "60": {"class_type": "LoadImage", "inputs": {"image": "example.png"}, "_meta": {"title": "First picture"}},
}
MODEL = """
[[vendor.NAME.model]]
id = "NAME-wan"
name = "Wan 2.2 5B"
upstream_id = "wan2.2-ti2v-5b"
description = "On our own GPUs."
default_seconds = 5
durations = { from = 3, to = 8 }
resolutions = ["480p", "720p"]
aspect_ratios = ["16:9", "9:16"]
sizes = { "720p 16:9" = [1280, 704], "720p 9:16" = [704, 1280] }
negative_prompt = true
seed = true
frame_rates = [16, 30]
prices = [{ since = 2026-11-28, credits_per_second = { "480p" = 0, "720p" = 0 } }]

[vendor.NAME.model.options]
workflow = "workflows/wan.json"
frame_step = 4
output = "58"
fps = 24

[vendor.NAME.model.options.inputs]
prompt = "Prompt.text"
negative = "7.text"
seed = "3.seed"
frames = "55.length"
fps = "57.fps"
width = "55.width"
height = "55.height"

[[vendor.NAME.model]]
id = "NAME-wan-picture"
name = "Wan 2.2 5B from a picture"
upstream_id = "wan2.2-ti2v-5b"
description = "On our own GPUs."
default_seconds = 5
durations = [5]
resolutions = ["720p"]
aspect_ratios = ["16:9"]
start_image = true
text_to_video = false
options = { workflow = "workflows/wan.json", inputs = { prompt = "6.text", start_image = "First picture.image" } }
prices = [{ since = 2026-11-28, credits_per_second = { "720p" = 0 } }]
"""
ONE = '[vendor.NAME]\nkind = "comfyui"\nbase_url = "https://gpu1.example"\n' + (
    "options = { micro_dollars_per_gpu_second = 333 }\n"
)
SEVERAL = '[vendor.NAME]\nkind = "comfyui"\nbase_url = "http://10.0.0.7:8188"\n' + (
    'options = { servers = ["http://10.0.0.8:8188", "http://10.0.0.9:8188/comfy"], auth_header = "X-Key", '
    'auth_scheme = "" }\n'
)


def instance(folder: Path, text: str, name: str, workflow: Any = WORKFLOW) -> type[Provider]:
    """The class of an instance that a file names, with its workflow in a folder beside."""
    (folder / "workflows").mkdir(exist_ok=True)
    written = workflow if isinstance(workflow, str) else json.dumps(workflow)
    (folder / "workflows" / "wan.json").write_text(written, "utf-8")
    file = folder / "vendors.toml"
    file.write_text((text + MODEL).replace("NAME", name), "utf-8")
    known = registry.make()
    vendors_file.add(known, file)
    return known.provider_class(name)


def made(text: str, name: str) -> type[Provider]:
    """The same in a folder that is gone afterwards: everything is read at the start."""
    with tempfile.TemporaryDirectory() as folder:
        return instance(Path(folder), text, name)


GPU = made(ONE, "gpu")
GPUS = made(SEVERAL, "gpus")
ID = "1c0ad9f2-4f3e-5be2-a7a4-0d1f9f0a2b11"
OURS = "c7c55a59-9204-5909-b45f-c7cf2d331b44"
"""The id that the suite's order has: jobs that are under way depend on it."""


def queue(*, running: tuple[str, ...] = (), pending: tuple[str, ...] = ()) -> Answer:
    """The queue as ComfyUI shows it: whole workflows, the waiting in no order."""

    def items(ids: tuple[str, ...]) -> list[Any]:
        return [[place, each, {"6": {}}, {}, ["58"]] for place, each in enumerate(ids, start=1)][::-1]

    return Answer(json={"queue_running": items(running), "queue_pending": items(pending)})


FILE = {"filename": "ComfyUI_00001_.mp4", "subfolder": "video", "type": "output"}
VIEW = f"{BASE_URL}/view?filename=ComfyUI_00001_.mp4&subfolder=video&type=output"
BEGUN = ["execution_start", {"prompt_id": ID, "timestamp": 1795262400000}]


def ended(
    event: str = "success",
    outputs: Mapping[str, Any] | None = None,
    *,
    status: str = "",
    extra: Mapping[str, Any] | None = None,
    **error: Any,
) -> Answer:
    """The history of one job that ran for 90.5 seconds."""
    end = [f"execution_{event}", {"prompt_id": ID, "timestamp": 1795262490500, **error}]
    word = status or ("success" if event == "success" else "error")
    record = {
        "prompt": [4, ID, {"6": {}}, dict(extra or {}), ["58"]],
        "outputs": {"58": {"images": [FILE], "animated": [True]}} if outputs is None else outputs,
        "status": {"status_str": word, "completed": word == "success", "messages": [BEGUN, end]},
        "meta": {},
    }
    return Answer(json={ID: record})


def broke(kind: str, said: str) -> Answer:
    """A job that a node broke with."""
    names: dict[str, Any] = {"node_id": "3", "node_type": "KSampler"}
    names |= {"exception_type": kind, "exception_message": said}
    return ended("error", {}, **names, traceback=["..."], current_inputs={}, current_outputs=[])


def invalid(kind: str, node_id: str = "38", name: str = "clip_name", said: str = "no") -> Answer:
    """A refused workflow."""
    mistake = {"type": kind, "message": said, "details": name, "extra_info": {"input_name": name}}
    wrong = {node_id: {"errors": [mistake], "dependent_outputs": ["58"], "class_type": "X"}}
    error = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation", "details": said}
    return Answer(400, {"error": error, "node_errors": wrong})


MISSING_NODE = Answer(
    400,
    {"error": {"type": "missing_node_type", "message": "Node 'X' not found.", "details": "", "extra_info": {}}},
)
NOT_THERE = [queue(), Answer(json={})]
FACTS = {"system": {"comfyui_version": "0.36.0", "python_version": "3.13"}, "devices": []}


def key_or_none(sent: httpx.Request, key: str) -> bool:
    """A front before the server may want a key, or not."""
    return sent.headers.get("authorization") in (f"Bearer {key}", None)


SCRIPT = VendorScript(
    needs_key=False,
    has_key=key_or_none,
    submits=r"POST /prompt",
    looks=r"GET /queue|GET /history/[^/]+",
    stops=r"POST /(queue|interrupt)",
    tries_key=r"GET /system_stats",
    searches=r"GET /queue|GET /history/[^/]+",
    uploads=r"POST /upload/image",
    uploaded=Answer(json={"name": "0f3a.jpg", "subfolder": "ai-video-generator", "type": "input"}),
    uploaded_name="0f3a.jpg",
    accepted=Answer(json={"prompt_id": ID, "number": 4, "node_errors": {}}),
    job_id=ID,
    vendor_id=ID,
    under_way=[
        ([queue(running=("other",), pending=("third", ID))], JobState.QUEUED),
        ([queue(running=(ID,))], JobState.RUNNING),
    ],
    succeeded=[queue(), ended()],
    video_url=VIEW,
    unknown_word=[queue(), ended(status=ODD_WORD)],
    failures=[
        ([queue(), broke("torch.OutOfMemoryError", "Allocation on device")], errors.GenerationFailed),
        ([queue(), broke("RuntimeError", "mat1 and mat2 shapes")], errors.GenerationFailed),
        ([queue(), broke("FileNotFoundError", "vae.safetensors")], errors.ModelUnavailable),
        ([queue(), ended(outputs={"9": {"images": [FILE | {"filename": "a.webp"}]}})], errors.GenerationFailed),
    ],
    lost=NOT_THERE,
    refusals=[
        (invalid("value_not_in_list"), errors.ModelUnavailable, None),
        (invalid("required_input_missing"), errors.ModelUnavailable, None),
        (invalid("value_bigger_than_max", "55", "length"), errors.InvalidInput, "duration"),
        (invalid("value_smaller_than_min", "55", "width"), errors.InvalidInput, "resolution"),
        (MISSING_NODE, errors.ModelUnavailable, None),
        (Answer(500, text="500 Internal Server Error"), errors.SubmitUncertain, None),
    ],
    cost=ReportedCost(Decimal("0.030136"), "USD"),  # 90.5 s x 333 millionths, to the even sixth place
    cancels=[  # the first shows how an id is written in a path: stops have it in their body
        ([queue(), ended()], JobState.SUCCEEDED),
        ([queue(pending=(ID,)), Answer(), *NOT_THERE], JobState.CANCELLED),
        ([queue(running=(ID,)), Answer(), queue(), ended("interrupted", {})], JobState.CANCELLED),
        ([queue(running=(ID,)), Answer(), queue(running=(ID,))], JobState.RUNNING),
        ([queue(pending=(ID,)), Answer(), queue(running=(ID,))], JobState.RUNNING),
        ([queue(running=(ID,)), Answer(), queue(), ended()], JobState.SUCCEEDED),
    ],
    key_accepted=Answer(json=FACTS),
    key_refused=[Answer(401, text="401 Authorization Required")],
    listings=[
        Listing(queue(pending=("other", OURS)), exact=(OURS,)),
        Listing([queue(running=("other",)), Answer(json={OURS: ended().json[ID]})], exact=(OURS,)),
        Listing(NOT_THERE),
    ],
    unreadable_lists=[Answer(json={"queue_running": 5, "queue_pending": []}), Answer(json={"queue_running": []})],
    file_needs_key=True,
    takes_webhooks=False,
)


class TestOneServer(ProviderContract):
    provider = GPU
    script = SCRIPT


def request(provider: type[Provider], model: int = 0, **changes: Any) -> VideoRequest:
    """An order of one of the two models."""
    values: dict[str, Any] = {
        "reference": REFERENCE,
        "model": provider.models[model],
        "prompt": PROMPT,
        "resolution": "720p",
        "duration_seconds": 5,
        "aspect_ratio": "16:9",
    }
    return VideoRequest(**values | changes)


Servers = Callable[[httpx.Request], httpx.Response]


def call(
    provider: type[Provider], servers: Servers, coroutine: str, *arguments: Any, key: str = "", **more: Any
) -> Any:
    """What a coroutine returns when the servers answer so."""

    async def once() -> Any:
        async with httpx.AsyncClient(transport=httpx.MockTransport(servers)) as client:
            return await getattr(provider(client=client, key=key), coroutine)(*arguments, **more)

    return asyncio.run(once())


def order(wanted: VideoRequest, provider: type[Provider] = GPU) -> dict[str, Any]:
    """The body that an order is sent with."""
    sent: list[dict[str, Any]] = []

    def server(asked: httpx.Request) -> httpx.Response:
        if asked.url.path == "/upload/image":
            return httpx.Response(200, json={"name": "0f.jpg", "subfolder": "ai-video-generator", "type": "input"})
        sent.append(json.loads(asked.content))
        return httpx.Response(200, json={"prompt_id": sent[-1]["prompt_id"], "number": 1, "node_errors": {}})

    call(provider, server, "generate_video", wanted)
    return sent[0]


def test_choices_go_to_their_places_and_the_rest_stays() -> None:
    """Each place by number or title gets its value; the file's own values stay where nothing was chosen."""
    graph = order(request(GPU, seed=7, fps=16, negative_prompt="rain"))["prompt"]

    assert graph["6"]["inputs"] == {"text": PROMPT, "clip": ["38", 0]}
    assert graph["7"]["inputs"]["text"] == "rain"
    assert graph["3"]["inputs"]["seed"] == 7
    assert graph["55"]["inputs"] == {"width": 1280, "height": 704, "length": 81, "batch_size": 1}
    assert graph["57"]["inputs"]["fps"] == 16
    assert graph["38"] == WORKFLOW["38"]


def test_frames_are_the_nearest_that_the_model_can_make() -> None:
    """With a step of 4 a length is a multiple of it and one more, at the workflow's own rate."""
    lengths = [order(request(GPU, duration_seconds=each))["prompt"]["55"]["inputs"]["length"] for each in (3, 5, 8)]

    assert lengths == [73, 121, 193]


def test_orders_without_a_seed_differ_and_keep_the_negative_text_of_the_file() -> None:
    """ComfyUI makes nothing anew with the same values; each order has a seed of its own."""
    first, second = (order(request(GPU, reference=each)) for each in ("one", "two"))

    assert first["prompt"]["3"]["inputs"]["seed"] != second["prompt"]["3"]["inputs"]["seed"]
    assert first["prompt_id"] != second["prompt_id"]
    assert first["prompt"]["7"]["inputs"]["text"] == "blurry"
    assert first == order(request(GPU, reference="one")), "the same order is the same when it is sent again"


def test_id_of_a_generation_is_the_id_at_the_server() -> None:
    """Where it has the form that ComfyUI wants, so that an operator finds it in both."""
    ours = "01999999-1234-7abc-8def-0123456789ab"

    assert order(request(GPU, reference=ours))["prompt_id"] == ours
    assert order(request(GPU))["prompt_id"] == OURS


def test_image_is_uploaded_and_named_in_its_place() -> None:
    """The node that loads images gets folder and name."""
    graph = order(request(GPU, 1, start_image=SourceImage(b"\xff\xd8\xff picture")))["prompt"]

    assert graph["60"]["inputs"]["image"] == "ai-video-generator/0f.jpg"


def look(*answers: Answer, provider: type[Provider] = GPU) -> JobStatus:
    """A look at the job."""
    waiting = list(answers)
    found: JobStatus = call(provider, lambda _: waiting.pop(0).response(), "check_status", ID)
    return found


def test_place_in_the_queue_is_kept() -> None:
    """Administrators see how many are before it."""
    status = look(queue(running=("other",), pending=("third", ID)))

    assert status.response == {"prompt_id": ID, "state": "pending", "ahead": 2}


@pytest.mark.parametrize(
    ("outputs", "name"),
    [
        ({"9": {"gifs": [FILE | {"filename": "a.mp4", "format": "video/h264-mp4"}]}}, "a.mp4"),
        ({"9": {"videos": [FILE | {"filename": "a.webm"}]}}, "a.webm"),
        ({"8": {"images": [FILE | {"filename": "a.png"}]}, "9": {"images": [FILE | {"filename": "b.MP4"}]}}, "b.MP4"),
        ({"8": {"gifs": [FILE | {"filename": "a.mp4"}]}, "9": {"gifs": [FILE | {"filename": "b.mp4"}]}}, "b.mp4"),
        (
            {"8": {"gifs": [FILE]}, "9": {"gifs": [FILE | {"filename": "preview.mp4", "type": "temp"}]}},
            "ComfyUI_00001_.mp4",
        ),
    ],
)
def test_video_is_found_among_the_files(outputs: Mapping[str, Any], name: str) -> None:
    """Nodes call it gifs, videos or images; what was saved comes before previews, what came last before the rest."""
    assert f"filename={name}&" in str(look(queue(), ended(outputs=outputs)).video_url)


def test_video_is_the_one_of_the_node_that_the_model_names() -> None:
    """The order says which node makes the clip, and the history gives that back."""
    sent = order(request(GPU))
    outputs = {"58": {"images": [FILE]}, "70": {"gifs": [FILE | {"filename": "upscaled.mp4"}]}}

    assert sent["extra_data"] == {"ai_video_generator": {"output": "58"}}
    assert "ComfyUI_00001_" in str(look(queue(), ended(outputs=outputs, extra=sent["extra_data"])).video_url)
    assert "upscaled" in str(look(queue(), ended(outputs=outputs)).video_url)


@pytest.mark.parametrize(
    ("answer", "says", "told"),
    [
        (broke("torch.OutOfMemoryError", "Allocation on device"), "graphics memory was not enough", "OutOfMemoryError"),
        (broke("RuntimeError", "CUDA error: out of memory"), "graphics memory was not enough", "KSampler"),
        (broke("FileNotFoundError", "vae.safetensors"), "lacks a file", "vae.safetensors"),
        (ended(outputs={"9": {"images": [FILE | {"filename": "a.webp"}]}}), "without a video", "a.webp"),
        (ended(outputs={}), "without a video", "no_video"),
    ],
)
def test_what_broke_is_said_in_plain_words(answer: Answer, says: str, told: str) -> None:
    """A person reads what to do, an administrator the node and its own words; the machine's time is known."""
    status = look(queue(), answer)

    assert says in str(status.error)
    assert told in str(status.error and status.error.detail)
    assert status.cost == ReportedCost(Decimal("0.030136"), "USD")


def test_cost_is_not_known_without_a_price_of_the_machine() -> None:
    """Nothing is not nought."""
    assert look(queue(), ended(), provider=GPUS).cost is None


@pytest.mark.parametrize("act", ["generate_video", "check_status", "cancel", "find_submitted_job", "check_key"])
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(data=st.data())
def test_any_reply_ends_in_a_known_outcome(act: str, data: st.DataObject) -> None:
    """Whatever servers answer comes to a value or to one of our errors, at one server and at several."""
    answers = data.draw(st.lists(replies(SCRIPT), min_size=1, max_size=4))
    provider = data.draw(st.sampled_from([GPU, GPUS]))

    def server(sent: httpx.Request) -> httpx.Response:
        status, content = answers.pop(0) if len(answers) > 1 else answers[0]
        return httpx.Response(status, content=content, headers={"Location": f"https://[?key={KEY}"})

    arguments: dict[str, tuple[Any, ...]] = {"generate_video": (request(provider),), "check_key": ()}
    arguments |= {"find_submitted_job": (request(provider),)}
    times = {"since": SENT_AT, "until": SENT_AT} if act == "find_submitted_job" else {}
    try:
        outcome = call(provider, server, act, *arguments.get(act, (ID,)), key=KEY, **times)
    except errors.ProviderError as error:
        outcome = error
    if outcome is not None or act != "check_key":
        assert_known(outcome)


class Site:
    """Three servers as an instance names them: what each was asked, and what each answers."""

    def __init__(self, waiting: Mapping[str, int | None], jobs: Mapping[str, str] | None = None) -> None:
        self.waiting, self.jobs, self.asked = waiting, dict(jobs or {}), list[httpx.Request]()

    def __call__(self, sent: httpx.Request) -> httpx.Response:
        self.asked.append(sent)
        if self.waiting[sent.url.host] is None:
            raise httpx.ConnectError("away")
        path, ours = sent.url.path.removeprefix("/comfy"), self.jobs.get(sent.url.host)
        if path == "/prompt" and sent.method == "GET":
            return httpx.Response(200, json={"exec_info": {"queue_remaining": self.waiting[sent.url.host]}})
        if path == "/prompt":
            return httpx.Response(200, json={"prompt_id": ID, "number": 1, "node_errors": {}})
        if path == "/queue" and sent.method == "GET":
            return queue(running=(ours,) if ours else ()).response()
        if path == "/system_stats":
            return httpx.Response(200, json=FACTS)
        return httpx.Response(200, json={})

    def places(self, method: str, path: str) -> list[str]:
        """Where that was asked."""
        return [sent.url.host for sent in self.asked if sent.method == method and sent.url.path.endswith(path)]


@pytest.mark.parametrize(
    ("waiting", "host", "job_id"),
    [
        ((2, 1, 3), "10.0.0.8", f"{ID}@10.0.0.8:8188"),
        ((0, 0, 0), "10.0.0.7", ID),
        ((2, None, 1), "10.0.0.9", f"{ID}@10.0.0.9:8188/comfy"),
        ((None, None, 9), "10.0.0.9", f"{ID}@10.0.0.9:8188/comfy"),
    ],
)
def test_order_goes_to_the_shortest_queue(waiting: tuple[int | None, ...], host: str, job_id: str) -> None:
    """One that is away is left out; the job's id names its server, and the key goes along as the front wants it."""
    site = Site(dict(zip(("10.0.0.7", "10.0.0.8", "10.0.0.9"), waiting, strict=True)))
    job = call(GPUS, site, "generate_video", request(GPUS), key="k-1")

    assert (job.id, site.places("POST", "/prompt")) == (job_id, [host])
    assert all(sent.headers["x-key"] == "k-1" and "authorization" not in sent.headers for sent in site.asked)


def test_image_goes_to_the_server_of_its_order() -> None:
    """Upload and order are at one server."""
    site = Site({"10.0.0.7": 2, "10.0.0.8": 0, "10.0.0.9": 1})

    def server(sent: httpx.Request) -> httpx.Response:
        answer = site(sent)
        return httpx.Response(200, json={"name": "0f.jpg"}) if sent.url.path == "/upload/image" else answer

    call(GPUS, server, "generate_video", request(GPUS, 1, start_image=SourceImage(b"\xff\xd8\xff picture")))

    assert site.places("POST", "/upload/image") == site.places("POST", "/prompt") == ["10.0.0.8"]


def test_order_is_kept_where_no_server_answers() -> None:
    """Nothing was sent, so that it may be sent later."""
    site = Site({"10.0.0.7": None, "10.0.0.8": None, "10.0.0.9": None})
    with pytest.raises(errors.ProviderUnavailable) as told:
        call(GPUS, site, "generate_video", request(GPUS))

    assert told.value.submit_verdict is errors.SubmitVerdict.LATER
    assert told.value.fault is errors.Fault.PROVIDER
    assert not site.places("POST", "/prompt")


def test_looks_and_stops_go_to_the_jobs_own_server() -> None:
    """And nowhere else; what it makes is fetched there, with the key."""
    site = Site({"10.0.0.7": 0, "10.0.0.8": 0, "10.0.0.9": 0}, jobs={"10.0.0.9": ID})
    job_id = f"{ID}@10.0.0.9:8188/comfy"

    assert call(GPUS, site, "check_status", job_id).state is JobState.RUNNING
    assert call(GPUS, site, "cancel", job_id).state is JobState.RUNNING
    assert {sent.url.host for sent in site.asked} == {"10.0.0.9"}
    assert site.places("POST", "/comfy/interrupt") == ["10.0.0.9"]
    file = "http://10.0.0.9:8188/comfy/view?filename=a.mp4"
    assert call(GPUS, site, "video_source", job_id, file, key="k-1").headers == {"X-Key": "k-1"}
    assert GPUS.further_addresses == ("http://10.0.0.8:8188", "http://10.0.0.9:8188/comfy")


@pytest.mark.parametrize("job_id", [f"{ID}@10.0.0.8:8188", f"{ID}@10.0.0.66:8188"])
def test_server_that_is_away_says_nothing_of_the_others(job_id: str) -> None:
    """The look is repeated; that server's trouble, or that it was taken out of the file, is not the vendor's."""
    site = Site({"10.0.0.7": 0, "10.0.0.8": None, "10.0.0.9": 0})
    with pytest.raises(errors.ServerUnavailable) as told:
        call(GPUS, site, "check_status", job_id)

    assert told.value.fault is errors.Fault.NOBODY
    assert job_id.partition("@")[2] in told.value.detail
    assert set(site.places("GET", "/queue")) <= {"10.0.0.8"}


def test_server_that_is_away_is_named_without_its_password() -> None:
    """What an error tells of an address is kept and shown to administrators."""
    guarded = made(SEVERAL.replace("http://10.0.0.7", "http://us:pass-in-address@10.0.0.7"), "guarded")
    for coroutine, arguments in (("check_key", ()), ("check_status", (ID,))):
        with pytest.raises(errors.ServerUnavailable) as told:
            call(guarded, Site({"10.0.0.7": None, "10.0.0.8": 0, "10.0.0.9": 0}), coroutine, *arguments)
        assert told.value.detail.startswith("http://10.0.0.7:8188: ")
        assert "pass-in-address" not in told.value.detail


def find(site: Site) -> JobMatches:
    """Look for the suite's order."""
    now = datetime(2026, 11, 28, tzinfo=UTC)
    found: JobMatches = call(
        GPUS, site, "find_submitted_job", request(GPUS), since=now, until=now + timedelta(seconds=45)
    )
    return found


def test_lost_order_is_found_at_any_server() -> None:
    """Also while another one is away."""
    site = Site({"10.0.0.7": None, "10.0.0.8": 0, "10.0.0.9": 0}, jobs={"10.0.0.8": OURS})

    assert [job.id for job in find(site).exact] == [f"{OURS}@10.0.0.8:8188"]


def test_lost_order_is_absent_only_when_every_server_says_so() -> None:
    """One that is away may have it."""
    here = {"10.0.0.7": 0, "10.0.0.8": 0, "10.0.0.9": 0}

    assert find(Site(here)) == JobMatches()
    with pytest.raises(errors.ServerUnavailable):
        find(Site(here | {"10.0.0.9": None}))


def test_check_names_the_server_that_does_not_answer() -> None:
    """All of them have to, so that an operator learns of each."""
    here: dict[str, int | None] = {"10.0.0.7": 0, "10.0.0.8": 0, "10.0.0.9": 0}

    assert call(GPUS, Site(here), "check_key") is None
    with pytest.raises(errors.ProviderUnavailable) as told:
        call(GPUS, Site(here | {"10.0.0.8": None}), "check_key")
    assert told.value.detail.startswith("http://10.0.0.8:8188: ")


@pytest.mark.parametrize("version", ["0.3.27", "0.2.99"])
def test_check_refuses_a_server_that_is_too_old(version: str) -> None:
    """It would give jobs ids of its own, and stop everybody's when one is to be stopped."""
    facts = {"system": {"comfyui_version": version}}
    with pytest.raises(errors.ProviderUnavailable) as told:
        call(GPU, lambda _: httpx.Response(200, json=facts), "check_key")

    assert "older than 0.3.60" in str(told.value)
    assert version in told.value.detail


UI = {"nodes": [{"id": 3, "type": "KSampler"}], "links": []}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"Prompt.text"',
            '"Prompter.text"',
            "line 29, vendor.gpu.model[0].options.inputs.prompt: The workflow has no node",
        ),
        ('"7.text"', '"7.txt"', "line 30, vendor.gpu.model[0].options.inputs.negative: The node 7 (Not) has no input"),
        ('"3.seed"', '"3.positive"', "inputs.seed: The input 'positive' of node 3 (KSampler) is connected to node 6"),
        ('"3.seed"', '"seed"', "inputs.seed: 'seed' is no place such as 6.text"),
        ('seed = "3.seed"\n', "", "options.inputs: The model offers a choice that the workflow is not given: add seed"),
        ("frames = ", "length = ", "line 32, vendor.gpu.model[0].options.inputs.length: A workflow is given: prompt"),
        ('output = "58"', 'output = "Save"', "line 25, vendor.gpu.model[0].options.output: The workflow has no node"),
        (
            '"workflows/wan.json"',
            '"wan.json"',
            "line 23, vendor.gpu.model[0].options.workflow: wan.json cannot be read",
        ),
        ('"workflows/wan.json"', "5", "line 23, vendor.gpu.model[0].options.workflow: It must be the name of a file"),
        (
            "frame_step = 4",
            "frame_step = 0",
            "line 24, vendor.gpu.model[0].options.frame_step: It must be a whole number above",
        ),
        ("frame_step = 4", "frame_steps = 4", "options.frame_steps: There is no such option"),
        ("text_to_video = false\n", "", "vendor.gpu.model[1].text_to_video: A workflow that takes a start image"),
        ("seed = true", "end_image = true", "vendor.gpu.model[0]: This kind takes one start image"),
        (
            "micro_dollars_per_gpu_second = 333",
            "servers = ['10.0.0.8']",
            "line 5, vendor.gpu.options.servers: It must be",
        ),
        (
            "micro_dollars_per_gpu_second",
            "dollars_per_hour",
            "line 5, vendor.gpu.options.dollars_per_hour: There is no",
        ),
    ],
)
def test_slip_in_the_file_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    """File, line and field, and what there is instead."""
    text = "\n" + (ONE + MODEL).replace("NAME", "gpu")
    assert old in text
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "wan.json").write_text(json.dumps(WORKFLOW), "utf-8")
    file = tmp_path / "vendors.toml"
    file.write_text(text.replace(old, new, 1), "utf-8")

    with pytest.raises(vendors_file.BadVendorsFile) as wrong:
        vendors_file.add(registry.make(), file)

    assert told in str(wrong.value)


@pytest.mark.parametrize(
    ("workflow", "told"),
    [
        ('{"3": ', "workflows/wan.json is no JSON: Expecting value"),
        ("[]", "It must be a file of nodes"),
        ("{}", "The workflow is empty"),
        (json.dumps(UI), "as ComfyUI saves it for its own page. Export it for the API"),
        (json.dumps({"prompt": WORKFLOW}), "'prompt' is no node with `class_type` and `inputs`"),
        (
            json.dumps(WORKFLOW | {"9": {"class_type": "X", "inputs": {}, "_meta": {"title": "Prompt"}}}),
            "Several nodes have the title 'Prompt': 6, 9",
        ),
    ],
)
def test_file_that_is_no_workflow_is_told(tmp_path: Path, workflow: str, told: str) -> None:
    """Above all the format that ComfyUI saves by itself, which its API does not take."""
    with pytest.raises(vendors_file.BadVendorsFile) as wrong:
        instance(tmp_path, ONE, "gpu", workflow)

    assert told in str(wrong.value)
