"""What there is to press on every page, for every role: what a person may not do is not drawn.

What each page draws is collected from it and compared with the lists below. A widget that is in none of them fails:
whoever adds one says there who sees it. That services refuse all the same is tried by `tests/api/test_permissions.py`.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

from core import db
from core.clock import utc_now
from core.db.enums import Role, WorkspaceRole
from core.db.tables import Generation, Preset, Project, User, WebhookEndpoint, WorkspaceMember
from core.generations import commands, review, share_links
from core.generations.sheets.checked import Defaults
from core.identity import api_tokens
from core.workspaces import invitations
from core.workspaces.access import Member
from tests.factories import approvals, generations, installations, sheets, statements
from tests.factories.assets import create_group
from tests.factories.models import able_demo
from tests.factories.projects import create_project
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.factories.workspaces import create_team, put_in, remove
from tests.pages.conftest import SHELL

ROLES: Mapping[str, tuple[WorkspaceRole, Role]] = {
    "viewer": (WorkspaceRole.VIEWER, Role.USER),
    "maker": (WorkspaceRole.MAKER, Role.USER),
    "manager": (WorkspaceRole.MANAGER, Role.USER),
    "analyst": (WorkspaceRole.VIEWER, Role.ANALYST),
    "admin": (WorkspaceRole.VIEWER, Role.ADMIN),
}
"""Who looks -> what they are in the team, and in the installation."""


@dataclass(frozen=True)
class World:
    """The one person of an installation in two teams: one with something of everything, the other with nothing yet."""

    person: Member
    empty_id: str
    clips: Mapping[str, Generation]
    sheets: Mapping[str, str]
    invitation: str

    def become(self, role: str) -> None:
        """Let the person be somebody else in both teams from the next click on."""
        in_team, in_installation = ROLES[role]
        with db.write_session() as session:
            session.execute(update(User).where(User.id == self.person.id).values(role=in_installation))
            for workspace_id in (self.person.workspace_id, self.empty_id):
                session.get_one(WorkspaceMember, (workspace_id, self.person.id)).role = in_team


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once; what is pressed here is refused."""
    with pytest.MonkeyPatch.context() as environ:
        for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "SECRET_KEY", "AUTH_MODE"):
            environ.delenv(name, raising=False)
        environ.setenv("DATA_DIR", str(tmp_path_factory.mktemp("permissions")))
        with installations.opened() as found:
            yield build_world(Studio(found.settings).person)


def build_world(local: Member) -> World:
    """Projects, clips in every state, a token, a webhook and a link for people outside."""
    [person] = create_team(db.default(), (local, WorkspaceRole.MANAGER))
    host = create_member(db.default(), "host@example.org")
    people = ((local, WorkspaceRole.MANAGER), (host, WorkspaceRole.MANAGER))
    elsewhere, host = create_team(db.default(), *people, name="Hills")
    film = create_project(db.default(), person, "Lake film").id
    create_project(db.default(), person, "Trailer")
    create_group(db.default(), person)
    done = generations.create_completed(db.default(), person, project_id=film)
    generations.create_completed(db.default(), person, project_id=film)
    waits, unclear, cancelled, late = (
        generations.create_generation(db.default(), person, project_id=film) for _ in range(4)
    )
    generations.advance(db.default(), late.id, generations.DISPATCHED, generations.SUBMITTING, generations.WAITING)
    generations.lose_submit(db.default(), unclear.id)
    with db.write_session() as session:
        commands.cancel(session, person, cancelled.id)
        then = utc_now() - timedelta(hours=2)
        of_late = update(Generation).where(Generation.id == late.id)
        session.execute(of_late.values(created_at=then, submitted_at=then))
        api_tokens.create(session, person.user, name="script")
        whose = {"workspace_id": person.workspace_id, "user_id": person.id}
        session.add(WebhookEndpoint(**whose, url="https://hooks.example.org/video"))
        share_links.make(session, person, [done.id])
        _made, token = invitations.create(
            session,
            host,  # it is as good as the right of who made it
            email="new@example.org",
            workspace_id=elsewhere.workspace_id,
            workspace_role=WorkspaceRole.MAKER,
        )
    clips = {"done": done, "waits": waits, "cancelled": cancelled, "asks": asking(person, film)}
    otherwise = Defaults(model_id="demo-film", project_id=film)
    ordered = sheets.order(db.default(), person, sheets.keep(db.default(), person, b"Prompt\nA lake\n", otherwise))
    faulty = sheets.keep(db.default(), person, b"Prompt,Seconds\nA lake,never\n", otherwise)
    statements.billed()
    return World(person, elsewhere.workspace_id, clips, {"ordered": ordered.id, "faulty": faulty.id}, token)


def asking(manager: Member, project_id: str) -> Generation:
    """An order that waits for approval, of somebody who has left since."""
    guest = put_in(
        db.default(), create_member(db.default(), "guest@example.org"), manager.workspace_id, WorkspaceRole.MAKER
    )
    approvals.ask(db.default(), manager)
    row = generations.create_generation(db.default(), guest, project_id=project_id)
    approvals.ask(db.default(), manager, None)
    remove(guest)
    return row


def drawn(at: AppTest) -> set[str]:
    """The names of all that can be pressed or filled in; ids and numbers in them are left out."""
    return {name for node in _nodes(at._tree) for name in _names(node)} - {"bar_workspace"}


def _nodes(block: Any) -> Iterator[Any]:
    for node in block.children.values():
        yield node
        if isinstance(node, Block):
            yield from _nodes(node)


def _names(node: Any) -> Iterator[str]:
    proto: Any = getattr(node, "proto", None)
    if node.type == "bidi_component":
        yield from (f"{_general(node)}: {part}" for part in _parts(proto))
    elif node.type == "tab":
        yield f"tab: {node.label}"
    elif isinstance(node, Element) and (node.type == "page_link" or str(getattr(proto, "id", ""))):
        yield _general(node)


def _general(node: Any) -> str:
    key = str(node.key if getattr(node, "key", None) else _key_of_id(node) or node.proto.label)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "*", re.sub(r"_\d+$", "", re.sub(r"_\d+_", "_", key)))


def _key_of_id(node: Any) -> str:
    """Streamlit's own id ends with the key, if there is one."""
    key = str(getattr(node.proto, "id", "")).split("-", 2)[-1]
    return "" if key == "None" else key


def _parts(proto: Any) -> list[str]:
    """What can be pressed within an element of ours."""
    data: dict[str, Any] = json.loads(proto.json)[0]
    match proto.component_name:
        case "project_cards":
            return list(data["allowed"])
        case "clip_viewer":
            return ["decide"] if any(clip["may"] for clip in data["clips"]) else []
        case "asset_cards":
            return ["open"]
        case "asset_drop":
            return ["bring"]
        case "clip_gallery":
            return [word for word in ("favourite", "select") if data.get("board", {}).get("words", {}).get(word)]
        case "library_bar":
            share = ["share a filter"] if data["saved"]["mayShare"] else []
            chips = [chip["param"] for chip in data["chips"]]
            return ["search", "clear", "view", "jump", "saved", *share, *chips]
        case "under_way":
            return ["cancel"] if data["words"]["cancel"] else []
        case "image_slots":
            return [slot["field"] for slot in data["slots"]]
        case "prompt_input":
            return ["order"]
        case "order_settings":
            return ["choose"]
        case "stage":
            return [
                *(word for word in ("cancel", "final") if data["words"][word]),
                *(["idea"] if data["ideas"] else []),
            ]
    return []


EVERYBODY = frozenset(ROLES)
MAKERS = frozenset({"maker", "manager"})
MANAGERS = frozenset({"manager"})
NOT_MANAGERS = EVERYBODY - MANAGERS
ADMINS = frozenset({"admin"})
EXPORTERS = frozenset({"manager", "analyst", "admin"})
OTHERS = EVERYBODY - EXPORTERS
CHART_LEADS = EVERYBODY - frozenset({"analyst"})
"""Whose chart leads to clips: an analyst looks at everybody's, whose clips are not theirs to see."""

Drawn = Mapping[frozenset[str], set[str]]


@dataclass(frozen=True)
class View:
    """A page as it is opened, and what it draws for whom.

    `clip` is the one in the viewer, `clip_tab` what is open beside it, `selected` the one that is selected, `sheet` the
    table that is open. Only `roles` come to it. With `is_able` the model there is takes a seed, frame rates and
    references.
    """

    page: str
    draws: Drawn
    address: Mapping[str, str] = field(default_factory=dict)
    tab: str = ""
    clip: str = ""
    clip_tab: str = ""
    selected: str = ""
    sheet: str = ""
    is_empty: bool = False
    is_able: bool = False
    roles: frozenset[str] = EVERYBODY


PROJECTS: Drawn = {
    EVERYBODY: {"projects_search", "projects_sort", "projects_archived"},
    MAKERS: {
        *("projects_new_name", "projects_new_description", "projects_create"),
        *("projects_cards: generate", "projects_cards: edit", "projects_cards: archive"),
    },
    MANAGERS: {"projects_cards: delete", "projects_cards: transfer"},
}
FILTERS = {
    *("history_bar: search", "history_bar: clear", "history_bar: view", "history_bar: jump", "history_bar: saved"),
    *("history_bar: model", "history_bar: project", "history_bar: status", "history_bar: verdict"),
    *("history_bar: favourite", "history_bar: days", "history_bar: whose", "history_bar: found", "history_bar: opened"),
    *("history_bar: provider", "history_bar: where", "history_gallery: select"),
}
OF_MAKERS = {"history_bar: share a filter", "history_gallery: favourite"}
HISTORY: Drawn = {EVERYBODY: FILTERS, MAKERS: OF_MAKERS}
MARKS = {"clip_viewer: decide", "clip_tags_*"}
NOTE = {"clip_viewer: decide", "clip_note_new_*", "FormSubmitter:clip_note_form_*_0-Add note"}
CLIP_TABS = {f"tab: {name}" for name in ("Prompt", "Notes", "Settings", "Receipt", "Timeline")}
TABS = {"tab: You", "tab: Being told", "tab: Providers"}
ACCOUNT: Drawn = {EVERYBODY: TABS, MAKERS: {"tab: Shared links"}}
TOKENS = {
    *("account_token_name", "account_token_scope", "account_token_days"),
    *("account_token_cap", "account_token_workspace"),
    *("FormSubmitter:account_token_new_0-Make a token", "account_token_revoke_*"),
}
WEBHOOKS = {
    *("webhooks_new_url", "webhooks_new_description", "webhooks_new_events", "webhooks_add"),
    *("webhook_*_test", "webhook_*_switch", "webhook_*_url", "webhook_*_description", "webhook_*_events"),
    *("webhook_*_save", "webhook_*_rotate", "webhook_*_delete"),
}
USAGE = {
    "usage_period",
    "usage_step",
    "usage_by",
    "usage_project",
    "usage_model",
    "usage_people",
    "usage_show",
    "tab: Chart",
    "tab: Table",
}

EXPLORER = {
    *("usage_show", "explore_when", "explore_by", "explore_and", "explore_over", "explore_what", "explore_in"),
    *("explore_of", "explore_view_name", "explore_keep"),
}

ASSETS = {"assets_show", "assets_search", "assets_archived"}

DECIDING = ("approve", "note", "decline", "approve_with")

OWN_TEAMS = {"team_go_*", "team_leave_*"}
ADMIN_TABS = {"tab: Attention", "tab: Providers", "tab: People", "tab: Queue", "tab: Books", "tab: Trust"}
ATTENTION_TABS = {"tab: What waits", "tab: Queue"}
LATE = {"late_look_*", "late_cancel_*"}
QUEUE = {"queue_words", "queue_provider", "queue_status"}
TEAM_TABS = {"tab: People", "tab: Add or invite", "tab: Name and credits"}
GIVING = {"team_credits_credits_*", "team_credits_reason_*", "FormSubmitter:team_credits_form-Apply"}
"""Credits of one's own go into any team that one is in."""

ORDERING = {
    *("generate_project", "generate_preset", "generate_preset_name", "generate_preset_prompt"),
    *("generate_preset_shared", "generate_preset_save", "generate_prompt_field: order", "generate_improve"),
    *("generate_settings: choose", "generate_image_places: start_image", "generate_image_places: end_image"),
    *("generate_button", "generate_stage: cancel", "generate_stage: final", "Batch"),
}

BEGIN = {"sheets_source", "sheets_file", "sheets_template_csv", "sheets_template_xlsx"}
EDITING = {
    *("sheet_default_project_id_*", "sheet_default_model_id_*", "sheet_default_resolution_*"),
    *("sheet_default_duration_seconds_*", "sheet_default_aspect_ratio_*", "sheet_default_generate_audio_*"),
    *("sheet_leave_out", "sheet_order"),
}

VIEWS: Mapping[str, View] = {
    "projects": View("projects", PROJECTS),
    "projects, none yet": View(
        "projects",
        {
            MAKERS: {"projects_new_name", "projects_new_description", "projects_create"},
            frozenset({"analyst"}): {"Usage of everybody"},
        },
        is_empty=True,
    ),
    "generate": View("generate", {EVERYBODY: {"All clips", "generate_project"}, MAKERS: ORDERING}),
    "generate, a model that takes everything": View(
        "generate",
        {
            EVERYBODY: {"All clips", "generate_project"},
            MAKERS: ORDERING | {"generate_seed", "generate_fps_few", "generate_reference_places: references"},
        },
        is_able=True,
    ),
    "generate, no project yet": View(
        "generate",
        {
            EVERYBODY: {"All clips"},
            MAKERS: ORDERING - {"generate_project"} | {"generate_stage: idea"},
            ADMINS: {"generate_sample"},
        },
        is_empty=True,
    ),
    "batch": View("sheets", {EVERYBODY: {"sheets_open_*"}, MAKERS: BEGIN}),
    "batch, none yet": View("sheets", {MAKERS: BEGIN}, is_empty=True),
    "batch, to be ordered": View(
        "sheets",
        {EVERYBODY: {"sheets_back", "sheet_only_faulty", "sheet_table_*"}, MAKERS: EDITING},
        sheet="faulty",
    ),
    "batch, ordered": View(
        "sheets",
        {
            EVERYBODY: {"sheets_back", "sheet_result_csv", "sheet_result_xlsx"},
            MAKERS: {"sheet_cancel"},
        },
        sheet="ordered",
    ),
    "history": View("history", HISTORY),
    "history, no clip yet": View(
        "history",
        {
            EVERYBODY: FILTERS - {"history_gallery: select"},
            MAKERS: {"history_bar: share a filter", "Make the first one"},
            frozenset({"analyst"}): {"Usage of everybody"},
            ADMINS: {"history_sample"},
        },
        is_empty=True,
    ),
    "history, selected": View(
        "history",
        {
            EVERYBODY: FILTERS | {"selection_clear", "selection_everything"},
            MAKERS: {
                *OF_MAKERS,
                *("selection_share", "selection_favourite", "selection_keep"),
                *("selection_reject", "selection_bulk_tags", "selection_tag_add", "selection_tag_remove"),
                *("selection_move_to", "selection_move"),
            },
            MANAGERS: {"selection_delete"},
        },
        selected="done",
    ),
    "history, everything selected": View(
        "history",
        {
            EVERYBODY: FILTERS | {"selection_clear", "everything_names", "everything_fetch"},
            MAKERS: {
                *OF_MAKERS,
                *("everything_favourite", "everything_unfavourite", "everything_keep", "everything_reject"),
                *("everything_undecide", "everything_tags", "everything_tag", "everything_untag"),
                *("everything_move_to", "everything_move"),
            },
            MANAGERS: {"everything_sure", "everything_delete"},
        },
        selected="everything",
    ),
    "clip": View(
        "history",
        {
            EVERYBODY: FILTERS | CLIP_TABS,
            MAKERS: MARKS
            | OF_MAKERS
            | {"clip_reuse_*", "clip_extend_*"}
            | {"clip_share_*", "clip_move_to_*", "clip_move_*"},
            MANAGERS: {"clip_delete_*"},
            ADMINS: {"tab: Provider"},
        },
        clip="done",
    ),
    "clip, notes": View(
        "history",
        {
            EVERYBODY: FILTERS | CLIP_TABS,
            MAKERS: NOTE
            | OF_MAKERS
            | {"clip_note_at_*", "clip_reuse_*", "clip_extend_*"}
            | {"clip_share_*", "clip_move_to_*", "clip_move_*"},
            MANAGERS: {"clip_delete_*"},
            ADMINS: {"tab: Provider"},
        },
        clip="done",
        clip_tab="Notes",
    ),
    "clip under way": View(
        "history",
        {
            EVERYBODY: FILTERS | CLIP_TABS,
            MAKERS: MARKS | OF_MAKERS | {"clip_reuse_*", "clip_under_way_*: cancel"},
            ADMINS: {"tab: Provider"},
        },
        clip="waits",
    ),
    "clip that waits for approval": View(
        "history",
        {
            EVERYBODY: FILTERS | CLIP_TABS,
            MAKERS: MARKS | OF_MAKERS | {"clip_reuse_*", "clip_under_way_*: cancel"},
            MANAGERS | ADMINS: {f"clip_approval_*_{part}" for part in DECIDING},
            ADMINS: {"tab: Provider"},
        },
        clip="asks",
    ),
    "clip that was cancelled": View(
        "history",
        {
            EVERYBODY: FILTERS | CLIP_TABS,
            MAKERS: MARKS | OF_MAKERS | {"clip_reuse_*", "clip_retry_*", "clip_move_to_*", "clip_move_*"},
            MANAGERS: {"clip_delete_*"},
            ADMINS: {"tab: Provider"},
        },
        clip="cancelled",
    ),
    "assets": View("assets", {EVERYBODY: ASSETS | {"assets_groups: open"}, MAKERS: {"assets_new"}}),
    "assets, none yet": View("assets", {EVERYBODY: ASSETS, MAKERS: {"assets_new"}}, is_empty=True),
    "assets, images": View(
        "assets", {EVERYBODY: ASSETS | {"assets_files: open"}, MAKERS: {"assets_drop: bring"}}, {"show": "image"}
    ),
    "usage": View(
        "usage",
        {
            EVERYBODY: USAGE,
            MANAGERS: {"usage_budget_credits_*", "usage_budget_save"},
            CHART_LEADS: {"usage_spend_chart"},
        },
    ),
    "usage, explorer": View("usage", {EVERYBODY: EXPLORER, MAKERS: {"explore_view_shared"}}, {"show": "explore"}),
    "inbox": View("inbox", {EVERYBODY: {"inbox_which", "inbox_all", "inbox_ways", "notice_open_*", "notice_read_*"}}),
    "attention": View(
        "attention",
        {MANAGERS: ATTENTION_TABS | LATE | {"Show clip"}},
        roles=MANAGERS,
    ),
    "attention, queue": View("attention", {MANAGERS: ATTENTION_TABS | QUEUE}, tab="Queue", roles=MANAGERS),
    "budgets": View(
        "budgets",
        {
            MANAGERS: {
                *("budgets_zone", "budgets_add_project", "budgets_add_member", "budgets_each", "budgets_approval"),
                *(f"budgets_change_{scope}_*" for scope in ("workspace", "project", "member")),
            }
        },
    ),
    "approvals": View("approvals", {MANAGERS | ADMINS: {f"approval_*_{part}" for part in DECIDING}}),
    "approvals, elsewhere": View("approvals", {ADMINS: {f"approval_*_{part}" for part in DECIDING}}, is_empty=True),
    "usage, cost": View("usage", {EVERYBODY: USAGE}, {"show": "cost"}),
    "usage, export": View(
        "usage",
        {EXPORTERS: {"usage_show", "pack_whose", "pack_period", "pack_names", "pack_make"}},
        {"show": "export"},
        roles=EXPORTERS,
    ),
    "usage, export without a right": View(
        "usage", {OTHERS: USAGE | {"usage_spend_chart"}}, {"show": "export"}, roles=OTHERS
    ),
    "usage, statements": View(
        "usage",
        {
            frozenset({"analyst", "admin"}): {
                *("usage_show", "usage_statement_choice", "usage_outcome"),
                *("statements_result_csv", "statements_result_xlsx"),
            },
            ADMINS: {
                *("statements_provider", "statements_month", "statements_file", "statements_example_csv"),
                *("statements_example_xlsx", "statements_accept_every", "statements_accept_lines"),
                *("statements_accept_reason", "statements_accept_button", "statements_again", "statements_discard"),
            },
            frozenset({"viewer", "maker", "manager"}): USAGE | {"usage_spend_chart"},
            MANAGERS: {"usage_budget_credits_*", "usage_budget_save"},
        },
        {"show": "statements"},
    ),
    "account": View(
        "account",
        {
            EVERYBODY: TABS | {"account_language", "account_pack"},
            MAKERS: {"tab: Shared links"},
            MANAGERS: {"tab: Tokens and webhooks"},
            NOT_MANAGERS: {"tab: Tokens"},
        },
    ),
    "credits": View("credits", {EVERYBODY: {"account_month", "account_separator", "account_csv", "account_xlsx"}}),
    "account, tokens": View(
        "account", {**ACCOUNT, NOT_MANAGERS: TOKENS | {"tab: Tokens"}}, tab="Tokens", roles=NOT_MANAGERS
    ),
    "account, tokens and webhooks": View(
        "account",
        {**ACCOUNT, MANAGERS: TOKENS | WEBHOOKS | {"tab: Tokens and webhooks", "delivery_*_replay"}},
        tab="Tokens and webhooks",
        roles=MANAGERS,
    ),
    "account, shared links": View(
        "account",
        {
            EVERYBODY: TABS,
            MAKERS: {"tab: Shared links", "sharing_revoke_*"},
            MANAGERS: {"tab: Tokens and webhooks"},
            NOT_MANAGERS: {"tab: Tokens"},
        },
        tab="Shared links",
        roles=MAKERS,
    ),
    "team": View(
        "team",
        {
            EVERYBODY: OWN_TEAMS | {"team_people_search"},
            NOT_MANAGERS: GIVING,
            MANAGERS: TEAM_TABS,
            MANAGERS | ADMINS: {"team_people_*_role", "team_people_*_remove"},
        },
    ),
    "team, add or invite": View(
        "team",
        {
            MANAGERS: OWN_TEAMS
            | TEAM_TABS
            | {"team_invite_email", "team_invite_workspace_role", "FormSubmitter:team_invite_form_0-Add or invite"}
        },
        tab="Add or invite",
        roles=MANAGERS,
    ),
    "team, name and credits": View(
        "team",
        {
            MANAGERS: OWN_TEAMS
            | TEAM_TABS
            | GIVING
            | {"Name of the team", "FormSubmitter:team_rename-Save", "team_mark_*", "team_prompts_*"}
        },
        tab="Name and credits",
        roles=MANAGERS,
    ),
    "verify": View("verify", {EVERYBODY: {"verify_file"}}),
    "people": View(
        "people",
        {
            ADMINS: {
                *("tab: People", "tab: Workspaces", "tab: Invitations", "people_search", "people_gone"),
                *("people_role_*", "people_off_*", "people_merge_*", "people_erase_*"),
            }
        },
        roles=ADMINS,
    ),
    "invitation": View("invitation", {EVERYBODY: {"invitation_accept"}}),
    "no such page": View("nowhere", {EVERYBODY: {"Projects", "History"}}),
    "admin": View(
        "admin",
        {ADMINS: ADMIN_TABS | LATE | {"admin_release_*", "admin_job_*", "admin_found_*", "Show clip"}},
        roles=ADMINS,
    ),
    "admin, providers": View(
        "admin",
        {ADMINS: ADMIN_TABS | {"admin_dollar_idr", "admin_dollar_since", "FormSubmitter:admin_dollar-Set the dollar"}},
        tab="Providers",
        roles=ADMINS,
    ),
    "admin, people": View(
        "admin",
        {
            ADMINS: ADMIN_TABS
            | {
                *("admin_people_search", "admin_grant_kind_*", "admin_grant_email_*", "admin_grant_credits_*"),
                *("admin_grant_reason_*", "FormSubmitter:admin_grant-Apply", "sample_make_admin"),
            }
        },
        tab="People",
        roles=ADMINS,
    ),
    "admin, queue": View("admin", {ADMINS: ADMIN_TABS | QUEUE}, tab="Queue", roles=ADMINS),
    "admin, books": View("admin", {ADMINS: ADMIN_TABS}, tab="Books", roles=ADMINS),
    "admin, trust": View("admin", {ADMINS: ADMIN_TABS | {"admin_check", "admin_kept"}}, tab="Trust", roles=ADMINS),
    "models": View(
        "models",
        {
            ADMINS: {
                *("models_model", "models_kind", "models_state_veo3", "models_successor_veo3", "models_reason_veo3"),
                *("models_since_veo3_life", "FormSubmitter:models_change_veo3_life-Change", "models_provider"),
                *("models_record_modelslab", "FormSubmitter:models_add-Add the model"),
            }
        },
        roles=ADMINS,
    ),
    "audit log": View(
        "audit_log",
        {
            ADMINS: {
                *("audit_log_text", "audit_log_kind", "audit_log_from", "audit_log_to", "audit_log_clear"),
                *("audit_log_csv", "audit_log_xlsx"),
            }
        },
        roles=ADMINS,
    ),
}
"""What is drawn for which roles; several lines about a role add up."""


def opened(world: World, view: View) -> AppTest:
    """The page, drawn once as somebody who sees all of it."""
    at = AppTest.from_file(str(SHELL), default_timeout=60)
    at.query_params["workspace"] = world.empty_id if view.is_empty else world.person.workspace_id
    for name, value in view.address.items():
        at.query_params[name] = value
    if view.clip:
        at.query_params["clip"] = world.clips[view.clip].id
    if view.clip_tab:
        at.session_state["clip_tabs"] = view.clip_tab
    if view.sheet:
        at.query_params["sheet"] = world.sheets[view.sheet]
    if view.tab:
        at.session_state[f"{view.page}_tabs"] = view.tab
    if view.page == "invitation":
        at.query_params["token"] = world.invitation
    if view.page == "nowhere":
        at.context["url"] = "http://localhost/nowhere"  # it is there only for an address that no page has
    if view.page != "projects":
        at.switch_page(f"{view.page}.py")
    at.run()
    if view.selected == "everything":
        at.session_state["history_selected_everything"] = True
    elif view.selected:
        at.session_state["history_selected"] = [world.clips[view.selected].id]
    return at


def test_every_page_is_viewed() -> None:
    """Whoever adds a page writes down what it draws for whom."""
    pages = {path.stem for path in SHELL.parent.glob("*.py")} - {SHELL.stem}
    assert pages == {view.page for view in VIEWS.values()}


@pytest.mark.parametrize("name", VIEWS)
def test_page_by_role(world: World, name: str) -> None:
    """Each role finds what it may press, and nothing else."""
    view = VIEWS[name]
    with able_demo() if view.is_able else contextlib.nullcontext():
        _look(world, view)


def _look(world: World, view: View) -> None:
    at = None
    unexpected, missing = {}, {}
    for role in (role for role in ROLES if role in view.roles):
        world.become(role)
        at = at or opened(world, view)
        at.run()
        assert [error.value for error in [*at.error, *at.exception]] == []
        found = drawn(at)
        expected = set().union(*(names for roles, names in view.draws.items() if role in roles))
        if found - expected:
            unexpected[role] = sorted(found - expected)
        if expected - found:
            missing[role] = sorted(expected - found)
    assert (unexpected, missing) == ({}, {}), "Say in VIEWS who sees what is new, and take away what is gone."


@pytest.mark.parametrize("role", sorted(NOT_MANAGERS))
def test_page_for_managers(world: World, role: str) -> None:
    """Who manages nothing where they are at work does not come to what waits, by its address neither."""
    world.become(role)
    at = opened(world, View("attention", {}))
    assert [title.value for title in at.title] == ["Projects"]


@pytest.mark.parametrize("page", ["admin", "audit_log", "people"])
@pytest.mark.parametrize("role", sorted(EVERYBODY - ADMINS))
def test_page_for_administrators(world: World, page: str, role: str) -> None:
    """By its address, too, nobody else comes to it: it is not there."""
    world.become(role)
    at = opened(world, View(page, {}))
    assert [title.value for title in at.title] == ["Projects"]
    assert drawn(at) <= set().union(*PROJECTS.values())


def test_mark_after_the_role_was_taken_away(world: World) -> None:
    """What is set in a page that was drawn before is refused, said, and not written down."""
    world.become("maker")
    at = opened(world, VIEWS["clip"])
    clip_id = world.clips["done"].id
    world.become("viewer")
    at.multiselect(key=f"clip_tags_{clip_id}").set_value(["night"]).run()
    assert [error.value for error in at.error] == ["Your role in this workspace does not allow this."]
    with db.read_session() as session:
        assert review.tags_of(session, world.person, clip_id) == []


def test_first_project_after_the_role_was_taken_away(world: World) -> None:
    """The first order of a page that was drawn before makes neither project nor clip."""
    world.become("maker")
    at = opened(world, VIEWS["generate, no project yet"])
    world.become("viewer")
    at.session_state["generate_prompt"] = "A lake at dawn"
    at.button(key="generate_button").click().run()
    with db.read_session() as session:
        assert session.scalars(select(Project).where(Project.workspace_id == world.empty_id)).all() == []


def test_preset_after_the_role_was_taken_away(world: World) -> None:
    """The same where the page keeps what it has to say."""
    world.become("maker")
    at = opened(world, VIEWS["generate"])
    at.text_input(key="generate_preset_name").set_value("Reels")
    world.become("viewer")
    at.button(key="generate_preset_save").click().run()
    with db.read_session() as session:
        assert session.scalars(select(Preset)).all() == []
    assert drawn(at) == {"All clips", "generate_project"}
