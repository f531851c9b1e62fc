"""The one description of the pack: its files, their columns, types, units and meanings; the dictionary is made of it.

The views of the same names in the database (migration 0032) have the same columns, which tests hold.
"""

from core.analyst_pack.columns import Column, Hidden, Kind, Table, credits, id_of, moment, name_of, whole, word, yes
from core.messages import N_

WORKSPACE = (
    id_of("workspace_id", Hidden.WORKSPACE, "The workspace."),
    name_of("workspace", "workspace_id", Hidden.WORKSPACE, "What it is called today."),
)
PAID_BY = (
    id_of("workspace_id", Hidden.WORKSPACE, "The workspace that paid."),
    name_of("workspace", "workspace_id", Hidden.WORKSPACE, "What it is called today."),
)
MAKER = (
    id_of("person_id", Hidden.PERSON, "Who ordered the clip."),
    name_of("person", "person_id", Hidden.PERSON, "What they are called today."),
)
CHARGED = (
    id_of("project_id", Hidden.PROJECT, "The project that the clip is charged in, also after it was moved."),
    name_of("project", "project_id", Hidden.PROJECT, "What it is called today."),
    Column("cost_centre", Kind.WORD, "The project's cost centre of today; empty for none.", hidden=Hidden.COST_CENTRE),
)
MODEL = (word("provider", "The provider's short name."), word("model_id", "The model."))
ORDERED_AND_ENDED = (
    moment("ordered_at", "When the clip was ordered."),
    moment("ended_at", "When it was delivered, failed or was cancelled; empty while it is under way."),
)

PEOPLE = Table(
    "people",
    N_("Everybody who is or was at work here."),
    ("person_id",),
    (
        id_of("person_id", Hidden.PERSON, "The person."),
        name_of(
            "person", "person_id", Hidden.PERSON, "What they are called; their address where that is no one else's."
        ),
        Column("email", Kind.TEXT, "Their address.", hidden=Hidden.LEFT_OUT),
        yes("is_active", "Whether they may come in."),
        moment("joined_at", "When they first came."),
    ),
)
PROJECTS = Table(
    "projects",
    N_("Every project, archived ones, too."),
    ("project_id",),
    (
        id_of("project_id", Hidden.PROJECT, "The project."),
        name_of("project", "project_id", Hidden.PROJECT, "What it is called."),
        *WORKSPACE,
        Column("cost_centre", Kind.WORD, "What finance charges it to; empty for none.", hidden=Hidden.COST_CENTRE),
        yes("is_archived", "Whether it is out of use."),
        moment("made_at", "When it was made."),
    ),
)
ACCOUNTS = Table(
    "accounts",
    N_("The credit account of every workspace."),
    ("workspace_id",),
    (
        *WORKSPACE,
        word("kind", "`personal` or `team`."),
        yes("is_sample", "Whether it belongs to the sample company."),
        credits("available_credits", "What can be spent now."),
        credits("held_credits", "What is reserved now for clips under way."),
        credits("opening_available_credits", "What could be spent before the period.", in_view=False),
        credits("opening_held_credits", "What was reserved before the period.", in_view=False),
        credits("closing_available_credits", "What could be spent at the end of the period.", in_view=False),
        credits("closing_held_credits", "What was reserved at the end of the period.", in_view=False),
    ),
)
CLIPS = Table(
    "clips",
    N_("Every clip that was ordered or ended in the period, however it ended; deleted ones, too."),
    ("clip_id",),
    (
        id_of("clip_id", Hidden.CLIP, "The clip."),
        id_of("workspace_id", Hidden.WORKSPACE, "The workspace that it is in today."),
        name_of("workspace", "workspace_id", Hidden.WORKSPACE, "What that is called today."),
        *MAKER,
        *CHARGED,
        id_of("present_project_id", Hidden.PROJECT, "The project that it is in today."),
        id_of("press_id", Hidden.PRESS, "The same for clips that were ordered with one press; empty for one alone."),
        *MODEL,
        word("model", "What the model was called at the order."),
        word("resolution", "As ordered, such as `1080p`."),
        whole("seconds", "Length as ordered.", "seconds"),
        word("aspect_ratio", "As ordered, such as `16:9`."),
        yes("has_sound", "Whether sound was ordered."),
        yes("is_enhanced", "Whether the prompt was to be enhanced."),
        yes("by_token", "Whether it was ordered with an API token."),
        word("status", "`pending`, `processing`, `completed`, `failed`, `cancelled` or `uncertain`."),
        word("error_code", "Why it failed; empty for others."),
        credits("credits", "Its price: charged if completed, given back if failed or cancelled, else reserved."),
        word("budget_month", "The month of whose budgets it was taken, such as `2026-11`."),
        whole("estimated_cost_microusd", "What the provider would probably take.", "millionths of a US dollar"),
        whole(
            "cost_microusd", "What the provider took; an estimate unless it was reported.", "millionths of a US dollar"
        ),
        yes("is_cost_estimate", "Whether the provider has not reported it."),
        whole("idr_per_usd", "The dollar of the order.", "rupiah"),
        whole("stored_bytes", "What its files take.", "bytes"),
        *ORDERED_AND_ENDED,
        moment("submitted_at", "When it was sent to the provider."),
        moment("deleted_at", "When somebody deleted it."),
    ),
    moments=("ordered_at", "ended_at"),
)
PROMPTS = Table(
    "prompts",
    N_("Prompts of clips in workspaces that whoever made the pack is in; none in a nightly or a pseudonymous one."),
    ("clip_id",),
    (
        id_of("clip_id", Hidden.CLIP, "The clip."),
        id_of("workspace_id", Hidden.WORKSPACE, "The workspace that it is in today."),
        Column("prompt", Kind.TEXT, "What was asked for.", hidden=Hidden.LEFT_OUT),
        Column("negative_prompt", Kind.TEXT, "What was not wanted.", hidden=Hidden.LEFT_OUT),
    ),
    moments=("ordered_at", "ended_at"),
    has_view=False,
)
LEDGER = Table(
    "ledger",
    N_("Every movement of credits in the period; rows never change."),
    ("entry_id",),
    (
        whole("entry_id", "Its number: later movements have higher ones."),
        moment("booked_at", "When it was booked."),
        *PAID_BY,
        word("kind", "`grant`, `hold`, `settle` (the charge), `release`, `adjust` or `transfer`."),
        credits("amount_credits", "How much; below 0 only for `adjust` and `transfer`."),
        credits("available_change", "What it did to what can be spent."),
        credits("held_change", "What it did to what is reserved."),
        credits("available_after", "What could be spent after it."),
        credits("held_after", "What was reserved after it."),
        id_of("clip_id", Hidden.CLIP, "The clip it was for; empty for what was for none."),
        *MAKER,
        *CHARGED,
        *MODEL,
        id_of("actor_id", Hidden.PERSON, "Who moved it; empty where that was no person of today."),
        Column("actor", Kind.WORD, "The address of whoever moved it, or a part of the system.", hidden=Hidden.LEFT_OUT),
        Column("reason", Kind.WORD, "Why, in English.", hidden=Hidden.LEFT_OUT),
    ),
    moments=("booked_at",),
)
USAGE_DAYS = Table(
    "usage_days",
    N_("Clips that ended, added up by day, workspace, maker, project and model: the figures of the page Usage."),
    ("day", "workspace_id", "person_id", "project_id", "provider", "model_id"),
    (
        Column("day", Kind.DAY, "The day (UTC) on which they ended."),
        *PAID_BY,
        *MAKER,
        *CHARGED,
        *MODEL,
        whole("completed", "Delivered.", "clips"),
        whole("failed", "Failed.", "clips"),
        whole("cancelled", "Cancelled.", "clips"),
        credits("settled_credits", "Charged."),
        credits("released_credits", "Given back."),
        whole("settled_idr", "Charged, in rupiah.", "rupiah"),
        whole("video_seconds", "Length of what was delivered.", "seconds"),
        whole("cost_idr", "What providers took: as reported, else estimated.", "rupiah"),
        whole("reported_cost_microusd", "What providers reported.", "millionths of a US dollar"),
        whole("reported_cost_idr", "The same at each order's dollar.", "rupiah"),
        whole("still_estimated_cost_idr", "The part of the cost that nobody reported.", "rupiah"),
        whole("wasted_cost_idr", "The part of the cost that gave no clip.", "rupiah"),
        whole("cost_unknown_count", "Clips of which nobody knows what they cost.", "clips"),
        whole("kept_count", "Clips that people kept.", "clips"),
        whole("kept_seconds", "Length of these.", "seconds"),
        whole("rejected_count", "Clips that people rejected.", "clips"),
    ),
    day="day",
)
BUDGETS = Table(
    "budgets",
    N_("What was taken in each month by workspace, project and member, beside the budget of today."),
    ("workspace_id", "month", "scope", "subject_id"),
    (
        *WORKSPACE,
        word(
            "month",
            "Such as `2026-11`, in the workspace's time zone; for a budget of which nothing was ever taken the "
            "month in which it was set.",
        ),
        word("scope", "`workspace`, `project` or `member`."),
        Column("subject_id", Kind.WORD, "The workspace, project or person.", hidden=Hidden.BY_SCOPE),
        Column("subject", Kind.WORD, "What that is called today.", hidden=Hidden.BY_SCOPE, names="subject_id"),
        credits("limit_credits", "The monthly budget of today; empty for none."),
        word("mode", "`warn` or `stop`; empty without a budget."),
        credits("taken_credits", "Reserved and charged for orders of the month."),
    ),
    month="month",
)
JUDGEMENTS = Table(
    "judgements",
    N_("What people said of clips of the period; clips of which nobody said anything are not in it."),
    ("clip_id",),
    (
        id_of("clip_id", Hidden.CLIP, "The clip."),
        *WORKSPACE,
        *MAKER,
        *CHARGED,
        *MODEL,
        word("verdict", "`kept`, `rejected` or `undecided`."),
        word("reject_reason", "Why it was rejected, in a word; empty for no reason."),
        id_of("judged_by_id", Hidden.PERSON, "Whose verdict it is."),
        name_of("judged_by", "judged_by_id", Hidden.PERSON, "What they are called today."),
        yes("is_favourite", "Whether it is marked as a favourite."),
        whole("comment_count", "Comments on it; what they say is not told.", "comments"),
        *ORDERED_AND_ENDED,
    ),
    moments=("ordered_at", "ended_at"),
)

TABLES = (PEOPLE, PROJECTS, ACCOUNTS, CLIPS, PROMPTS, LEDGER, USAGE_DAYS, BUDGETS, JUDGEMENTS)
"""In the order in which they stand in the pack."""
BY_NAME = {each.name: each for each in TABLES}

DICTIONARY_HEADS = ("file", "column", "type", "unit", "meaning", "in_a_pseudonymous_pack", "in_the_view")


def dictionary() -> list[tuple[str, ...]]:
    """A line for each column, below the heads."""
    return [
        (
            f"{table.name}.parquet",
            each.name,
            each.kind.value,
            each.unit,
            each.meaning,
            _in_pseudonymous(each),
            table.view_name if table.has_view and each.in_view else "",
        )
        for table in TABLES
        for each in table.columns
    ]


def _in_pseudonymous(each: Column) -> str:
    if each.hidden is None:
        return "as it is"
    return "empty" if each.hidden is Hidden.LEFT_OUT else "a pseudonym"
