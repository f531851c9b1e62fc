"""What a vendor's own calls to a generation's address tell, and by what they are known to be the vendor's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from core.providers.models import VideoModel


@dataclass(frozen=True, slots=True)
class VendorCall:
    """A vendor's call to a generation's own address: `body` is its JSON object, `raw` the very bytes of it.

    Names of `headers` are in small letters; `query` is what our address said behind its question mark.
    """

    body: Mapping[str, Any]
    raw: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobNotice:
    """What a vendor's call to a generation's own address tells: its job, and where the clip lies once it is done."""

    job_id: str
    video_url: str | None = None


class VendorCalls:
    """What a provider knows of the calls that its vendor makes; the rest of it is `core.providers.contract`.

    One that `signs_calls` signs them by keys that it tells (`call_keys`), or that were set (NAME_WEBHOOK_SECRET).
    """

    signs_calls: ClassVar[bool] = False

    @classmethod
    def parse_notice(cls, call: VendorCall, model: VideoModel) -> JobNotice | None:
        """What a call of the vendor's tells of a job of that model; None where it tells nothing that can be used."""
        return None

    @classmethod
    def callback_answer(cls, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What a call that only tries our address is answered with; None for one that tells of a job."""
        return None

    @classmethod
    def is_signed(cls, call: VendorCall, keys: Sequence[str], now: datetime) -> bool:
        """Whether a call is signed by one of these keys; only where `signs_calls`."""
        raise NotImplementedError(f"calls of {cls.__name__} are not signed")

    async def call_keys(self) -> Sequence[str]:
        """The keys that the vendor signs its calls with, as it tells them now; none where it tells none.

        Raises as a look does: then nobody knows.
        """
        return ()
