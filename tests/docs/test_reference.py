from collections.abc import Mapping
from pathlib import Path

import pytest

from core import config
from core.providers import registry
from tools.reference_docs import __main__ as command
from tools.reference_docs import settings
from tools.reference_docs.pages import PAGES, stale


@pytest.mark.parametrize("columns", ["40", "200"])
def test_no_page_is_stale(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generated pages say what the code says, on a terminal of any width; `make docs` writes them."""
    monkeypatch.setenv("COLUMNS", columns)

    assert stale(command.REFERENCE) == []


def test_stale_when_a_page_was_changed_by_hand_or_is_missing(tmp_path: Path) -> None:
    """Both are noticed, and only these."""
    for name, page in PAGES.items():
        (tmp_path / name).write_text(page(), encoding="utf-8")
    (tmp_path / "errors.md").write_text("# Errors\n", encoding="utf-8")
    (tmp_path / "states.md").unlink()

    assert stale(tmp_path) == ["errors.md", "states.md"]


def test_command_checks_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--check` fails and changes nothing while a page is missing; without it the page is written."""
    assert command.main(["--check"], tmp_path) == 1
    assert "settings.md is stale" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert command.main([], tmp_path) == 0
    assert command.main(["--check"], tmp_path) == 0


class Asked(dict[str, str]):
    """An environment that remembers what was looked up by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]  # as dict's, narrower
        self.names.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.names.add(key)
        return super().__getitem__(key)


@pytest.fixture
def documented() -> set[str]:
    """Names of all documented variables."""
    return {variable.name for variable in settings.variables()}


def test_every_variable_that_is_read_is_documented(tmp_path: Path, documented: set[str]) -> None:
    """What the settings look up by name stands on the page, and what stands there is looked up."""
    asked = Asked({"DATA_DIR": str(tmp_path)})

    config.load(asked)

    by_name = {name for name in documented if not name.startswith(("NAME_", "OIDC_"))}
    assert {name.upper() for name in asked.names} == by_name


def test_every_variable_of_an_identity_provider_is_read(tmp_path: Path, documented: set[str]) -> None:
    """What stands on the page for signing in changes the settings, for the first provider and for further ones."""
    least = {"DATA_DIR": str(tmp_path), "OIDC_ISSUER": "https://a.example", "OIDC_CLIENT_ID": "a"}
    more = {"OIDC_CLIENT_SECRET": "s", "OIDC_NAME": "A", "OIDC_SCOPES": "openid", "OIDC_GROUPS_CLAIM": "roles"}
    more["OIDC_EMAIL_VERIFIED"] = "always"
    of_first = {name for name in documented if name.startswith("OIDC_") and "," not in name}
    assert of_first == {*more, "OIDC_ISSUER", "OIDC_CLIENT_ID"}

    for name, value in more.items():
        assert config.load(least | {name: value}) != config.load(least), name
    second = {name.replace("OIDC_", "OIDC_2_"): value for name, value in more.items()}
    second |= {"OIDC_2_ISSUER": "https://b.example", "OIDC_2_CLIENT_ID": "b"}
    assert len(config.load(least | second).issuers) == 2


def test_every_variable_of_a_provider_is_read(tmp_path: Path, documented: set[str]) -> None:
    """What stands on the page for each provider changes the settings."""
    plain = config.load({"DATA_DIR": str(tmp_path)})
    values = {"NAME_API_KEY": "k", "NAME_BASE_URL": "https://a.example", "NAME_MODEL_IDS": "a=b"}
    values |= {"NAME_MAX_IN_FLIGHT": "3", "NAME_WEBHOOK_SECRET": "whsec_AA=="}
    assert set(values) == {name for name in documented if name.startswith("NAME_")}

    for name, value in values.items():
        for provider in registry.providers():
            own = name.replace("NAME", provider.name.upper(), 1)
            assert config.load({"DATA_DIR": str(tmp_path), own: value}) != plain, own
