"""The pages of signing in: written whole by the server, without a script, for every width, light and dark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import Scope

from core.api.http import reader
from core.messages import N_, Message, Source, Writer, as_message

TITLE = "AI Video Generator"
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY, "Vary": "Accept-Language, Cookie"}

_MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="20" height="20" aria-hidden="true">'
    '<rect width="16" height="16" rx="4" fill="#0b6b74"/><path d="M6 4.5v7l6-3.5z" fill="#fff"/></svg>'
)
_ICON = f"data:image/svg+xml,{quote(_MARK)}"


@dataclass(frozen=True, slots=True)
class Link:
    """A button that leads somewhere."""

    label: Message | Source
    address: str


@dataclass(frozen=True, slots=True)
class Form:
    """A button that sends fields to the address of the page itself."""

    label: Message | Source
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """What a page of signing in says: a heading, sentences, a notice that stands out, and buttons."""

    heading: Message | Source
    sentences: Sequence[Message | Source] = ()
    notices: Sequence[Message | Source] = ()
    buttons: Sequence[Link | Form] = ()
    hint: Message | Source | None = None


def answer(
    page: Page,
    *,
    scope: Scope,
    writers: Mapping[str, Writer],
    status: int,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The page in the language that the browser likes best of those there are, by tag; the first for none of them."""
    wanted = Headers(scope=scope).get("accept-language", "")
    language = reader.language(wanted, writers, otherwise=next(iter(writers)))
    body = written(page, language=language, writer=writers[language])
    return HTMLResponse(body, status_code=status, headers=HEADERS | dict(headers or {}))


def written(page: Page, *, language: str, writer: Writer) -> str:
    """The page as HTML."""

    def text(said: Message | Source) -> str:
        return escape(writer.write(as_message(said)))

    parts = [f"<h1>{text(page.heading)}</h1>"]
    parts += [f'<p class="notice" role="status">{text(said)}</p>' for said in page.notices]
    parts += [f"<p>{text(said)}</p>" for said in page.sentences]
    for button in page.buttons:
        if isinstance(button, Link):
            parts.append(f'<p><a class="button" href="{escape(button.address)}">{text(button.label)}</a></p>')
        else:
            fields = "".join(
                f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
                for name, value in button.fields.items()
            )
            parts.append(f'<form method="post">{fields}<button class="button">{text(button.label)}</button></form>')
    if page.hint is not None:
        parts.append(f'<p class="hint">{text(page.hint)}</p>')
    title = f"{text(page.heading)} · {TITLE}"
    return _FRAME.format(
        language=escape(language), title=title, icon=_ICON, mark=_MARK, style=_STYLE, name=TITLE, body="".join(parts)
    )


AWAY_HINT = N_("If it stays so, an administrator can make a one-time link for you, which works without it.")

_FRAME = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex"><link rel="icon" href="{icon}"><style>{style}</style></head>
<body><main><p class="mark">{mark} {name}</p>{body}</main></body></html>
"""

_STYLE = """
:root { --page: #f0f4f4; --card: #fff; --text: #0b1514; --soft: #4b595b; --line: #d5dede; --main: #0b6b74; --on: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --page: #030505; --card: #12191b; --text: #e6edED; --soft: #b3c1c3; --line: #2c383b; --main: #128294; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 1rem;
  background: var(--page); color: var(--text); font: 15px/1.5 Inter, system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; padding: 2rem 1.75rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; overflow-wrap: anywhere; }
.mark { display: flex; align-items: center; gap: .5rem; margin: 0 0 1.5rem; font-weight: 600; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; }
p { margin: 0 0 1rem; }
form { margin: 0 0 1rem; }
.button { display: block; width: 100%; padding: .7rem 1rem; border: 0; border-radius: 8px; background: var(--main);
  color: var(--on); font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
.button:hover { filter: brightness(1.1); }
.button:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
.notice { padding: .7rem .9rem; border: 1px solid var(--line); border-left: 4px solid var(--main); border-radius: 8px; }
.hint { color: var(--soft); font-size: .9rem; }
main > :last-child { margin-bottom: 0; }
"""
