"""The words for where things stand: statuses, stages, kinds and roles, and which moves there are."""

from enum import StrEnum


class Status(StrEnum):
    """The public word for where a generation stands."""

    PENDING = "pending"
    """Ordered, with its price held; nothing has been sent. Cancelling is free."""
    PROCESSING = "processing"
    """It is being sent, or the provider has it, or its file is being fetched."""
    UNCERTAIN = "uncertain"
    """Nobody can know whether the provider made it. The hold stays, nothing is sent again."""
    COMPLETED = "completed"
    """The clip lies in our storage, was checked, and is charged at the quoted total."""
    FAILED = "failed"
    """No clip will come of it; the hold was given back."""
    CANCELLED = "cancelled"
    """Its person wanted it stopped before anything was charged; the hold was given back."""


class Stage(StrEnum):
    """The inner word: where inside its status a generation is."""

    AWAITING_APPROVAL = "approval"
    """Its price is held, and a manager other than its maker has to say yes. Nothing hands it over meanwhile."""
    QUEUED = "queued"
    """In line, by its turn, until a provider has room for it."""
    DISPATCHED = "handed"
    """A submit job is in the queue and nothing was sent. One that is lost with Redis is handed over again."""
    SUBMITTING = "submitting"
    """The order may be on its way: written down before the POST. A worker that dies here leaves it uncertain."""
    WAITING = "waiting"
    """The provider has it under a job id and is asked when that is due. No process's death matters."""
    READY_TO_DOWNLOAD = "ready"
    """The provider has finished; the file is to be fetched. A fetch that failed comes back here."""
    DOWNLOADING = "downloading"
    """A worker fetches, checks and stores the file. One that dies here puts it back to ready."""
    FINALIZED = "ended"
    """Nothing moves it any more."""


class CostBasis(StrEnum):
    """Where the cost of a generation that has ended comes from, the best first."""

    REPORTED = "reported"
    """Its provider said what it took."""
    USED = "used"
    """Its provider said how much was used, and its price was applied to that."""
    MEASURED = "measured"
    """Its provider's price was applied to the time that the job ran by our clock."""
    ESTIMATE = "estimate"
    """Computed from the order and the provider's price of that moment."""


class LineOutcome(StrEnum):
    """What became of a line of a vendor's statement, or of a clip that it has no line for."""

    MATCHED = "matched"
    """It is one clip of ours at the price that we had counted, or near it."""
    PRICE_DIFFERS = "price_differs"
    """It is one clip of ours at another price."""
    OTHER_MODEL = "other_model"
    """It names the job of a clip of ours, and another model."""
    UNCLEAR = "unclear"
    """It is a clip of which we do not know how it ended: evidence that the vendor took it, and no verdict."""
    DUPLICATE = "duplicate"
    """The job was billed already, in this statement or in another one."""
    THEIRS_ONLY = "theirs_only"
    """There is nothing of ours for it."""
    OURS_ONLY = "ours_only"
    """A clip of ours that has no line."""
    UNREADABLE = "unreadable"
    """A cell of it cannot be read."""


class RejectReason(StrEnum):
    """Why a clip was rejected, in a word; people read it in their language."""

    PROMPT = "prompt"
    """It does not show what was asked for."""
    MOTION = "motion"
    ANATOMY = "anatomy"
    """Faces, hands or bodies are wrong."""
    ARTEFACTS = "artefacts"
    LOOK = "look"
    """Light, colours or style do not fit."""
    FRAMING = "framing"
    SOUND = "sound"
    BETTER_TAKE = "better_take"
    """Another take of it is better."""


class EntryKind(StrEnum):
    """What a ledger row does; `ledger.EFFECTS` says how it moves the account."""

    GRANT = "grant"
    HOLD = "hold"
    SETTLE = "settle"
    RELEASE = "release"
    ADJUST = "adjust"
    TRANSFER = "transfer"
    """Out of one workspace, as a negative amount, and into another: two rows that cancel each other out."""


class Role(StrEnum):
    """What a person is in the installation, beyond their workspaces."""

    USER = "user"
    """Works in their workspaces, and sees nothing beyond them."""
    ANALYST = "analyst"
    """Reads the figures of all workspaces; clips and prompts only where they are a member."""
    ADMIN = "admin"
    """Runs it: people, teams, credits, unclear clips; clips and prompts only where they are a member."""


class WorkspaceKind(StrEnum):
    """Whether a workspace is somebody's own or shared."""

    PERSONAL = "personal"
    TEAM = "team"


class WorkspaceRole(StrEnum):
    """What a person may do in a workspace; each includes the ones before it."""

    VIEWER = "viewer"
    """Sees everything in it, changes nothing."""
    MAKER = "maker"
    """Orders, judges and edits."""
    MANAGER = "manager"
    """Members, budgets, approvals, webhooks, deletes."""


class BudgetScope(StrEnum):
    """What a monthly budget is for."""

    WORKSPACE = "workspace"
    PROJECT = "project"
    MEMBER = "member"
    """What one person orders in the workspace."""


class BudgetMode(StrEnum):
    """What happens to an order that would go beyond a budget."""

    WARN = "warn"
    """It is said, and the order is taken."""
    STOP = "stop"
    """It is refused."""


class ApprovalCause(StrEnum):
    """Why an order asked for approval."""

    PRICE = "price"
    """What was ordered with its press costs more than its workspace lets pass."""
    BUDGET = "budget"
    """It goes beyond a monthly budget that warns."""


class Decision(StrEnum):
    """What became of an order that asked for approval; one that was cancelled meanwhile has none."""

    APPROVED = "approved"
    DECLINED = "declined"
    LAPSED = "lapsed"
    """Nobody answered in time."""


class MemberSource(StrEnum):
    """Who has put a person into a workspace, and so who may take them out."""

    MANUAL = "manual"
    CLAIMS = "claims"
    """The groups of their sign-in, read anew each time."""


class GroupKind(StrEnum):
    """What a named group of assets is of."""

    CHARACTER = "character"
    PRODUCT = "product"
    STYLE = "style"


class VisitKind(StrEnum):
    """What somebody did who came by a link for people outside."""

    VIEW = "view"
    DOWNLOAD = "download"
    REFUSED = "refused"
    """A wrong password."""


class Scope(StrEnum):
    """How far an API token reaches; each includes the ones before it, and none more than its person may."""

    READ = "read"
    GENERATE = "generate"
    ADMIN = "admin"


class DeliveryState(StrEnum):
    """How far the delivery of an event to somebody's webhook is."""

    DUE = "due"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class DisabledReason(StrEnum):
    """Why nothing is sent to a webhook any more: its person said so, its server did (410), it failed for days, or its
    person has left the workspace or was deactivated."""

    PERSON = "person"
    GONE = "gone"
    FAILING = "failing"
    DEPARTED = "departed"


class ChangeKind(StrEnum):
    """What an administrator has said of a model."""

    LIFE = "life"
    """Whether it can be ordered from a moment on."""
    PRICE = "price"
    """What we ask from a moment on."""
    COST = "cost"
    """What the vendor takes from a moment on."""
    VENDOR_ID = "vendor_id"
    """What the vendor calls it from a moment on."""
    POSITION = "position"
    """Its place in the list."""
    RECORD = "record"
    """A further model, or what that makes, in place of what was said of it before."""
    TAKEN_BACK = "taken_back"
    """An earlier change shall not begin."""


class NoteKind(StrEnum):
    """What a vendor's own list of models tells an administrator."""

    APPEARED = "appeared"
    """The vendor's list has a model that it did not have before."""
    VANISHED = "vanished"
    """The vendor's list has lost a model."""
    NOT_LISTED = "not_listed"
    """We offer a model that the vendor's list does not have."""


class BulkKind(StrEnum):
    """What is done to every clip that matches a filter."""

    TAG = "tag"
    UNTAG = "untag"
    MOVE = "move"
    """To another project of their workspace."""
    KEEP = "keep"
    REJECT = "reject"
    UNDECIDE = "undecide"
    """The verdict is taken back."""
    FAVOURITE = "favourite"
    UNFAVOURITE = "unfavourite"
    DELETE = "delete"
    FETCH = "fetch"
    """Packed into ZIP files, which are kept for some days."""


class BulkState(StrEnum):
    """How far a bulk job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It could not go on, and says why; what it had done by then stays done."""
    CANCELLED = "cancelled"
    """Its person stopped it; what it had done by then stays done."""


class SourceKind(StrEnum):
    """What of its source clip a generation was made from."""

    FRAME = "frame"
    """It begins with a picture of it."""
    DRAFT = "draft"
    """It is the final of it: the same idea, ordered again from another model or in another quality."""


class NoticeKind(StrEnum):
    """What people are told of; each can be switched off for each way."""

    CLIPS_DONE = "clips_done"
    """All that was ordered with one press is finished."""
    CLIPS_FAILED = "clips_failed"
    """All that was ordered with one press has ended, and some of it failed; the credits came back."""
    CLIP_UNCLEAR = "clip_unclear"
    """Nobody can know whether a provider made it; to its maker, managers and administrators."""
    BALANCE_LOW = "balance_low"
    CREDITS_ADDED = "credits_added"
    MEMBERSHIP = "membership"
    """One was invited, was put into a team, or has another role in it."""
    STORAGE_FULL = "storage_full"
    """Storage is nearly full."""
    BUDGET = "budget"
    """So much of a budget is used."""
    MODEL_ENDS = "model_ends"
    """A model that clips were lately made with ends; to who made them, and who manages where they did."""
    PROVIDER_ACCOUNT = "provider_account"
    """A provider refuses our key or account, or takes it again; to administrators."""
    REPORT = "report"
    """A view of usage that somebody has sent to themselves regularly."""
    APPROVAL_ASKED = "approval_asked"
    """An order waits for one's approval."""
    APPROVAL_DECIDED = "approval_decided"
    """One's own order was approved or declined, or nobody answered in time."""
    CLIPS_LEAVE = "clips_leave"
    """Clips that nobody kept will soon go to the trash; to who made them, or who manages where they are."""
    TEST = "test"


class ErasureState(StrEnum):
    """How far the erasing of a person is; each state is what is being done."""

    WAITING = "waiting"
    """Clips that are under way come to their end."""
    FILES = "files"
    WORDS = "words"
    """Prompts, notes, and all that is theirs alone."""
    NAMES = "names"
    """Name and addresses wherever something else tells of them."""
    BOOKS = "books"
    """The same in closed months of the books, which are sealed anew."""
    DONE = "done"


class NoticeAudience(StrEnum):
    """What somebody must still be, to be told."""

    SELF = "self"
    """Active in the installation."""
    MEMBER = "member"
    """In the workspace."""
    OPERATOR = "operator"
    """An administrator of the installation."""


class NoticeWay(StrEnum):
    """How somebody is told."""

    INBOX = "inbox"
    EMAIL = "email"
    SLACK = "slack"
    TEAMS = "teams"
    WEBHOOK = "webhook"


class ReportEvery(StrEnum):
    """How often a view of usage is sent."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class SendState(StrEnum):
    """What became of a message on its way to somebody."""

    DUE = "due"
    """To be sent, now or when it is tried again."""
    HELD = "held"
    """Kept for the person's daily digest."""
    SENT = "sent"
    """The far side took it; a held one was part of a digest."""
    GIVEN_UP = "given_up"
    """The far side did not take it."""
    DROPPED = "dropped"
    """Its person may no longer be told, or the way was taken away."""


ENDED_STATUSES = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
