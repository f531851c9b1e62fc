"""What binds an order to what was quoted, and a repeated order to its first; nothing of it is kept anywhere.

A confirmation is a code that only a holder of the token can have made, of just these wishes at just this price: nothing
can be ordered that was not quoted, and a program may end between the two. The key of an order comes from the wishes
alone, without the price: whoever asks for the same again gets the first clip, also when prices have changed since.
"""

import base64
import hashlib
import hmac
import json

from core.rest_client.access import Access
from core.rest_client.answers import Model, Wanted
from core.rest_client.problems import BadSetting, NotQuoted

USUAL_RESOLUTION = "720p"


def completed(wanted: Wanted, model: Model) -> Wanted:
    """The same with everything said; BadSetting for what no model makes."""
    if wanted.take < 1:
        raise BadSetting("Takes are counted from 1.")
    if not wanted.prompt.strip():
        raise BadSetting("The prompt is empty.")
    if not wanted.project.strip():
        raise BadSetting("Name a project, by its name or its id.")
    usual = USUAL_RESOLUTION if USUAL_RESOLUTION in model.resolutions else model.resolutions[0]
    return wanted.model_copy(
        update={
            "prompt": wanted.prompt.strip(),
            "project": wanted.project.strip(),
            "negative_prompt": wanted.negative_prompt.strip(),
            "duration": model.default_duration if wanted.duration is None else wanted.duration,
            "resolution": wanted.resolution or usual,
            "aspect_ratio": wanted.aspect_ratio or model.aspect_ratios[0],
        }
    )


def confirmation(access: Access, wanted: Wanted, credits: int) -> str:
    """The code for a completed wish at a price; the same for the same, in whatever process."""
    secret = hashlib.sha256(b"confirmation of quotes\n" + access.token.encode()).digest()
    digest = hmac.digest(secret, _written(access, wanted, credits), "sha256")
    return f"q-{credits}-{base64.b32encode(digest[:20]).decode().lower()}"


def credits_of(code: str) -> int:
    """The price that a code was given for; NotQuoted for what is none."""
    credits = code.strip().removeprefix("q-").partition("-")[0]
    if not (credits.isascii() and credits.isdigit() and len(credits) < 16):
        raise NotQuoted(f"{code!r} is no confirmation of a quote.")
    return int(credits)


def is_confirmed(access: Access, wanted: Wanted, credits: int, code: str) -> bool:
    """Whether a code is that of this completed wish at this price."""
    expected = confirmation(access, wanted, credits)
    return hmac.compare_digest(expected.encode(), code.strip().encode("utf-8", "replace"))


def key(access: Access, wanted: Wanted) -> str:
    """The Idempotency-Key of an order."""
    return f"client-order-{hashlib.sha256(_written(access, wanted)).hexdigest()[:40]}"


def project_key(access: Access, name: str) -> str:
    """The Idempotency-Key of the project that an order makes."""
    return f"client-project-{hashlib.sha256(_bytes(access.workspace_id, name)).hexdigest()[:40]}"


def _written(access: Access, wanted: Wanted, *more: int) -> bytes:
    return _bytes(access.workspace_id, wanted.model_dump(mode="json"), *more)


def _bytes(*values: object) -> bytes:
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
