"""Signs links to objects of an S3 bucket, which the store checks by itself; pure.

Signature Version 4 in the query, as Amazon describes it under "Authenticating Requests: Using Query Parameters". The
client signs, too, but cannot name the file that a browser saves, and signs for this very second: a link that differs
with every drawing of a page is never found in a browser's cache.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from core.signing import STEP_SECONDS

LONGEST_SECONDS = 7 * 86_400
"""The store refuses links that are to last longer."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, with a key that is theirs; `token` belongs to a key that is lent for a while."""

    key_id: str
    secret: str = field(repr=False)
    region: str
    token: str = field(default="", repr=False)

    def link(self, address: str, *, now: datetime, lifetime_seconds: int, answer: Mapping[str, str]) -> str:
        """A link that lasts so long at least, and is the same for a quarter of an hour; `answer` are its parameters.

        `address` is that of the object, not quoted.
        """
        begun = datetime.fromtimestamp(int(now.timestamp()) // STEP_SECONDS * STEP_SECONDS, UTC)
        base = urlsplit(address)
        path = quote(base.path, safe="/-_.~")
        scope = f"{begun:%Y%m%d}/{self.region}/s3/aws4_request"
        query = dict(answer) | {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{self.key_id}/{scope}",
            "X-Amz-Date": f"{begun:%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": str(min(LONGEST_SECONDS, lifetime_seconds + STEP_SECONDS)),
            "X-Amz-SignedHeaders": "host",
        }
        if self.token:
            query["X-Amz-Security-Token"] = self.token
        said = "&".join(f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in sorted(query))
        request = f"GET\n{path}\n{said}\nhost:{base.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        signature = self._signature(begun, f"AWS4-HMAC-SHA256\n{begun:%Y%m%dT%H%M%SZ}\n{scope}\n{digest}")
        return f"{base.scheme}://{base.netloc}{path}?{said}&X-Amz-Signature={signature}"

    def _signature(self, begun: datetime, said: str) -> str:
        key = f"AWS4{self.secret}".encode()
        for part in (f"{begun:%Y%m%d}", self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, said.encode(), "sha256").hex()
