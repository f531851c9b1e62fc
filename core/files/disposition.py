"""How an answer tells a browser under which name a file is to be saved."""

import re
from urllib.parse import quote

_UNSAFE_IN_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


def content_disposition(download_name: str | None) -> str:
    """`inline`, or `attachment` with the name twice: plain ASCII for old readers, UTF-8 for all others (RFC 6266)."""
    if download_name is None:
        return "inline"
    name = _UNSAFE_IN_NAME.sub("-", download_name).strip(". ")[:150] or "video"
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace("%", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"
