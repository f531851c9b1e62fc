from dataclasses import replace

import httpx
import pytest

from core import errors
from core.providers import registry
from core.providers.contract import JobState, JobStatus, Provider, ProviderJob, VideoRequest
from core.providers.models import VideoModel
from core.providers.registry import Access, Registry

MODEL = VideoModel(
    id="one",
    name="One",
    provider="vendor",
    description="A model.",
    default_seconds=5,
    durations=(5, 10),
    resolutions=("720p",),
    aspect_ratios=("16:9",),
)


def _provider(*models: VideoModel, called: str = "vendor", keyed: bool = True) -> type[Provider]:
    class Vendor(Provider):
        name = called
        display_name = "Vendor"
        default_base_url = "https://vendor.example"
        needs_key = keyed

        async def generate_video(self, request: VideoRequest) -> ProviderJob:
            return ProviderJob("1")

        async def check_status(self, job_id: str) -> JobStatus:
            return JobStatus(JobState.RUNNING)

    Vendor.models = models
    return Vendor


def _connect(known: Registry, access: Access) -> Provider:
    # No request is made, so the client needs no closing beyond the test's own.
    return known.connect("vendor", client=httpx.AsyncClient(transport=httpx.MockTransport(_refuse)), access=access)


def _refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"unexpected call to {request.url}")


def test_register_keeps_the_order() -> None:
    """Providers and models come back in the order they were registered."""
    known = Registry()
    first = _provider(MODEL, replace(MODEL, id="two"))
    second = _provider(replace(MODEL, id="three", provider="other"), called="other")
    known.register(first)
    known.register(second)
    assert known.providers() == (first, second)
    assert [model.id for model in known.models()] == ["one", "two", "three"]
    assert known.provider_class("other") is second
    assert known.model("two").id == "two"


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (replace(MODEL, provider="other"), "belongs to 'other'"),
        (replace(MODEL, durations=()), "at least one"),
        (replace(MODEL, resolutions=()), "at least one"),
        (replace(MODEL, aspect_ratios=()), "at least one"),
        (replace(MODEL, durations=(10, 5)), "ascending"),
        (replace(MODEL, durations=(5, 5)), "ascending"),
        (replace(MODEL, durations=(0, 5)), "positive"),
        (replace(MODEL, default_seconds=7), "own default"),
        (replace(MODEL, aspect_ratios=("16:9", "wide")), "no aspect ratio"),
        (replace(MODEL, resolutions=("large",)), "no resolution"),
        (replace(MODEL, deadline_seconds=10**15), "deadline"),
        (replace(MODEL, durations=(5, 10**9)), "longer than"),
        (replace(MODEL, sizes={"720p 16:9": (10**30, 720)}), "pixels"),
    ],
)
def test_register_when_a_declaration_is_wrong(model: VideoModel, complaint: str) -> None:
    """A model that could not be offered as declared is refused, and nothing of its provider stays behind."""
    known = Registry()
    with pytest.raises(ValueError, match=complaint):
        known.register(_provider(replace(MODEL, id="fine"), model))
    assert known.providers() == ()
    assert known.models() == ()


def test_register_when_names_collide() -> None:
    """Two providers of one name, or two models of one id, are refused; a provider needs a model."""
    known = Registry()
    known.register(_provider(MODEL))
    with pytest.raises(ValueError, match="provider named 'vendor'"):
        known.register(_provider(replace(MODEL, id="two")))
    with pytest.raises(ValueError, match="model 'one', of vendor"):
        known.register(_provider(replace(MODEL, provider="other"), called="other"))
    with pytest.raises(ValueError, match="no models"):
        known.register(_provider(called="empty"))


def test_lookup_of_what_is_not_there_names_what_is() -> None:
    """An unknown model answers NotFound with the alternatives; None where it was there once."""
    known = Registry()
    known.register(_provider(MODEL))
    with pytest.raises(errors.NotFound, match=r"no model 'sora'.*one"):
        known.model("sora")
    assert known.find_model("sora") is None


def test_lookup_of_a_provider_that_is_gone() -> None:
    """Its clips are still there: it is called by its id, can be asked for nothing, and is not connected to."""
    known = Registry()
    known.register(_provider(MODEL))
    gone = known.provider_class("gone")
    assert (gone.name, gone.display_name, gone.models, gone.can_cancel) == ("gone", "gone", (), False)
    assert gone is known.provider_class("gone")
    assert known.is_registered("vendor")
    assert not known.is_registered("gone")
    with pytest.raises(errors.ProviderRemoved):
        known.connect("gone", client=httpx.AsyncClient(), access=Access(key="k", base_url=""))


def test_connect_needs_a_usable_key() -> None:
    """Without a key, or with one that no header may hold, the provider is not configured; the key is not quoted."""
    known = Registry()
    known.register(_provider(MODEL))
    for key in ("", "secret\nkey", "secret-key ", "sécret-key"):
        with pytest.raises(errors.ProviderNotConfigured) as caught:
            _connect(known, Access(key=key, base_url=""))
        assert not key or key not in str(caught.value)
    assert isinstance(_connect(known, Access(key="secret", base_url="")), Provider)
    assert "secret" not in repr(Access(key="secret", base_url=""))


def test_connect_when_no_key_is_needed() -> None:
    """A provider that needs no key connects without one."""
    known = Registry()
    known.register(_provider(MODEL, keyed=False))
    assert isinstance(_connect(known, Access(key="", base_url="")), Provider)


def test_loaded_models_are_the_price_list_s_vendors() -> None:
    """Importing the package registers the vendors with the models the product is described by."""
    found = {
        model.id: (model.name, model.provider, model.default_seconds, model.max_seconds) for model in registry.models()
    }
    expected = {
        "veo3": ("Google Veo 3", "modelslab", 8, 8),
        "veo2": ("Google Veo 2", "modelslab", 8, 8),
        "text-to-video-ultra": ("Text-to-Video Ultra", "modelslab", 8, 10),
        "wan-2.2-t2v": ("Wan 2.2 T2V", "modelslab", 10, 10),
        "seedance-t2v": ("Seedance T2V", "modelslab", 5, 10),
        "runway-gen3": ("Runway Gen-3", "edenai", 10, 10),
        "kling-2.5": ("Kling 2.5", "edenai", 5, 10),
        "nova-reel": ("Amazon Nova Reel", "edenai", 6, 6),
    }
    assert found.items() >= expected.items()
    assert all("720p" in registry.model(model_id).resolutions for model_id in expected)
