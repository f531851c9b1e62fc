"""Writes one line into the log for each act that matters for security: what, by whom, about what; never a secret."""

import logging

from sqlalchemy import event

from core.db import WriteSession

log = logging.getLogger("security")


def note(session: WriteSession, act: str, *, actor: str, about: str) -> None:
    """Tell the log of an act once it is committed; what is rolled back has not happened.

    `actor` is a person's address or a process, `about` the id of what was acted upon.
    """
    is_undone = False

    def undo(_session: object) -> None:
        nonlocal is_undone
        is_undone = True

    def tell(_session: object) -> None:
        if not is_undone:
            log.info("%s by %s: %s", act, actor, about)

    event.listen(session, "after_rollback", undo, once=True)
    event.listen(session, "after_commit", tell, once=True)


def refused(why: str, *, client: str, asked: str) -> None:
    """Tell the log that somebody was not let in; `asked` is method and path, without a query."""
    log.warning("%s from %s: %s", why, client, asked)
