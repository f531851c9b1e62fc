"""Further vendors by a file: what it may say, and what each slip is told."""

import logging
from pathlib import Path

import pytest

from core import errors, process_settings, vendors_check, vendors_file
from core.catalog import catalogue
from core.catalog.records import LifeState, PerSecondPrice
from core.clock import utc_now
from core.installation import Installation
from core.providers import registry
from core.providers.registry import Registry
from core.vendors_file import BadVendorsFile, line_of
from tests.factories import installations
from tests.factories.vendors import further_models

GOOD = """
[vendor.second]
kind = "replicate"
name = "Replicate, the other account"
base_url = "https://relay.example"
max_in_flight = 3

[[vendor.second.model]]
id = "second-wan"
name = "Wan of ours"
upstream_id = "team/wan"
description = "Made by our own fine-tune."
default_seconds = 5
durations = { from = 3, to = 8 }
resolutions = ["720p", "768p"]
aspect_ratios = ["16:9", "21:9"]
sizes = { "720p 16:9" = [1280, 704] }

[[vendor.second.model.prices]]
since = 2026-11-28
credits_per_second = { "720p" = 14, "768p" = 20 }

[[vendor.fal.model]]
id = "fal-new"
name = "A newer one"
upstream_id = "fal-ai/newer"
description = "Newer."
default_seconds = 5
durations = [5]
resolutions = ["720p"]
aspect_ratios = ["16:9"]
options = { text_path = "/text" }
prices = [{ since = 2026-11-28, base_credits = 320, default_seconds = 5 }]

[hide]
models = ["runway-gen3"]
"""


def read(tmp_path: Path, text: str) -> Registry:
    """A registry with what a file says."""
    file = tmp_path / "vendors.toml"
    file.write_text(text, "utf-8")
    known = registry.make()
    vendors_file.add(known, file)
    return known


def test_instance_has_its_own_name_models_and_address(tmp_path: Path) -> None:
    """An instance is a provider of its own: its key, its models; the kind's class does the rest."""
    known = read(tmp_path, GOOD)
    second = known.provider_class("second")

    assert (second.display_name, second.default_base_url) == ("Replicate, the other account", "https://relay.example")
    assert (second.key_variable(), second.max_in_flight) == ("SECOND_API_KEY", 3)
    assert issubclass(second, known.provider_class("replicate"))
    assert known.model("second-wan").frame_size("720p", "16:9") == (1280, 704)
    assert known.model("second-wan").frame_size("768p", "21:9") == (1792, 768)


def test_shipped_provider_gets_a_further_model(tmp_path: Path) -> None:
    """The models it had stay, in their order, and its class keeps its key's name."""
    before = [model.id for model in registry.make().provider_class("fal").models]
    fal = read(tmp_path, GOOD).provider_class("fal")

    assert [model.id for model in fal.models] == [*before, "fal-new"]
    assert fal.models[-1].options == {"text_path": "/text"}
    assert fal.key_variable() == "FAL_API_KEY"


def test_prices_and_hidden_models_are_in_the_catalogue(tmp_path: Path) -> None:
    """What the file says of prices counts, and what it hides is offered to nobody."""
    found = catalogue.of_registry(read(tmp_path, GOOD))
    price = found.get("second-wan").price(utc_now())

    assert isinstance(price, PerSecondPrice)
    assert dict(price.credits_per_second) == {"720p": 14, "768p": 20}
    assert found.get("runway-gen3").state(utc_now()) is LifeState.HIDDEN
    assert found.get("runway-gen3").price(utc_now()) is not None
    assert "runway-gen3" not in [entry.model.id for entry in found.orderable(utc_now())]


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ('kind = "replicate"', 'kind = "replicat"', 3, "vendor.second.kind"),
        ('kind = "replicate"\n', "", 2, "vendor.second"),
        ("max_in_flight = 3", 'max_in_flight = "3"', 6, "vendor.second.max_in_flight"),
        ("max_in_flight = 3", "max_in_flght = 3", 6, "vendor.second.max_in_flght"),
        ("https://relay.example", "https://relay.example/v1", 5, "vendor.second.base_url"),
        (
            "durations = { from = 3, to = 8 }",
            "durations = { from = 8, to = 3 }",
            14,
            "vendor.second.model[0].durations",
        ),
        ('"720p 16:9" = [1280, 704]', '"720p 16:9" = [1280]', 17, "vendor.second.model[0].sizes.720p 16:9"),
        ("credits_per_second = {", "credit_per_second = {", 21, "vendor.second.model[0].prices[0].credit_per_second"),
        ("since = 2026-11-28\n", "since = 20261128\n", 20, "vendor.second.model[0].prices[0].since"),
        (', "768p" = 20 }', " }", 21, "vendor.second.model[0].prices[0].credits_per_second"),
        ('"768p" = 20 }', '"786p" = 20, any = 20 }', 21, "vendor.second.model[0].prices[0].credits_per_second"),
        ('id = "fal-new"\n', "", 23, "vendor.fal.model[0].id"),
        (
            "[[vendor.fal.model]]",
            '[vendor.fal]\nbase_url = "https://a.example"\n[[vendor.fal.model]]',
            24,
            "vendor.fal.base_url",
        ),
        (
            "prices = [{ since = 2026-11-28, base_credits = 320",
            "prices = [{ base_credits = 320",
            33,
            "vendor.fal.model[0].prices[0].since",
        ),
        ('models = ["runway-gen3"]', 'models = ["runway"]', 36, "hide.models"),
        ("[hide]", "[hidden]", 35, "hidden"),
        ("[vendor.second]", "[vendor.Second]", 2, "vendor.Second"),
        ('id = "second-wan"', 'id = "veo3"', 9, "vendor.second.model[0].id"),
        ("default_seconds = 5\ndurations = {", "default_seconds = 2\ndurations = {", 8, "vendor.second.model[0]"),
        (
            'credits_per_second = { "720p" = 14, "768p" = 20 }',
            'credits_per_second = { "720p" = 14 }',
            21,
            "vendor.second.model[0].prices[0].credits_per_second",
        ),
        ("options = { text_path", "options = { txt_path", 32, "vendor.fal.model[0].options.txt_path"),
        ('resolutions = ["720p"]', 'resolutions = ["1440p"]', 33, "vendor.fal.model[0].prices[0].base_credits"),
    ],
)
def test_slip_is_told_with_line_and_field(tmp_path: Path, old: str, new: str, line: int, field: str) -> None:
    """One sentence names the file, the line and the field, so that nobody has to guess."""
    assert old in GOOD
    with pytest.raises(BadVendorsFile) as told:
        read(tmp_path, GOOD.replace(old, new, 1))

    assert f"vendors.toml, line {line}, {field}: " in str(told.value)


def test_field_that_is_misspelt_is_told_with_the_nearest(tmp_path: Path) -> None:
    """Who slips by a letter reads what is meant; what is near nothing is only said to be none."""
    for written, told in (("resolution = [", "There is no such field. Is it resolutions?"), ("colour = [", "field.")):
        with pytest.raises(BadVendorsFile) as failed:
            read(tmp_path, GOOD.replace("resolutions = [", written, 1))
        assert str(failed.value).endswith(told)


def test_text_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    """The reader's own sentence has line and column."""
    with pytest.raises(BadVendorsFile, match="line 2"):
        read(tmp_path, "[vendor.a]\nkind = \n")


def test_nothing_is_taken_from_a_file_with_a_slip(tmp_path: Path) -> None:
    """A registry that was read from is used or thrown away as a whole."""
    known = registry.make()
    file = tmp_path / "vendors.toml"
    file.write_text(GOOD.replace("[[vendor.fal.model]]", "[[vendor.fal.models]]"), "utf-8")
    with pytest.raises(BadVendorsFile):
        vendors_file.add(known, file)

    assert not known.is_registered("second")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("a", "b"), 2),
        (("a", "list", 1, "x"), 6),
        (("a", "list", 1), 5),
        (("a", "list", 0, "x"), 4),
        (("z",), 1),
    ],
)
def test_line_of_finds_table_and_key(path: tuple[str | int, ...], line: int) -> None:
    """Tables in lists are counted; what is not there is told at the top."""
    assert line_of("[a]\nb = 1\n[[a.list]]\nx = 1\n[[a.list]]\nx = 2\n", path) == line


def test_unknown_vendor_when_checked() -> None:
    """Who asks for a vendor that is none is told which there are."""
    with pytest.raises(errors.NotFound):
        vendors_check.tried(process_settings.read(), ["nobody"])


GATEWAY = """
[vendor.gate]
kind = "openaivideo"
base_url = "http://video:pass-in-address@gate.example:8000"
options = { headers = { X-Gateway-Key = "key-in-header", custom-llm-provider = "vertex_ai" } }

[[vendor.gate.model]]
id = "gate-wan"
name = "Wan"
upstream_id = "wan"
description = "At the gateway."
default_seconds = 5
durations = [5]
resolutions = ["720p"]
aspect_ratios = ["16:9"]
prices = [{ since = 2026-11-28, credits_per_second = { "720p" = 7 } }]
"""


def test_keys_in_a_file_are_in_no_log(
    tmp_path: Path, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """A gateway's password and key are secrets, as those of variables are; names that tell nothing are not."""
    before = logging.getLogRecordFactory()
    try:
        with further_models(tmp_path, GATEWAY):
            installations.reopen()
            logging.getLogger("somebody").warning("%s", "pass-in-address key-in-header vertex_ai")
    finally:
        logging.setLogRecordFactory(before)
    assert "*** *** vertex_ai" in caplog.text
    assert not {"pass-in-address", "key-in-header"} & set(caplog.text.split())
