"""A place to drop files for the library, or to choose them: each is sent by itself, and what became of it is said."""

from core.assets import intake
from core.workspaces.access import Member
from pages.elements import upload_endpoint
from pages.ui import links
from pages.ui.custom_element import custom_element
from pages.ui.language import _

TYPES = "image/jpeg,image/png,image/webp,video/mp4,video/quicktime,video/webm,audio/*"

_element = custom_element(
    __file__,
    "asset_drop",
    html='<section class="drop"><input type="file" multiple hidden><p class="hint"></p>'
    '<button type="button" class="choose"></button></section><div role="status"><ul class="files"></ul></div>',
    triggers=("brought", "renew"),
    parts=("uploader.js",),
)


def show(person: Member, *, key: str) -> bool:
    """Draw it; whether files have just come into the library."""
    data = {
        "address": links.from_page(upload_endpoint.ASSETS_PATH),
        "token": upload_endpoint.token(person),
        "name": upload_endpoint.FILE_NAME,
        "types": TYPES,
        "most_bytes": intake.MAX_UPLOAD_BYTES,
        "words": {
            "label": _("Bring images, videos or sounds"),
            "hint": _("Drop files here, or choose them"),
            "explained": _(
                "JPEG, PNG, WebP; MP4, MOV, WebM, WAV, MP3, M4A of 15 s at most. Places and names in them are removed."
            ),
            "choose": _("Choose files"),
            "sending": _("Sending…"),
            "sent": _("It is in."),
            "failed": _("It could not be sent. Try again."),
            "too_large": _("This file is larger than {limit_mb} MB.").format(
                limit_mb=intake.MAX_UPLOAD_BYTES // 1024**2
            ),
        },
    }
    return _element(key=key, data=data).brought is not None
