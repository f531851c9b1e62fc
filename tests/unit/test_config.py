from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import config
from core.proxies import Proxies


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
        ("STORAGE_URL", "file://host/media"),
        ("DATABASE_URL", "localhost/studio"),
        ("SIGNUP_CREDITS", "9" * 5000),
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
        ("ALL_PROXY", "socks4://proxy.example"),
        ("HTTPS_PROXY", "http://"),
    ],
)
def test_load_when_a_value_is_bad(tmp_path: Path, name: str, value: str) -> None:
    """A bad value ends the start with a sentence that names its variable."""
    with pytest.raises(config.BadSetting, match=name):
        config.load({"DATA_DIR": str(tmp_path), name: value})


@pytest.mark.parametrize("name", ["REDIS_URL", "STORAGE_URL", "MODELSLAB_BASE_URL", "PUBLIC_URL", "ALL_PROXY"])
@pytest.mark.parametrize(
    "value", ["redi://:s3cret@host", "://s3cret", "ftp://host/s3cret", "x://a:s3/cret@h", "htp://h/?key=s3cret"]
)
def test_a_bad_value_is_told_without_what_may_be_secret(tmp_path: Path, name: str, value: str) -> None:
    """However an address is misspelt, neither a password nor a key in it is printed."""
    with pytest.raises(config.BadSetting, match=name) as refused:
        config.load({"DATA_DIR": str(tmp_path), name: value})
    assert "cret" not in str(refused.value)


def test_proxies_in_capitals_and_small_letters(tmp_path: Path) -> None:
    """The variables of proxies are read as other programs read them, small letters first."""
    given = {"ALL_PROXY": "socks5://one:1", "https_proxy": "two:2", "HTTPS_PROXY": "http://three:3", "no_proxy": "*"}
    found = config.load({"DATA_DIR": str(tmp_path), **given})
    assert found.proxies == Proxies(https="http://two:2", all="socks5://one:1", no_proxy="*")


def test_secrets_are_all_that_must_not_be_seen(tmp_path: Path) -> None:
    """Keys, and the passwords of every address."""
    given = {
        "MODELSLAB_API_KEY": "key-1",
        "DATABASE_URL": "postgresql://u:pass%40word@h/d",
        "REDIS_URL": "redis://:of-redis@h",
        "ALL_PROXY": "http://u:of-proxy@h",
        "MODELSLAB_BASE_URL": "https://u:of-gateway@h",
        "SECRET_KEY": "of-ours",
    }
    found = config.load({"DATA_DIR": str(tmp_path), **given})
    assert found.secrets == {"key-1", "pass@word", "of-redis", "of-proxy", "of-gateway", "of-ours"}


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
    assert found.download_allow("other", "http://127.0.0.1:8188") == {
        "127.0.0.1:8188",
        "10.0.0.5:80",
        "files.internal:8080",
    }
    assert found.download_allow("other") == {"10.0.0.5:80", "files.internal:8080"}
    assert "k-secret" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "http://me:hunter2@cache:6379"),
        ("REDIS_URL", "me:hun/ter2@cache:6379"),
        ("DATABASE_URL", "postgres//me:hunter2@db/studio"),
        ("STORAGE_URL", "file://me:hunter2@host/media"),
        ("STORAGE_URL", "s3//bucket?key=hunter2"),
        ("PUBLIC_URL", "me:hunter2@video.example.org"),
        ("MODELSLAB_BASE_URL", "ftp://vendor.example?key=hunter2"),
        ("WEBHOOK_ALLOW_HOSTS", "me:hunter2@hooks.internal"),
    ],
)
def test_load_when_a_bad_value_holds_a_secret(tmp_path: Path, name: str, value: str) -> None:
    """The sentence names the variable and shows neither password nor key."""
    with pytest.raises(config.BadSetting, match=name) as refused:
        config.load({"DATA_DIR": str(tmp_path), name: value})

    assert "hunter2" not in str(refused.value)
    assert "ter2" not in str(refused.value)
    assert str(refused.value).count("\n") == 0


def test_settings_show_no_secret(tmp_path: Path) -> None:
    """What is printed of settings holds no password, key or secret."""
    environ = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql://me:hunter2@db/studio",
        "REDIS_URL": "rediss://:hunter2@cache",
        "SECRET_KEY": "hunter2",
        "ACME_API_KEY": "hunter2",
        "ACME_BASE_URL": "https://me:hunter2@acme.example",
    }
    assert "hunter2" not in repr(config.load(environ))


def test_provider_settings_when_the_provider_is_not_registered(tmp_path: Path) -> None:
    """Variables of other programs that end like ours are no setting, however they look."""
    foreign = {"OPENAI_API_KEY": "k", "UV_INDEX_BASE_URL": "nonsense", "PIP_MAX_IN_FLIGHT": "-1", "X_MODEL_IDS": "x"}
    found = config.load({"DATA_DIR": str(tmp_path), "FAL_API_KEY": "f"} | foreign, providers=["fal"])

    assert found.provider_keys == {"fal": "f"}
    assert (found.provider_base_urls, found.provider_max_in_flight, found.provider_model_ids) == ({}, {}, {})


def test_read_when_a_file_lies_beside_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is read as well, and the environment wins."""
    for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("POLL_SECONDS", "3")
    file = tmp_path / ".env"
    file.write_text(f"DATA_DIR={tmp_path}\nPOLL_SECONDS=7\nSIGNUP_CREDITS=12\nFAL_API_KEY='of the file'\nPUBLIC_URL=\n")
    found = config.read(["fal"], env_file=file)

    assert (found.data_dir, found.poll_seconds, found.signup_credits) == (tmp_path, 3.0, 12)
    assert (found.provider_keys, found.public_url) == ({"fal": "of the file"}, "")


def test_read_when_a_name_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A name that begins like one of ours and is none is said by name in one warning, and its value is not."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FAL_KEY", "hunter2")
    monkeypatch.setenv("STORAGE_QUOTA", "1")
    config.read(["fal"], env_file=tmp_path / ".env")

    (warning,) = [record.getMessage() for record in caplog.records if record.name == "core.config"]
    assert "FAL_KEY, STORAGE_QUOTA" in warning
    assert "hunter2" not in warning
