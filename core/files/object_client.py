"""Opens a bucket by its address: the client of S3, Google Cloud Storage or Azure, and where browsers find its objects.

Only this module and `core.files.object_storage` know `obstore`, and both are loaded with the first bucket that is
opened. What is not given here (the role of a machine, above all) the client finds out by itself.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from obstore.store import AzureStore, GCSStore, S3Store

from core import storage_settings
from core.files.presigned import Signer
from core.storage_settings import StoreAccess

Client: TypeAlias = S3Store | GCSStore | AzureStore

_RETRIES: dict[str, Any] = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_TIMES: dict[str, Any] = {"timeout": "120s", "read_timeout": "30s", "connect_timeout": "5s"}
_NO_RETRIES: dict[str, Any] = {"max_retries": 0, "retry_timeout": timedelta(seconds=3)}
_SHORT_TIMES: dict[str, Any] = {"timeout": "3s", "connect_timeout": "2s"}
"""For who only asks whether it answers."""


def client(url: str, access: StoreAccess, *, is_probe: bool = False, endpoint: str = "") -> Client:
    """The client of a bucket below its prefix; a probe waits a few seconds for an answer and asks once.

    `endpoint` is where it is reached, if not where the variables say.
    """
    bucket, prefix = storage_settings.bucket_of(url)
    scheme = urlsplit(url).scheme
    config = _config(scheme, access, endpoint)
    place = str(config.get("endpoint") or config.get("base_url") or "")
    options = {**(_SHORT_TIMES if is_probe else _TIMES), "allow_http": place.startswith("http://")}
    if authorities := access.get("AWS_CA_BUNDLE"):
        try:
            options["root_certificate"] = Path(authorities).read_bytes()
        except OSError as failure:
            raise ValueError(f"AWS_CA_BUNDLE {authorities} cannot be read: {failure.strerror}.") from None
    kind: Any = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}[scheme]
    try:
        opened: Client = kind(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options=options,
            retry_config=_NO_RETRIES if is_probe else _RETRIES,
        )
    except Exception as wrong:
        # The client's own words; it quotes no key.
        said = " ".join(str(wrong).split())[:300]
        raise ValueError(f"{scheme}://{bucket} cannot be opened: {said}") from None
    return opened


def _config(scheme: str, access: StoreAccess, endpoint: str) -> dict[str, Any]:
    if scheme == "gs":
        known = {
            "application_credentials": access.get("GOOGLE_APPLICATION_CREDENTIALS"),
            "service_account_key": access.get("GOOGLE_SERVICE_ACCOUNT_KEY"),
        }
    elif scheme == "az":
        known = {
            "account_name": access.get("AZURE_STORAGE_ACCOUNT_NAME"),
            "account_key": access.get("AZURE_STORAGE_ACCOUNT_KEY"),
            "sas_key": access.get("AZURE_STORAGE_SAS_KEY"),
            "endpoint": endpoint or access.get("AZURE_STORAGE_ENDPOINT"),
        }
    else:
        known = {
            "access_key_id": access.get("AWS_ACCESS_KEY_ID"),
            "secret_access_key": access.get("AWS_SECRET_ACCESS_KEY"),
            "session_token": access.get("AWS_SESSION_TOKEN"),
            "region": _region(access),
            "endpoint": endpoint or _endpoint(access),
        }
    return {name: value for name, value in known.items() if value}


def signer(url: str, access: StoreAccess) -> Signer | None:
    """Who signs links to a bucket of S3; None for the others, and where a role of the machine has the keys."""
    key_id, secret = access.get("AWS_ACCESS_KEY_ID"), access.get("AWS_SECRET_ACCESS_KEY")
    if not url.startswith("s3:") or not key_id or not secret:
        return None
    return Signer(key_id, secret, _region(access), access.get("AWS_SESSION_TOKEN"))


def place_for_browsers(url: str, access: StoreAccess) -> str:
    """Below which address browsers find the objects of a bucket, prefix included; it ends with a slash."""
    bucket, prefix = storage_settings.bucket_of(url)
    where = access.public_url.rstrip("/")
    match urlsplit(url).scheme:
        case "gs":
            base = f"{where or 'https://storage.googleapis.com'}/{bucket}"
        case "az":
            account = access.get("AZURE_STORAGE_ACCOUNT_NAME")
            at = where or access.get("AZURE_STORAGE_ENDPOINT") or f"https://{account}.blob.core.windows.net"
            base = f"{at.rstrip('/')}/{bucket}"
        case _:
            where = where or _endpoint(access)
            if where:
                base = f"{where.rstrip('/')}/{bucket}"
            elif "." in bucket:  # no certificate of Amazon's is good for a name with a further dot
                base = f"https://s3.{_region(access)}.amazonaws.com/{bucket}"
            else:
                base = f"https://{bucket}.s3.{_region(access)}.amazonaws.com"
    return f"{base}/{prefix}/" if prefix else f"{base}/"


def _region(access: StoreAccess) -> str:
    return access.get("AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1"


def _endpoint(access: StoreAccess) -> str:
    return access.get("AWS_ENDPOINT_URL")
