"""Errors of approval: what hinders a decision, and why an order that asked for it was not made."""

from core.errors.base import AppError, Conflict, Fault, Forbidden
from core.messages import N_


class OwnOrder(Forbidden):
    """Nobody decides about what they have ordered themselves, whatever they are."""

    code = "own_order"
    sentence = N_("This is your own order: somebody else has to decide. You can cancel it.")


class AlreadyDecided(Conflict):
    """The order does not wait for approval any more; the sentence says what became of it."""

    code = "already_decided"
    sentence = N_("This does not wait for approval any more. Load it again and look.")


class NoLongerOrderable(Conflict):
    """What was ordered then could not be ordered now, so it is not approved; it can be declined."""

    code = "no_longer_orderable"
    sentence = N_("This cannot be made any more. Decline it, and its credits come back.")


class ApprovalDeclined(AppError):
    """The end of an order that a manager did not want made."""

    code = "approval_declined"
    http_status = 409
    fault = Fault.USER
    sentence = N_("A manager has declined this.")


class ApprovalLapsed(AppError):
    """The end of an order that nobody has decided about."""

    code = "approval_lapsed"
    http_status = 409
    fault = Fault.USER
    sentence = N_("Nobody answered within a week, so this was not made.")
