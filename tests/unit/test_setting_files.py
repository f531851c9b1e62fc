import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import config, setting_files
from core.config import Settings


@pytest.mark.parametrize(
    "name",
    [
        *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SMTP_PASSWORD", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"),
        *("OIDC_CLIENT_SECRET", "OIDC_2_CLIENT_SECRET", "FAL_API_KEY", "FAL_WEBHOOK_SECRET", "FAL_BASE_URL"),
    ],
)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfek", "is no text in UTF-8"),
        (b"k" * (setting_files.LIMIT_BYTES + 1), "has more than 65,536 bytes"),
    ],
)
def test_file_that_cannot_be_used(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    """The start ends with a sentence that names the variable and the file."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(config.BadSetting, match=f"^{name}_FILE: the file {path} {reason}"):
        config.load({"DATA_DIR": str(tmp_path), f"{name}_FILE": str(path)})


def test_file_that_is_a_folder(tmp_path: Path) -> None:
    """What cannot be read as a file is said so."""
    with pytest.raises(config.BadSetting, match=r"^SECRET_KEY_FILE: the file .* cannot be read: Is a directory"):
        config.load({"DATA_DIR": str(tmp_path), "SECRET_KEY_FILE": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "other"), [("SECRET_KEY", "SECRET_KEY"), ("FAL_API_KEY", "FAL_API_KEY"), ("ALL_PROXY", "all_proxy")]
)
def test_value_and_file_are_both_given(tmp_path: Path, name: str, other: str) -> None:
    """Nobody has to guess which of the two counts, and neither is shown."""
    path = tmp_path / "secret"
    path.write_text("from-the-file")
    with pytest.raises(config.BadSetting, match=f"^{name}_FILE: {other} is set as well") as refused:
        config.load({"DATA_DIR": str(tmp_path), f"{name}_FILE": str(path), other: "http://from-the-variable"})
    assert "from-the" not in str(refused.value)


def test_one_of_the_two_is_empty(tmp_path: Path) -> None:
    """An empty value counts as unset here, too, so that files of variables can name all of them."""
    path = tmp_path / "secret"
    path.write_text("kept")
    empty_value = {"DATA_DIR": str(tmp_path), "SECRET_KEY": "", "SECRET_KEY_FILE": f" {path} "}
    assert config.load(empty_value).secret_key == b"kept"
    assert config.load({"DATA_DIR": str(tmp_path), "SECRET_KEY": "given", "SECRET_KEY_FILE": ""}).secret_key == b"given"


def test_value_from_a_file_is_checked_like_any(tmp_path: Path) -> None:
    """A bad value is refused by the name of its setting, and what is secret in it is not shown."""
    path = tmp_path / "secret"
    path.write_text("mysql://app:from-the-file@db/studio\n")
    with pytest.raises(config.BadSetting, match=r"^DATABASE_URL: ") as refused:
        config.load({"DATA_DIR": str(tmp_path), "DATABASE_URL_FILE": str(path)})
    assert "from-the-file" not in str(refused.value)


def test_files_of_every_kind_of_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each arrives where the variable's value would, without a word about the line end, and stays out of logs."""
    secrets = {
        "DATABASE_URL": "postgresql://app:one@db/studio",
        "REDIS_URL": "rediss://:two@redis:6379/0",
        "SECRET_KEY": "three",
        "SMTP_PASSWORD": "four",
        "AWS_SECRET_ACCESS_KEY": "five",
        "FAL_API_KEY": "six",
        "OIDC_CLIENT_SECRET": "seven",
        "EDENAI_WEBHOOK_SECRET": "-----BEGIN PUBLIC KEY-----\neight\n-----END PUBLIC KEY-----",
        "DEMO_BASE_URL": "http://me:nine@studio:8600",
    }
    variables = {
        "DATA_DIR": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "public",
        "OIDC_ISSUER": "https://id.example.org",
        "OIDC_CLIENT_ID": "studio",
    }
    for name, value in secrets.items():
        (tmp_path / name).write_text(f"{value}\r\n")
        variables[f"{name}_FILE"] = str(tmp_path / name)
    with caplog.at_level(logging.WARNING):
        found = config.load(variables, providers=["fal", "edenai", "demo"])

    assert found.database_url == secrets["DATABASE_URL"]
    assert found.redis_url == secrets["REDIS_URL"]
    assert found.secret_key == b"three"
    assert (found.smtp_password, found.store_variables["AWS_SECRET_ACCESS_KEY"]) == ("four", "five")
    assert (found.provider_keys, found.mended_keys) == ({"fal": "six"}, frozenset())
    assert found.issuers[0].client_secret == "seven"
    assert found.provider_webhook_secrets == {"edenai": secrets["EDENAI_WEBHOOK_SECRET"]}
    assert found.provider_base_urls == {"demo": secrets["DEMO_BASE_URL"]}
    assert {"one", "two", "three", "four", "five", "six", "seven", "nine"} <= found.secrets
    assert caplog.records == []
    assert config.unknown_names(variables, ["fal", "edenai", "demo"]) == []


def test_every_secret_setting_can_lie_in_a_file() -> None:
    """A setting whose value is shown nowhere is one that may be handed over by a file."""
    per_provider = {"provider_keys": "FAL_API_KEY", "provider_webhook_secrets": "FAL_WEBHOOK_SECRET"}
    per_provider |= {"provider_base_urls": "FAL_BASE_URL", "store_variables": "AWS_SECRET_ACCESS_KEY"}
    hidden = [name for name, field in Settings.model_fields.items() if not field.repr]
    assert len(hidden) > 8
    for name in hidden:
        assert setting_files.is_known(f"{per_provider.get(name, name.upper())}_FILE", ["fal"]), name


@pytest.mark.parametrize("name", ["PUBLIC_URL_FILE", "ACME_API_KEY_FILE", "POLL_SECONDS_FILE", "_API_KEY_FILE", "FILE"])
def test_file_of_what_is_no_secret_of_ours(tmp_path: Path, name: str) -> None:
    """It is not read, whatever lies there; others' variables may be called so."""
    found = config.load({"DATA_DIR": str(tmp_path), name: "/nowhere"}, providers=["fal"])
    assert found.public_url == ""


def test_file_of_what_is_nearly_ours_is_said() -> None:
    """A slip in the name of a file's variable is warned about like any other."""
    assert config.unknown_names(["DATABASE_FILE", "OIDC_SECRET_FILE"], ["fal"]) == ["DATABASE_FILE", "OIDC_SECRET_FILE"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_secret_key_is_the_same_by_either_way(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    """Whatever signs a key has: but for line ends at its end, a file means what a variable means."""
    bare = key.rstrip("\r\n")
    if not bare.strip(" \t\r\n\v\f\u00a0\u200b\u2060\ufeff") or bare.startswith("\ufeff"):
        return
    folder = tmp_path_factory.mktemp("key")
    (folder / "key").write_bytes(key.encode())
    by_file = config.load({"DATA_DIR": str(folder), "SECRET_KEY_FILE": str(folder / "key")})
    assert by_file.secret_key == config.load({"DATA_DIR": str(folder), "SECRET_KEY": bare}).secret_key
