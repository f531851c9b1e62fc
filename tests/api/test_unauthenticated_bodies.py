from collections.abc import AsyncIterator

import pytest

from core.api.http import body_limit
from core.db.enums import Scope
from tests.api.conftest import Client, arrive, refusal


class Body:
    """A body that remembers whether anybody has read of it."""

    def __init__(self, start: bytes = b"{") -> None:
        self.start = start
        self.read_bytes = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        """Ten megabytes, as they are asked for."""
        for _ in range(10 * 16):
            self.read_bytes += 65536
            yield self.start.ljust(65536)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/upload-image", "multipart/form-data; boundary=b"), ("/generate", "application/json"), ("/forgotten", "a/b")],
)
def test_body_is_not_taken_in_without_a_token(nobody: Client, path: str, content_type: str) -> None:
    """Whoever sends no token is refused before a byte of what they send is read."""
    body = Body()

    answer = nobody.post(path, content=body.chunks(), headers={"Content-Type": content_type})

    assert refusal(answer) == (401, "unauthorized", {})
    assert body.read_bytes <= 65536  # the transport fetches the first piece before anybody asks


def test_broken_body_without_a_token(nobody: Client) -> None:
    """Who is asking comes before what is asked."""
    for content in (b"{", b"\xff", b"[1,", b""):
        answer = nobody.post("/generate", content=content, headers={"Content-Type": "application/json"})
        assert refusal(answer) == (401, "unauthorized", {})


def test_body_is_not_taken_in_without_the_scope(installation: object) -> None:
    """The same for a token that does not reach as far."""
    reader = arrive("reader@example.org", scope=Scope.READ)
    body = Body()

    answer = reader.post("/upload-image", content=body.chunks(), headers={"Content-Type": "multipart/form-data"})

    assert refusal(answer)[:2] == (403, "forbidden")
    assert body.read_bytes <= 65536


def test_upload_of_ten_megabytes_is_within_the_limit() -> None:
    """The bodies above are refused for who sends them, not for their size."""
    assert body_limit.UPLOAD_LIMIT_BYTES >= 10 * 1024 * 1024
