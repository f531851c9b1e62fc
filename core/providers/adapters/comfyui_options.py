"""The options of an instance of ComfyUI, as a file of vendors gives them."""

import re
from collections.abc import Mapping
from typing import Any

import httpx

from core.providers import model_files
from core.providers.contract import BadFact

LONGEST_ADDRESS = 150
"""The id of a job holds one."""
_OPTIONS: Mapping[str, type] = {
    "servers": list,
    "micro_dollars_per_gpu_second": int,
    "auth_header": str,
    "auth_scheme": str,
}
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


def error(options: Mapping[str, Any]) -> BadFact | None:
    """What cannot be used, by name, type and value."""
    if (wrong := model_files.wrong_option(options, _OPTIONS)) is not None:
        return wrong
    if "servers" in options and not are_addresses(options["servers"]):
        return BadFact("It must be a list of addresses, as http://10.0.0.8:8188 is one.", "servers")
    if options.get("micro_dollars_per_gpu_second", 0) < 0:
        return BadFact("It must be a whole number from 0.", "micro_dollars_per_gpu_second")
    if not _HEADER.fullmatch(options.get("auth_header", "Authorization")):
        return BadFact("It must be the name of a header.", "auth_header")
    return None


def are_addresses(value: Any) -> bool:
    """Whether this is a list of addresses of servers, without keys in them."""
    return isinstance(value, list) and all(map(_is_address, value))


def _is_address(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > LONGEST_ADDRESS:
        return False
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and not (url.userinfo or url.query or url.fragment)
