"""Where the API is and with what it is called, from the environment. A token is never an argument: those are seen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from core.rest_client.problems import BadSetting

DEFAULT_ADDRESS = "http://localhost:8501/api/apps/video-generator"

ADDRESS = "VIDEO_API"
TOKEN = "VIDEO_TOKEN"  # noqa: S105 -- the name of a variable
WORKSPACE = "VIDEO_WORKSPACE"

_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Access:
    """Address of the API, bearer token, and the workspace to be at work in (None: that of the token)."""

    address: str
    token: str = field(repr=False)
    workspace_id: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Access":
        """What the variables say; BadSetting for what cannot be used."""
        address = (environ.get(ADDRESS) or DEFAULT_ADDRESS).strip().rstrip("/")
        try:
            parsed = httpx.URL(address)
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise BadSetting(f"{ADDRESS} is no address of a server. Write one such as {DEFAULT_ADDRESS}.")
        token = (environ.get(TOKEN) or "").strip()
        if not token:
            raise BadSetting(f"{TOKEN} is not set. Make a token on the Account page and put it there.")
        if not _TOKEN.fullmatch(token):
            raise BadSetting(f"{TOKEN} has characters that no token has.")
        workspace_id = (environ.get(WORKSPACE) or "").strip() or None
        if workspace_id is not None and not _TOKEN.fullmatch(workspace_id):
            raise BadSetting(f"{WORKSPACE} is no id of a workspace.")
        return cls(address, token, workspace_id)

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        named = {} if self.workspace_id is None else {"Workspace-Id": self.workspace_id}
        return {"Authorization": f"Bearer {self.token}", "User-Agent": "ai-video-generator-client", **named}
