"""Makes ids that sort by time."""

import os
import time
import uuid


def new_id() -> str:
    """A time-ordered id (UUID version 7, RFC 9562), so that newest first is an index scan backwards."""
    stamp = time.time_ns() // 1_000_000
    value = (stamp << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return str(uuid.UUID(int=value))
