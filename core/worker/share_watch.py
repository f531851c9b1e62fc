"""Which share of the looks falls to this dispatcher, by who else is there; without Redis, all of them.

It is asked seldom and may be wrong for a while: what falls to one that has died is taken by the others a little later.
"""

import logging

from core.db.shares import ALL, Share
from core.ids import new_id
from core.installation import Installation
from core.redis import presence
from core.redis.connection import Unreachable

log = logging.getLogger(__name__)

JOIN_SECONDS = 1.5
"""A fifth of how long it is remembered, so that a busy machine may be late."""


class ShareWatch:
    """Of one process; `share` is what was found last."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._name = new_id()
        self._has_joined = False
        self.share = ALL

    def renew(self) -> None:
        """Say that this dispatcher works, and see who else does."""
        if self._installation.redis_url is None:
            return
        self._has_joined = True
        try:
            found = Share(*presence.join(self._installation.redis, self._name))
        except Unreachable:
            found = ALL
        if found.of != self.share.of:
            log.info("%s dispatchers share the looks", found.of)
        self.share = found

    def leave(self) -> None:
        """Give its share to the others at once."""
        if not self._has_joined:
            return
        try:
            presence.leave(self._installation.redis, self._name)
        except Unreachable:  # it is forgotten by itself
            return
