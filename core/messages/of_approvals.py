"""Messages of approval: orders that ask for it, what becomes of them, and what people are told."""

from collections.abc import Mapping

from core.messages.catalogue import N_

SENTENCES: Mapping[str, str] = {
    # In timelines
    "approval_needed_price": N_(
        "Waits for approval: {press_credits:,} credits were ordered at once, and above {above_credits:,} it is asked"
    ),
    "approval_needed_budget": N_("Waits for approval: it goes beyond the monthly budget of {name}"),
    "approval_needed_budget_here": N_("Waits for approval: it goes beyond the monthly budget of this workspace"),
    "approved_by": N_("Approved by {name}"),
    "approved_by_with": N_("Approved by {name}: {note}"),
    "declined_by": N_("Declined by {name}: {note}"),
    "cancelled_because": N_("Not made; {credits:,} credits returned. {reason}"),
    # What hinders a decision
    "approval_was_approved": N_("{name} has approved this already."),
    "approval_was_declined": N_("{name} has declined this already."),
    "approval_has_lapsed": N_("Nobody answered within a week: this was not made, and its credits came back."),
    "approval_was_cancelled": N_("This was cancelled meanwhile, and its credits came back."),
    "approval_not_asked": N_("This does not wait for approval."),
    "approval_of_departed": N_("{name} may not order here any more. Decline this, and its credits come back."),
    "approval_not_makeable": N_("{reason} Decline this, and its credits come back."),
    "approval_note_missing": N_("Say in a few words why."),
    "approval_price_unusable": N_("Give a whole number of credits, 0 or more."),
    "approval_none_chosen": N_("Choose at least one order, and {limit} at most."),
    # What people are told
    "notice_approval_asked": N_("{clips:,} clips wait for your approval: {project}"),
    "notice_approval_one_asked": N_("A clip waits for your approval: {project}"),
    "notice_approval_asked_by": N_(
        "Ordered by {name} for {credits:,} credits. Without an answer it lapses after {days} days."
    ),
    "notice_approval_elsewhere": N_("{clips:,} clips in {workspace} wait for approval, and nobody there may give it"),
    "notice_approval_one_elsewhere": N_("A clip in {workspace} waits for approval, and nobody there may give it"),
    "notice_approved": N_("{clips:,} clips were approved: {project}"),
    "notice_approved_one": N_("A clip was approved: {project}"),
    "notice_declined": N_("{clips:,} clips were declined: {project}"),
    "notice_declined_one": N_("A clip was declined: {project}"),
    "notice_lapsed": N_("Nobody approved {clips:,} clips: {project}"),
    "notice_lapsed_one": N_("Nobody approved a clip: {project}"),
    "notice_decided_by": N_("By {name}"),
    "notice_decided_with": N_("By {name}: {note}"),
    "notice_lapsed_meaning": N_("Within a week nobody answered. The credits came back."),
    # What must always be true
    "rule_approved_by_another": N_("what asked for approval was handed over only after somebody else's yes"),
    "promise_approved_by_another": N_("Nothing that needs approval is made without it, and nobody approves their own."),
}
"""Code of a message -> its sentence, as in `core.messages.catalogue`."""
