"""Assets: the images, videos and sounds of the workspace, and characters, products and styles with a name each."""

import streamlit as st

from core import db
from core.assets import groups, library
from core.assets.groups import Group
from core.db.enums import GroupKind
from core.db.tables import Upload
from core.projects import uploads
from core.providers.contract import MediaKind
from core.workspaces.permissions import Action
from pages.elements import asset_cards, asset_drop
from pages.sections.assets import detail, group_form
from pages.sections.assets.words import GROUP_KIND, KIND
from pages.ui import components, current_member, query_param, wording
from pages.ui.language import _, plural

PAGE_SIZE = library.PAGE_SIZE
COVERS = 4
NEW = {
    GroupKind.CHARACTER: "person_add",
    GroupKind.PRODUCT: "add_shopping_cart",
    GroupKind.STYLE: "palette",
}

person = current_member.current_member()


def from_the_beginning() -> None:
    """Another kind or search begins with its first page."""
    st.session_state["assets_pages"] = [""]


def choose() -> tuple[str, str, bool]:
    """What is shown, what is searched for in it, and whether that is what was put away."""
    with st.container(horizontal=True, vertical_alignment="center", key="assets_bar"):
        kinds = {**GROUP_KIND, **KIND}
        shown = query_param.one_of("show", kinds, GroupKind.CHARACTER.value)
        st.segmented_control(
            _("Show"),
            list(kinds),
            key=query_param.widget_key("assets", "show", shown),
            format_func=kinds.__getitem__,
            required=True,
            label_visibility="collapsed",
            on_change=keep_kind,
        )
        search = st.text_input(
            _("Search"),
            key="assets_search",
            type="search",
            placeholder=_("Name"),
            max_chars=uploads.NAME_LIMIT_CHARS,
            width=260,
            label_visibility="collapsed",
            on_change=from_the_beginning,
        )
        archived = st.toggle(_("Archived"), key="assets_archived", on_change=from_the_beginning)
    return str(shown), search or "", archived


def keep_kind() -> None:
    """Write the kind that was just chosen into the address."""
    query_param.save("assets", "show", GroupKind.CHARACTER.value)
    from_the_beginning()


def named(kind: GroupKind, search: str, *, archived: bool) -> None:
    """Groups of a kind as cards."""
    with db.read_session() as session:
        found = groups.list_all(session, person, kind=kind, search=search, archived=archived)
    if person.may(Action.EDIT) and not archived:
        label = {
            GroupKind.CHARACTER: _("New character"),
            GroupKind.PRODUCT: _("New product"),
            GroupKind.STYLE: _("New style"),
        }[kind]
        st.button(
            label,
            type="primary",
            icon=f":material/{NEW[kind]}:",
            key="assets_new",
            on_click=group_form.open_new,
            args=(kind,),
        )
    if not found:
        teach(kind, is_searched=bool(search) or archived)
        return
    cards = [card(group) for group in found]
    pressed = asset_cards.show(cards, label=GROUP_KIND[kind.value], key="assets_groups")
    if group := next((group for group in found if group.row.id == pressed), None):
        group_form.open_it(group)


def card(group: Group) -> asset_cards.Card:
    """The card of a group: its first pictures, its name as prompts say it."""
    keys = [asset.poster_key or asset.storage_key for asset, _role in group.items if asset.kind != "sound"]
    links = [link for key in keys[:COVERS] if (link := components.media_link(key))]
    number = len(group.items)
    facts = plural("{number} asset", "{number} assets", number).format(number=number)
    if group.row.description:
        facts = f"{facts} · {group.row.description[:80]}"
    return asset_cards.Card(group.row.id, f"@{group.row.name}", facts, pictures=links, sign="@")


def teach(kind: GroupKind, *, is_searched: bool) -> None:
    """What such a name is for, by an example."""
    if is_searched:
        components.empty_state(_("Nothing matches"), _("No name fits these filters."), icon="filter_alt_off")
        return
    title, text, example = {
        GroupKind.CHARACTER: (
            _("No characters yet"),
            _("Give a face a name once, with two or three images of it. From then on a prompt says the name:"),
            _("@mira walks through the rain, smiling at the camera"),
        ),
        GroupKind.PRODUCT: (
            _("No products yet"),
            _("Give your product a name once, with images from several sides. From then on a prompt says the name:"),
            _("close-up of @red-shoe on wet asphalt"),
        ),
        GroupKind.STYLE: (
            _("No styles yet"),
            _("Give a look a name once, with images that have it. From then on a prompt says the name:"),
            _("a street at night, shot as @noir"),
        ),
    }[kind]
    components.empty_state(title, text, icon="alternate_email")
    with st.container(horizontal_alignment="center"):
        st.code(example, language=None, wrap_lines=True, width="content")
        said = _("The images go along, each model reads words that it understands, and the price counts them.")
        st.caption(said, width="content")


def files(kind: MediaKind, search: str, *, archived: bool) -> None:
    """Assets of a kind as cards, with a place to bring further ones."""
    if person.may(Action.ORDER) and not archived:
        asset_drop.show(person, key="assets_drop")  # which draws the page anew once something is in
    pages: list[str] = st.session_state.setdefault("assets_pages", [""])
    with db.read_session() as session:
        page = library.list_page(
            session,
            person,
            kind=kind,
            search=search,
            archived=archived,
            cursor=pages[-1] or None,
            limit=PAGE_SIZE,
        )
        counts = library.clip_counts(session, person, [row.storage_key for row in page.rows])
    if not page.rows:
        nothing(kind, is_searched=bool(search) or archived)
        return
    cards = [asset_cards.of_asset(row, facts=facts(row, counts.get(row.storage_key, 0))) for row in page.rows]
    if pressed := asset_cards.show(cards, label=KIND[kind.value], key="assets_files"):
        detail.open_it(pressed)
    components.pager(pages, page.next_cursor, key="assets")


def facts(asset: Upload, clips: int) -> str:
    """Its size, and in how many clips it is."""
    said = [f"{asset.width} × {asset.height}"] if asset.width else [wording.size(asset.size_bytes)]
    if clips:
        said.append(plural("in {number} clip", "in {number} clips", clips).format(number=detail.count(clips)))
    return " · ".join(said)


def nothing(kind: MediaKind, *, is_searched: bool) -> None:
    """Why there are none, and what could be here."""
    if is_searched:
        components.empty_state(_("Nothing matches"), _("No asset fits these filters."), icon="filter_alt_off")
        return
    title, text = {
        MediaKind.IMAGE: (
            _("No images yet"),
            _("Every image that starts or ends a clip, or that one refers to, is kept here, each once."),
        ),
        MediaKind.VIDEO: (
            _("No videos yet"),
            _("Short videos of 15 seconds at most, for models that follow a movement or a camera."),
        ),
        MediaKind.SOUND: (
            _("No sounds yet"),
            _("Voices and music of 15 seconds at most, for models that follow a sound."),
        ),
    }[kind]
    components.empty_state(title, text, icon={"image": "image", "video": "movie", "sound": "music_note"}[kind.value])


def main() -> None:
    """The page below the bar of the product."""
    shown, search, archived = choose()
    if shown in GROUP_KIND:
        named(GroupKind(shown), search, archived=archived)
    else:
        files(MediaKind(shown), search, archived=archived)
    detail.dialog_if_open()
    group_form.dialog_if_open()


with components.error_boundary():
    main()
