"""What the document of a page carries before anything of it is drawn."""

import asyncio

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.webserver.first_paint import FirstPaint

PAGE = '<html><head><title>Streamlit</title></head><body><div id="root"></div></body></html>'


def far_side(request: Request) -> Response:
    """A document for a page, another one for a share, a file; it says nothing new to who has it already."""
    if request.headers.get("if-none-match"):
        return Response(status_code=304)
    if request.url.path == "/app.js":
        return PlainTextResponse("</head>")
    body = PAGE if request.url.path == "/history" else "<html><head></head></html>"
    return HTMLResponse(body, headers={"ETag": '"of-streamlit"'})


def get(path: str, **headers: str) -> httpx.Response:
    """What a browser in front of it is answered."""

    async def ask() -> httpx.Response:
        app = Starlette(routes=[Route("/{path:path}", far_side)])
        transport = httpx.ASGITransport(FirstPaint(app, head="<style>a{}</style>", title="Studio"))
        async with httpx.AsyncClient(transport=transport, base_url="http://studio") as client:
            return await client.get(path, headers={"accept": "text/html"} | headers)

    return asyncio.run(ask())


def test_document_of_a_page_carries_the_look() -> None:
    """Style and title are in it, its length is right, and nothing says that it is the document without them."""
    answer = get("/history", **{"if-none-match": '"of-streamlit"'})
    assert answer.status_code == 200
    assert "<title>Studio</title><style>a{}</style></head>" in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "etag" not in answer.headers


def test_other_answers_pass_as_they_are() -> None:
    """A document of somebody else, a file, and what a script asks for are not touched."""
    assert get("/share").text == "<html><head></head></html>"
    assert get("/app.js").text == "</head>"
    assert get("/history", accept="*/*").text == PAGE
