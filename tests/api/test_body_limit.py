from collections.abc import AsyncIterator

from core.api.http import body_limit
from tests.api.conftest import Client, refusal

FILE_START = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


async def chunks(size_bytes: int, *, start: bytes = b"") -> AsyncIterator[bytes]:
    """A body that does not say how long it will be."""
    yield start
    for _ in range(0, size_bytes, 65536):
        yield b" " * 65536


def test_declared_length_over_the_limit(nobody: Client) -> None:
    """A body that says it is too long is refused before anything else, even before the token is looked at."""
    body = b" " * (body_limit.JSON_LIMIT_BYTES + 1)

    assert refusal(nobody.post("/generate", content=body))[:2] == (413, "too_large")


def test_undeclared_length_over_the_limit(ana: Client) -> None:
    """A body that grows too long is cut off."""
    headers = {"Content-Type": "application/json"}
    answer = ana.post("/generate", content=chunks(body_limit.JSON_LIMIT_BYTES + 65536), headers=headers)

    assert refusal(answer)[:2] == (413, "too_large")


def test_upload_may_be_larger_but_not_endless(ana: Client) -> None:
    """Only the upload takes more, and it too counts what it was not told."""
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    large = b" " * (body_limit.UPLOAD_LIMIT_BYTES + 1)

    assert refusal(ana.post("/upload-image", content=large, headers=headers))[:2] == (413, "too_large")
    growing = chunks(body_limit.UPLOAD_LIMIT_BYTES + 65536, start=FILE_START)
    assert refusal(ana.post("/upload-image", content=growing, headers=headers))[:2] == (413, "too_large")


def test_body_at_the_limit_is_read(ana: Client) -> None:
    """The limit itself is allowed."""
    body = b'{"name": "Lakes"}'.ljust(body_limit.JSON_LIMIT_BYTES)
    answer = ana.post("/projects", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 201
