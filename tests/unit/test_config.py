from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import config


def test_load_when_nothing_is_set(tmp_path: Path) -> None:
    """Without any variable it is the demo: SQLite, local files, one local person with credits."""
    found = config.load({"DATA_DIR": str(tmp_path)})

    assert found.is_demo
    assert found.database_url == f"sqlite:///{tmp_path}/studio.db"
    assert found.storage_url == (tmp_path / "media").as_uri()
    assert (found.auth_mode, found.signup_credits, found.poll_seconds) == ("local", 100_000, 5.0)


def test_load_when_redis_is_given(tmp_path: Path) -> None:
    """With a Redis it is no demo, and nobody is given credits."""
    found = config.load({"DATA_DIR": str(tmp_path), "REDIS_URL": "redis://localhost:6379/0"})

    assert not found.is_demo
    assert found.signup_credits == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "localhost:6379"),
        ("STORAGE_URL", "ftp://files"),
        ("AUTH_MODE", "none"),
        ("SIGNUP_CREDITS", "-5"),
        ("SIGNUP_CREDITS", "many"),
        ("POLL_SECONDS", "0"),
        ("POLL_SECONDS", "soon"),
        ("STORAGE_QUOTA_BYTES", "1.5"),
        ("DOWNLOAD_ALLOW_HOSTS", "files.internal"),
        ("WEBHOOK_ALLOW_HOSTS", "hooks.internal:https"),
        ("PUBLIC_URL", "video.example.org"),
        ("MODELSLAB_MODEL_IDS", "veo3"),
        ("MODELSLAB_MODEL_IDS", "veo3=,veo2=x"),
        ("ACME_MAX_IN_FLIGHT", "-1"),
        ("MODELSLAB_BASE_URL", "modelslab.example"),
    ],
)
def test_load_when_a_value_is_bad(tmp_path: Path, name: str, value: str) -> None:
    """A bad value ends the start with a sentence that names its variable."""
    with pytest.raises(config.BadSetting, match=name):
        config.load({"DATA_DIR": str(tmp_path), name: value})


def test_load_when_data_dir_cannot_be_made(tmp_path: Path) -> None:
    """A folder that cannot be made is said by name."""
    (tmp_path / "file").write_text("")
    with pytest.raises(config.BadSetting, match="DATA_DIR"):
        config.load({"DATA_DIR": str(tmp_path / "file" / "data")})


def test_secret_key_when_many_start_at_once(tmp_path: Path) -> None:
    """The key made on first start is the same for everybody who starts, readable by its owner only."""
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: config.load({"DATA_DIR": str(tmp_path)}).secret_key, range(16)))

    assert len(keys) == 1
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_provider_settings_when_given(tmp_path: Path) -> None:
    """Any NAME_API_KEY and NAME_BASE_URL is taken; the address may serve its own files; no key shows in a repr."""
    environ = {"DATA_DIR": str(tmp_path), "ACME_API_KEY": "k-secret", "ACME_BASE_URL": "http://127.0.0.1:9000"}
    found = config.load(environ | {"DOWNLOAD_ALLOW_HOSTS": "10.0.0.5:80, files.internal:8080"})

    assert found.provider_keys == {"acme": "k-secret"}
    renamed = config.load(environ | {"ACME_MODEL_IDS": "film=film-2, clip=clip=3"}).provider_model_ids
    assert renamed == {"acme": {"film": "film-2", "clip": "clip=3"}}
    assert found.download_allow("acme") == {"127.0.0.1:9000", "10.0.0.5:80", "files.internal:8080"}
    assert found.download_allow("other") == {"10.0.0.5:80", "files.internal:8080"}
    assert "k-secret" not in repr(found)
