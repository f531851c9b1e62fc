"""What a provider class says of itself before anything is sent."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator

from core.providers.contract import Provider
from core.providers.models import VideoModel
from core.providers.testing.stage import Stage

OF_CORE = (
    "core.errors",
    "core.messages",
    "core.providers.contract",
    "core.providers.models",
    "core.providers.adapter",
    "core.providers.http",
    "core.providers.kept",
    "core.providers.call_signatures",
    "core.providers.clip_links",
    "core.providers.vendor_calls",
    "core.providers.model_files",
    "core.providers.models",
)
FORBIDDEN = ("time", "os", "sqlalchemy", "threading", "subprocess", "socket", "requests", "urllib.request")


def it_has_a_name_and_an_address(stage: Stage) -> None:
    """The name fits environment variables; the address is scheme and host, to which paths are appended."""
    provider = stage.provider
    assert re.fullmatch(r"[a-z][a-z0-9]*", provider.name), provider.name
    assert provider.display_name.strip()
    assert re.fullmatch(r"https?://[^/]+", provider.default_base_url), provider.default_base_url


def its_limits_are_usable(stage: Stage) -> None:
    """Pauses and limits are positive figures or none, and stopping has a sentence on what it costs."""
    provider = stage.provider
    assert provider.min_poll_seconds > 0
    assert provider.max_in_flight is None or (type(provider.max_in_flight) is int and provider.max_in_flight > 0)
    assert provider.max_requests_per_second is None or provider.max_requests_per_second > 0
    assert re.fullmatch(r"[A-Z].*\.", provider.cancel_note, re.DOTALL), provider.cancel_note
    for flag in (
        "needs_key",
        "is_local",
        "can_cancel",
        "supports_lookup",
        "can_check_key",
        "can_list_models",
        "can_look_up_models",
    ):
        assert type(getattr(provider, flag)) is bool, flag


def its_models_can_be_offered(stage: Stage) -> None:
    """Ids are its own and unique; lengths, sizes and ratios are what the form and the price can work with."""
    models = stage.provider.models
    assert models
    assert len({model.id for model in models}) == len(models), "two models share an id"
    for model in models:
        assert model.provider == stage.provider.name, model.id
        for words in (model.id, model.name, model.description, model.upstream_id):
            assert words.strip(), f"{model.id or model.name} lacks words"
        _assert_lengths(model)
        _assert_sizes(model)
        assert model.text_to_video or model.start_image, f"{model.id} takes nothing"
        assert not model.end_image_needs_start or (model.start_image and model.end_image), model.id
        assert model.prompt_limit_chars > 0, model.id
        assert 0 < model.typical_seconds < model.deadline_seconds, model.id
        assert all(re.fullmatch(r"\S.*\.", sentence) for sentence in model.limits), f"{model.id}: limits are sentences"


def its_models_have_prices(stage: Stage) -> None:
    """A model without a price cannot be ordered, and would take the list of models down."""
    priced = {*stage.prices, *(each for each, tables in stage.provider.catalogue.items() if tables.get("prices"))}
    unpriced = [model.id for model in stage.provider.models if model.id not in priced]
    assert not unpriced, f"no price for {unpriced}"


def its_calls_are_coroutines(stage: Stage) -> None:
    """Everything that talks to the vendor can be awaited."""
    for name in (
        "generate_video",
        "check_status",
        "video_source",
        "cancel",
        "check_key",
        "find_submitted_job",
        "live_models",
        "live_model",
    ):
        assert inspect.iscoroutinefunction(getattr(stage.provider, name)), name


def it_says_what_it_can(stage: Stage) -> None:
    """What the vendor is scripted to do is declared, and nothing else."""
    provider, script = stage.provider, stage.script
    assert provider.needs_key is script.needs_key
    assert provider.can_cancel is bool(script.cancels)
    assert provider.supports_lookup is bool(script.listings)
    assert provider.can_check_key is (script.key_accepted is not None)
    assert provider.can_list_models is (script.model_list is not None)
    assert provider.can_look_up_models is (script.model_shown is not None)


def it_knows_http_only(stage: Stage) -> None:
    """Of core it imports contract, template, readers of replies, errors and messages; no clock, database or waiting."""
    for module in _own_modules(stage.provider):
        tree = ast.parse(inspect.getsource(sys.modules[module]))
        for name in _imports(tree):
            of_core = name == "core" or name.startswith("core.")
            allowed = any(name == each or name.startswith(f"{each}.") for each in (*OF_CORE, module))
            own = allowed or name.startswith(f"{module}_")  # what it keeps in a module of its own
            assert own or not of_core, f"{module} imports {name}"
            assert not any(name == each or name.startswith(f"{each}.") for each in FORBIDDEN), f"{module}: {name}"
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        named = {getattr(func, "attr", getattr(func, "id", "")) for func in calls}
        assert not named & {"sleep", "open", "exec", "eval"}, f"{module} calls {named & {'sleep', 'open'}}"


def _assert_lengths(model: VideoModel) -> None:
    assert all(type(seconds) is int and seconds > 0 for seconds in model.durations), f"{model.id}: lengths"
    assert list(model.durations) == sorted(set(model.durations)), f"{model.id}: lengths are not ascending"
    assert model.default_seconds in model.durations, f"{model.id} cannot make its default"


def _assert_sizes(model: VideoModel) -> None:
    pairs = [(resolution, ratio) for resolution in model.resolutions for ratio in model.aspect_ratios]
    assert pairs, f"{model.id} has no size"
    assert len(set(pairs)) == len(pairs), f"{model.id} names a size twice"
    for pair in pairs:
        assert min(model.frame_size(*pair)) > 0, f"{model.id} has no frame size for {pair}"


def _own_modules(provider: type[Provider]) -> list[str]:
    """Where the class and what it inherits are written, but for core's own template."""
    written = {each.__module__ for each in provider.__mro__ if issubclass(each, Provider)}
    template = ("core.providers.contract", "core.providers.adapter", "core.providers.hooks")
    # A class written in a test is judged by what it does alone: the test around it imports what it likes.
    return sorted(each for each in written if each not in template and not each.startswith(("tests.", "test_")))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)
