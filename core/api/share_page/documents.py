"""The HTML of the page for people outside, without a script: a set of clips, one clip, a password, or a refusal.

It tells of the clips what their link allows and nothing of who made them where. Links are relative, so that they hold
below any path of a front.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path

from babel.dates import format_datetime

from core.generations.share_visits import SharedClip, SharedSet
from core.messages import N_, Source, Writer

_STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
ROBOTS = "noindex, nofollow, noarchive"


@dataclass(frozen=True, slots=True)
class Document:
    """A page, and the policy by which nothing runs in it and nothing from elsewhere is loaded."""

    html: str
    policy: str


@dataclass(frozen=True)
class Pages:
    """The pages in one language; `tag` is its name, `writer` has its words."""

    tag: str
    writer: Writer

    def collection(self, shared: SharedSet, *, root: str, public_address: str = "") -> Document:
        """All clips of a link that has several. `root` is the link's own address, seen from the page's."""
        title = shared.title or self._say(_SHARED_VIDEOS)
        ratios = _Ratios([_ratio(clip) for clip in shared.clips])
        tiles = "".join(self._tile(clip, f"{root}/{clip.place}", root, ratios) for clip in shared.clips)
        count = self._say(_SO_MANY).format(number=len(shared.clips))
        body = f'{self._head(shared, title, count)}<main class="set">{tiles}</main>'
        preview = _preview(title, shared, public_address)
        return self._document(title, body, style=ratios.style, head=preview)

    def clip(
        self,
        shared: SharedSet,
        clip: SharedClip,
        *,
        root: str,
        back: str | None = None,
        beside: tuple[int | None, int | None] = (None, None),
        public_address: str = "",
    ) -> Document:
        """One clip to be played; `back` leads to the set that it is of, `beside` are the places before and after it."""
        title = shared.title or self._say(_SHARED_VIDEO)
        ratios = _Ratios([_ratio(clip)])
        media = f"{root}/media/{clip.place}"
        poster = f' poster="{escape(media)}/poster"' if clip.thumbnail_key else ""
        label = escape(self._name(clip))
        player = (
            f'<video class="player {ratios.of(clip)}" controls playsinline preload="metadata" '
            f'controlslist="{"" if shared.allow_download else "nodownload "}noremoteplayback" '
            f'width="{clip.width}" height="{clip.height}" src="{escape(media)}/video"{poster} aria-label="{label}">'
            "</video>"
        )
        prompt = f'<p class="prompt">{escape(clip.prompt)}</p>' if clip.prompt else ""
        download = (
            f'<a class="button" href="{escape(media)}/download" download>{self._html(_DOWNLOAD)}</a>'
            if shared.allow_download
            else ""
        )
        under = f'<div class="under">{prompt}{download}</div>' if prompt or download else ""
        ways = self._ways(root, back, beside) if back is not None else ""
        head = self._head(shared, title, self._name(clip) if back is not None else "", place="middle")
        body = f'{head}<main class="one">{player}{under}{ways}</main>'
        return self._document(title, body, style=ratios.style, head=_preview(title, shared, public_address))

    def password(self, *, action: str, wrong: Source | None = None, wait_seconds: int = 0) -> Document:
        """The form for the password; it tells nothing of what is behind it. `wait_seconds` until the next try."""
        said = self._say(_WAIT).format(seconds=wait_seconds) if wait_seconds else self._say(wrong) if wrong else ""
        problem = f'<p class="problem" role="alert" id="problem">{escape(said)}</p>' if said else ""
        described = ' aria-describedby="problem" aria-invalid="true"' if said else ""
        body = (
            f'<main class="card"><h1>{self._html(_PROTECTED)}</h1><p>{self._html(_ASK_PASSWORD)}</p>'
            f'<form method="post" action="{escape(action)}"><label for="password">{self._html(_PASSWORD)}</label>'
            '<input id="password" name="password" type="password" required autofocus maxlength="200" '
            f'autocomplete="current-password"{described}>{problem}'
            f'<button class="button" type="submit">{self._html(_OPEN)}</button></form></main>'
        )
        return self._document(self._say(_PROTECTED), body)

    def refusal(self, title: Source, text: Source) -> Document:
        """Why there is nothing to be seen."""
        body = f'<main class="card"><h1>{self._html(title)}</h1><p>{self._html(text)}</p></main>'
        return self._document(self._say(title), body)

    def _head(self, shared: SharedSet, title: str, what: str, *, place: str = "") -> str:
        until = self._say(_UNTIL).format(moment=self._moment(shared.expires_at))
        facts = " · ".join(filter(None, (what, until)))
        return f'<header class="{place}"><h1>{escape(title)}</h1><p>{escape(facts)}</p></header>'

    def _tile(self, clip: SharedClip, address: str, root: str, ratios: "_Ratios") -> str:
        name = self._name(clip)
        picture = (
            f'<img src="{escape(root)}/media/{clip.place}/poster" alt="" width="{clip.width}" height="{clip.height}" '
            'loading="lazy" decoding="async">'
            if clip.thumbnail_key
            else '<span class="blank"></span>'
        )
        prompt = f'<span class="words">{escape(clip.prompt)}</span>' if clip.prompt else ""
        return (
            f'<a class="tile {ratios.of(clip)}" href="{escape(address)}"><span class="frame">{picture}'
            f'<span class="play" aria-hidden="true"></span><span class="length">{_clock(clip.duration_seconds)}</span>'
            f'</span><span class="name">{escape(name)}</span>{prompt}</a>'
        )

    def _ways(self, root: str, back: str, beside: tuple[int | None, int | None]) -> str:
        before, after = beside
        ways = [
            (f"{root}/{before}" if before else None, _BEFORE, "prev"),
            (back, _ALL, "up"),
            (f"{root}/{after}" if after else None, _AFTER, "next"),
        ]
        links = "".join(
            f'<a rel="{rel}" href="{escape(address)}">{self._html(words)}</a>' if address else "<span></span>"
            for address, words, rel in ways
        )
        return f'<nav aria-label="{self._html(_VIDEOS)}">{links}</nav>'

    def _name(self, clip: SharedClip) -> str:
        return self._say(_NUMBERED).format(number=clip.place)

    def _moment(self, moment: datetime) -> str:
        return f"{format_datetime(moment, 'd MMMM y, HH:mm', locale=self.tag)} UTC"

    def _say(self, sentence: Source) -> str:
        return self.writer.translate(sentence)

    def _html(self, sentence: Source) -> str:
        return escape(self._say(sentence))

    def _document(self, title: str, body: str, *, style: str = "", head: str = "") -> Document:
        styled = _STYLE + style
        html = (
            f'<!doctype html><html lang="{self.tag}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="robots" content="{ROBOTS}"><meta name="referrer" content="no-referrer">'
            '<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'
            f"{head}<style>{styled}</style></head><body>{body}</body></html>"
        )
        digest = base64.b64encode(hashlib.sha256(styled.encode()).digest()).decode()
        return Document(html, f"{_POLICY}; style-src 'sha256-{digest}'")


_POLICY = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

_SHARED_VIDEO = N_("Shared video")
_SHARED_VIDEOS = N_("Shared videos")
_SO_MANY = N_("{number} videos")
_NUMBERED = N_("Video {number}")
_VIDEOS = N_("Videos")
_UNTIL = N_("can be seen until {moment}")
_DOWNLOAD = N_("Download")
_BEFORE = N_("Previous")
_ALL = N_("All videos")
_AFTER = N_("Next")
_PROTECTED = N_("Protected link")
_ASK_PASSWORD = N_("Type the password that you were given with this link.")
_PASSWORD = N_("Password")
_OPEN = N_("Open")
_WAIT = N_("There were too many wrong passwords. Wait {seconds} seconds, then try again.")
WRONG_PASSWORD = N_("This is not the password of this link.")


class _Ratios:
    """Classes for the shapes of clips, since the policy of the page allows no style on an element."""

    def __init__(self, ratios: Sequence[float]) -> None:
        self._names = {ratio: f"r{number}" for number, ratio in enumerate(dict.fromkeys(ratios))}

    def of(self, clip: SharedClip) -> str:
        """The class of a clip's shape."""
        return self._names[_ratio(clip)]

    @property
    def style(self) -> str:
        """The rules for these classes."""
        return "".join(f".{name}{{--ratio:{ratio}}}" for ratio, name in self._names.items())


def _ratio(clip: SharedClip) -> float:
    return round(clip.width / max(1, clip.height), 4) or 1.0


def _clock(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes}:{left:02}"


def _preview(title: str, shared: SharedSet, public_address: str) -> str:
    """What a chat shows of a link; nothing of one with a password. A picture needs an address that others can reach."""
    if shared.password_hash is not None:
        return ""
    found = f'<meta property="og:type" content="website"><meta property="og:title" content="{escape(title)}">'
    first = next((clip for clip in shared.clips if clip.thumbnail_key), None)
    if public_address and first is not None:
        address = escape(f"{public_address}/media/{first.place}/poster")
        found += (
            f'<meta property="og:image" content="{address}"><meta name="twitter:card" content="summary_large_image">'
        )
    return found
