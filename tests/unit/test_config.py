from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import config, setting_values
from core.billing import ledger
from core.db.tables.operation import AUDIT_LOG_KEPT_DAYS
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
        ("DATABASE_URL", "foo"),
        ("DATABASE_URL", "mysql://db/studio"),
        ("REDIS_URL", "redis://localhost:port"),
        ("STORAGE_URL", "file:///srv/a?b"),
        ("SIGNUP_CREDITS", "9" * 5000),
        ("SIGNUP_CREDITS", "9" * 20),
        ("SIGNUP_CREDITS", "1000000000001"),
        ("STORAGE_QUOTA_BYTES", "9" * 18),
        ("POLL_SECONDS", "nan"),
        ("DELIVERY_CHECKS", "maybe"),
        ("AUTO_MIGRATE", "maybe"),
        ("PUBLIC_URL", "https://video.example.org/?a=b"),
        ("MODELSLAB_BASE_URL", "https://"),
        ("MODELSLAB_BASE_URL", "http://gateway:4000/v1"),
        ("MODELSLAB_BASE_URL", "http://gateway:4000?x=1"),
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
        ("AUDIT_LOG_DAYS", "29"),
        ("AUDIT_LOG_DAYS", "a year"),
        ("AUDIT_LOG_DAYS", "36501"),
    ],
)
def test_load_when_a_value_is_bad(tmp_path: Path, name: str, value: str) -> None:
    """A bad value ends the start with a sentence that names its variable."""
    with pytest.raises(config.BadSetting, match=name):
        config.load({"DATA_DIR": str(tmp_path), name: value})


@pytest.mark.parametrize("value", ["0", "0.0", "-1", "3600.5"])
def test_pause_says_between_what_it_must_be(tmp_path: Path, value: str) -> None:
    """The sentence does not read as if the value that it refuses were allowed."""
    with pytest.raises(config.BadSetting, match=f"POLL_SECONDS: {value} is not above 0 and at most 3600 seconds"):
        config.load({"DATA_DIR": str(tmp_path), "POLL_SECONDS": value})
    assert config.load({"DATA_DIR": str(tmp_path), "POLL_SECONDS": "3600"}).poll_seconds == 3600


def test_audit_log_is_kept_as_long_as_the_database_holds_it() -> None:
    """Nobody can ask for less than what the triggers of the table keep anyway."""
    assert setting_values.SHORTEST_LOG_DAYS == AUDIT_LOG_KEPT_DAYS


def test_signup_credits_when_they_are_as_many_as_can_be(tmp_path: Path) -> None:
    """As many as one booking may move are given, and not one more."""
    assert setting_values.CREDITS_LIMIT == ledger.BOOKING_LIMIT_CREDITS
    most = config.load({"DATA_DIR": str(tmp_path), "SIGNUP_CREDITS": str(ledger.BOOKING_LIMIT_CREDITS)})
    assert most.signup_credits == ledger.BOOKING_LIMIT_CREDITS


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe\x00k", b"k\x00\x01y"])
def test_load_when_the_kept_key_is_spoiled(tmp_path: Path, content: bytes) -> None:
    """A key that is empty or no text is not used and not made anew: what it signed would silently end."""
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(config.BadSetting, match=r"SECRET_KEY: .*secret.key is (empty|damaged)"):
        config.load({"DATA_DIR": str(tmp_path)})
    assert (tmp_path / "secret.key").read_bytes() == content


def test_load_when_the_kept_key_is_a_folder(tmp_path: Path) -> None:
    """What cannot be read as a file is said by name."""
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(config.BadSetting, match=r"SECRET_KEY: .*secret\.key cannot be read"):
        config.load({"DATA_DIR": str(tmp_path)})


def test_folder_that_is_made_is_private(tmp_path: Path) -> None:
    """A data folder that we make can be looked into by its owner alone; one that is there keeps its mode."""
    config.load({"DATA_DIR": str(tmp_path / "new")})
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    (tmp_path / "old").mkdir()
    (tmp_path / "old").chmod(0o750)
    config.load({"DATA_DIR": str(tmp_path / "old")})
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("around", ["{}\r", "{}\r\n", " {} ", "\ufeff{}", "'{}'", '"{}"', "\u200b{}\u00a0", ' "{} "\t'])
def test_load_when_something_invisible_stands_around_a_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, around: str
) -> None:
    """It is cut off and said, without the value."""
    given = {"FAL_API_KEY": around.format("hunter2"), "POLL_SECONDS": around.format("7")}
    found = config.load({"DATA_DIR": str(tmp_path)} | given, providers=["fal"])

    assert found.provider_keys == {"fal": "hunter2"}
    assert found.poll_seconds == 7.0
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "FAL_API_KEY" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("value", "is_on"), [("on", True), ("Yes", True), ("1", True), ("off", False), ("FALSE", False), ("0", False)]
)
def test_load_when_checks_are_switched(tmp_path: Path, value: str, is_on: bool) -> None:
    """Clips are looked over unless it is switched off, in any of the usual words."""
    data_dir = {"DATA_DIR": str(tmp_path)}
    assert config.load(data_dir).delivery_checks is True
    assert config.load(data_dir | {"DELIVERY_CHECKS": value}).delivery_checks is is_on


@pytest.mark.parametrize(("address", "migrates"), [("", True), ("postgresql://db/studio", False)])
def test_load_when_schemas_change_by_themselves(tmp_path: Path, address: str, migrates: bool) -> None:
    """A file of one machine is brought up to date at a start, a server of many by a command; both can be set."""
    given = {"DATA_DIR": str(tmp_path)} | ({"DATABASE_URL": address} if address else {})
    assert config.load(given).auto_migrate is migrates
    assert config.load(given | {"AUTO_MIGRATE": "off" if migrates else "on"}).auto_migrate is not migrates


def test_load_when_a_secret_key_has_blanks(tmp_path: Path) -> None:
    """A secret key may be any text, and cutting one that is in use would make it another: it counts as it is."""
    found = config.load({"DATA_DIR": str(tmp_path), "SECRET_KEY": "k\r", "SECRET_KEY_OLD": " 'old' "})
    assert found.secrets_in_force == (b"k\r", b" 'old' ")


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


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("COMFY_BASE_URL", "COMFYUI_BASE_URL"),
        ("MODELLAB_API_KEY", "MODELSLAB_API_KEY"),
        ("MODELS_LAB_API_KEY", "MODELSLAB_API_KEY"),
        ("EDEN_AI_API_KEY", "EDENAI_API_KEY"),
        ("REPLICAT_MODEL_IDS", "REPLICATE_MODEL_IDS"),
        ("FAL_AI_API_KEY", "FAL_API_KEY"),
    ],
)
def test_unknown_names_when_nearly_a_providers(name: str, meant: str) -> None:
    """A name that is nearly one of a provider's is said together with the one that was probably meant."""
    providers = ["modelslab", "edenai", "replicate", "fal", "comfyui"]
    assert config.unknown_names([name, meant], providers) == [f"{name} (is it {meant}?)"]


@pytest.mark.parametrize(
    "name",
    [
        "VITE_BASE_URL",
        "MYTOOL_BASE_URL",
        "LLM_MAX_IN_FLIGHT",
        "OPENAI_API_KEY",
        "FOO_MODEL_IDS",
        "GOOGLE_API_KEY",
        "_API_KEY",
    ],
)
def test_unknown_names_when_another_programs(name: str) -> None:
    """What other programs are set up with is no business of ours."""
    assert config.unknown_names([name], ["modelslab", "edenai", "replicate", "fal", "demo"]) == []


@pytest.mark.parametrize("content", [b"\xff\xfe=", b"FAL_API_KEY=\xe9"])
def test_read_when_the_file_beside_the_app_is_no_text(tmp_path: Path, content: bytes) -> None:
    """A file that cannot be read is named in one sentence."""
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(config.BadSetting, match=r"\.env cannot be read"):
        config.read(["fal"], env_file=tmp_path / ".env")


def test_read_when_the_file_begins_with_a_mark(tmp_path: Path) -> None:
    """The mark that some editors put before UTF-8 is no part of the first name."""
    (tmp_path / ".env").write_bytes(f"\ufeffDATA_DIR={tmp_path}\r\nFAL_API_KEY=k\r\n".encode())
    found = config.read(["fal"], env_file=tmp_path / ".env")
    assert (found.data_dir, found.provider_keys) == (tmp_path, {"fal": "k"})


@pytest.mark.parametrize("name", ["CREDENTIALS_CERTIFICATE_FILE", "CREDENTIALS_KEY_FILE"])
def test_load_when_only_one_file_of_a_signing_key_is_named(tmp_path: Path, name: str) -> None:
    """A certificate without its key signs nothing, nor a key without it; that both files are missing stops nothing."""
    both = ("CREDENTIALS_CERTIFICATE_FILE", "CREDENTIALS_KEY_FILE")
    with pytest.raises(config.BadSetting, match="set together, or neither"):
        config.load({"DATA_DIR": str(tmp_path), name: str(tmp_path / "none.pem")})
    found = config.load({"DATA_DIR": str(tmp_path)} | dict.fromkeys(both, str(tmp_path / "none.pem")))
    assert found.credentials_key_file == tmp_path / "none.pem"
