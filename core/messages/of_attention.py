"""What is said of clips that are late to who looks after them."""

from collections.abc import Mapping

from core.messages.catalogue import N_

SENTENCES: Mapping[str, str] = {
    "cancel_is_free": N_("It has not been sent yet: cancelling is free."),
    "nothing_to_look_at": N_("There is nothing to ask its provider about now: it has no job there that is under way."),
    "not_late": N_("This clip is not late. Who is in its workspace can cancel it."),
}
"""Code of a message -> its sentence, as in `core.messages.catalogue`."""
