"""Every administrative act that is written down, with its sentence; what the log does not know, it does not take.

A sentence stands beside who did it and on what, so it names neither. Its places are details of the act: a name is one
of `after`, with `was_` in front one of `before`. An act is kept in the database for ever: reword its sentence freely,
but give another meaning another act.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from core.messages import N_, Message, Param, Source, message, plain, register
from core.messages import places as places_of

_UNSAID = Source("")
_CODE = "act_"
_WORD = "act_word_"


class Act(StrEnum):
    """What was done, as `noun.verb`, and the sentence that says so."""

    sentence: Source

    def __new__(cls, value: str, sentence: Source = _UNSAID) -> Self:
        """An act is the text that is kept of it."""
        act = str.__new__(cls, value)
        act._value_ = value
        act.sentence = sentence
        return act

    SIGN_IN_SUCCEEDED = "sign_in.succeeded", N_("Signed in")
    SIGN_IN_REFUSED = "sign_in.refused", N_("Was not let in")
    SIGN_IN_ENDED = "sign_in.ended", N_("Signed out")
    SIGN_IN_LINK_MADE = "sign_in.link_made", N_("Made a link to sign in with once")
    SIGN_IN_SWITCHED = "sign_in.switched", N_("Looked at the product as somebody else")

    IDENTITY_LINKED = "identity.linked", N_("Came in by another identity provider for the first time")

    PERSON_MADE = "person.made", N_("Added a person")
    PERSON_ADDRESS_CHANGED = "person.address_changed", N_("Changed a person's e-mail address")
    PERSON_ROLE_CHANGED = "person.role_changed", N_("Changed a person's role from {was_role} to {role}")
    PERSON_DEACTIVATED = "person.deactivated", N_("Deactivated a person")
    PERSON_REACTIVATED = "person.reactivated", N_("Let a person in again")
    PERSON_ERASURE_ASKED = "person.erasure_asked", N_("Asked to erase a person")
    PERSON_ERASED = "person.erased", N_("Erased a person")
    PERSON_MERGED = "person.merged", N_("Merged a person into another one")

    WORKSPACE_MADE = "workspace.made", N_("Made a workspace")
    WORKSPACE_RENAMED = "workspace.renamed", N_("Renamed a workspace")
    WORKSPACE_MARK_ON = "workspace.mark_on", N_("Turned the visible mark on new clips on")
    WORKSPACE_MARK_OFF = "workspace.mark_off", N_("Turned the visible mark on new clips off")
    WORKSPACE_WEIGHED = "workspace.weighed", N_("Changed how often a workspace has its turn")
    WORKSPACE_PROMPTS_TOLD = "workspace.prompts_told", N_("Let prompts be told in messages")
    WORKSPACE_PROMPTS_KEPT = "workspace.prompts_kept", N_("Kept prompts out of messages")
    WORKSPACE_ARCHIVED = "workspace.archived", N_("Archived a workspace")
    WORKSPACE_RESTORED = "workspace.restored", N_("Brought a workspace back from the archive")

    MEMBER_ADDED = "member.added", N_("Put somebody into the workspace as {role}")
    MEMBER_ROLE_CHANGED = "member.role_changed", N_("Changed a role in the workspace from {was_role} to {role}")
    MEMBER_REMOVED = "member.removed", N_("Took somebody out of the workspace")
    MEMBER_LEFT = "member.left", N_("Left the workspace")

    INVITATION_MADE = "invitation.made", N_("Invited somebody")
    INVITATION_REVOKED = "invitation.revoked", N_("Took an invitation back")
    INVITATION_ACCEPTED = "invitation.accepted", N_("Accepted an invitation")

    CREDITS_GRANTED = "credits.granted", N_("Granted {credits:,} credits")
    CREDITS_ADJUSTED = "credits.adjusted", N_("Corrected the balance by {credits:,} credits")
    CREDITS_TRANSFERRED = "credits.transferred", N_("Transferred {credits:,} credits from {from} to {to}")

    PERIOD_CLOSED = "period.closed", N_("Closed the books of {month} with {entries:,} entries")

    PERIOD_SEALED_ANEW = "period.sealed_anew", N_("Sealed {month} anew, since a person was erased")
    STATEMENT_UPLOADED = "statement.uploaded", N_("Uploaded a vendor's statement for {month} with {lines:,} lines")
    STATEMENT_ACCEPTED = "statement.accepted", N_("Took {lines:,} differences of a statement into costs: Rp {idr:,}")
    STATEMENT_UNDONE = "statement.undone", N_("Took {lines:,} accepted differences out of costs again: Rp {idr:,}")
    STATEMENT_DISCARDED = "statement.discarded", N_("Discarded a vendor's statement for {month}")

    EXCHANGE_RATE_SET = "exchange_rate.set", N_("Set the dollar from Rp {was_idr_per_usd:,} to Rp {idr_per_usd:,}")

    BUDGET_CHANGED = "budget.changed", N_("Changed the monthly budget from {was_credits:,} to {credits:,} credits")
    BUDGET_MODE_CHANGED = "budget.mode_changed", N_("A monthly budget of {credits:,} credits now {mode}")
    APPROVAL_RULE_CHANGED = (
        "approval.rule_changed",
        N_(
            "Changed when approval is asked: above {above_credits:,} credits (before: {was_above_credits:,}), "
            "beyond a budget: {over_budget} (before: {was_over_budget})"
        ),
    )
    APPROVAL_GIVEN = "approval.given", N_("Approved an order of {credits:,} credits")
    APPROVAL_REFUSED = "approval.refused", N_("Declined an order of {credits:,} credits")
    TIME_ZONE_SET = "budget.time_zone_set", N_("Set the time zone of the months from {was_zone} to {zone}")

    TOKEN_MADE = "token.made", N_("Made an API token")
    TOKEN_REVOKED = "token.revoked", N_("Revoked an API token")

    WEBHOOK_MADE = "webhook.made", N_("Made a webhook")
    WEBHOOK_CHANGED = "webhook.changed", N_("Changed a webhook")
    WEBHOOK_DELETED = "webhook.deleted", N_("Deleted a webhook")
    WEBHOOK_SECRET_REPLACED = "webhook.secret_replaced", N_("Replaced the secret of a webhook")

    PROJECT_ARCHIVED = "project.archived", N_("Archived a project")
    PROJECT_RESTORED = "project.restored", N_("Brought a project back from the archive")
    PROJECT_TRANSFERRED = "project.transferred", N_("Transferred a project to another workspace")
    PROJECT_DELETED = "project.deleted", N_("Deleted a project")

    CLIP_DELETED = "clip.deleted", N_("Deleted a clip")
    CLIPS_RETIRED = "clip.retired", N_("Put {clips:,} clips that nobody kept into the trash")
    CLIP_BROUGHT_BACK = "clip.brought_back", N_("Brought a clip back from the trash")
    CLIP_LOOKED_AT = "clip.looked_at", N_("Had the provider asked about a late clip at once")
    CLIP_CANCELLED = "clip.cancelled", N_("Cancelled a clip, or asked its provider to")
    CLIPS_DELETION_STARTED = "clip.deletion_started", N_("Asked to delete {clips:,} clips that matched a filter")

    ASSET_DELETED = "asset.deleted", N_("Deleted an asset")
    ASSET_GROUP_DELETED = "asset_group.deleted", N_("Deleted a named group of assets")

    UNCERTAIN_GIVEN_UP = (
        "uncertain.given_up",
        N_("Decided that a clip was never made, and returned its credits"),
    )
    UNCERTAIN_FOUND = "uncertain.found", N_("Found an unclear clip at the provider")

    PRESET_SHARED = "preset.shared", N_("Shared a preset")
    PRESET_UNSHARED = "preset.unshared", N_("Stopped sharing a preset")
    SHARE_LINK_MADE = "share_link.made", N_("Made a link for people outside")
    SHARE_LINK_REVOKED = "share_link.revoked", N_("Revoked a link for people outside")

    MODEL_ADDED = "model.added", N_("Added a model of {provider}")
    MODEL_REDESCRIBED = "model.redescribed", N_("Changed what an added model can make")
    MODEL_LIFE_CHANGED = "model.life_changed", N_("Set a model to {state} from {since} on")
    MODEL_REPRICED = "model.repriced", N_("Set the price of a model from {since} on")
    MODEL_COST_CHANGED = "model.cost_changed", N_("Set what the vendor takes for a model from {since} on")
    MODEL_VENDOR_ID_CHANGED = "model.vendor_id_changed", N_("Set the vendor's id of a model to {vendor_id}")
    MODEL_MOVED = "model.moved", N_("Moved a model in the list")
    MODEL_CHANGE_TAKEN_BACK = "model.change_taken_back", N_("Took a coming change of a model back")
    MODEL_NOTE_DISMISSED = "model_note.dismissed", N_("Put a note on a vendor's list of models aside")

    EXPORT_MADE = "export.made", N_("Exported data")
    SAMPLE_MADE = "sample.made", N_("Made the sample company")
    SAMPLE_REMOVED = "sample.removed", N_("Removed the sample company")
    AUDIT_LOG_PRUNED = "audit_log.pruned", N_("Removed {entries:,} entries that were older than {days} days")

    @property
    def noun(self) -> str:
        """What kind of thing it was done to."""
        return self.value.partition(".")[0]

    @property
    def code(self) -> str:
        """The code of its sentence among the messages."""
        return _CODE + self.value.replace(".", "_")


for _act in Act:
    register(_act.code, _act.sentence)

_WORDS: Mapping[str, Source] = {
    "user": N_("user"),
    "analyst": N_("analyst"),
    "admin": N_("administrator"),
    "viewer": N_("viewer"),
    "maker": N_("maker"),
    "manager": N_("manager"),
    "available": N_("available"),
    "withdrawn": N_("withdrawn"),
    "hidden": N_("hidden"),
    "warn": N_("warns only"),
    "stop": N_("stops orders"),
    "none": N_("none"),
    "asked": N_("yes"),
    "not_asked": N_("no"),
}
"""Values of details that people read in their own language."""

for _word, _said in _WORDS.items():
    register(_WORD + _word, _said)


def said(act: Act, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Message:
    """The sentence of an act with its details; ValueError when one is missing that it names."""
    details = {f"was_{name}": value for name, value in (before or {}).items()} | dict(after or {})
    missing = sorted(places_of(act.code) - details.keys())
    if missing:
        raise ValueError(f"'{act}' is written down with {', '.join(missing)}")
    return message(act.code, **{name: _param(details[name]) for name in places_of(act.code)})


def said_of_kept(action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Message:
    """The sentence of a row; the bare action for one that another release has written."""
    try:
        return said(Act(action), before, after)
    except ValueError:
        return plain(action)


def nouns() -> list[str]:
    """All kinds of things that acts are done to, in the order of the acts."""
    return list(dict.fromkeys(act.noun for act in Act))


def _param(value: Any) -> Param:
    """A detail as a sentence takes it: a known word as a message, nothing as "none", the rest as it is."""
    if value is None:
        return message(f"{_WORD}none")
    if isinstance(value, str):
        return message(f"{_WORD}{value}") if value in _WORDS else value
    return value if isinstance(value, int | float) else str(value)
