"""What the bar says on this page: where one is, where one can go, what one has, and what waits."""

from collections.abc import Mapping, Sequence

from core.billing.ledger import Balance
from core.notifications import inbox
from core.workspaces.access import Member
from pages.elements import bar
from pages.elements.bar import Chip, Inbox, Link
from pages.sections.bar import pages, streamlit_words
from pages.sections.bar.pages import Group
from pages.ui import avatar, current_member, look, wording
from pages.ui.language import _

_SEARCHED = "history"
"""The page that words are looked for on; it has a field of its own."""


def show(
    person: Member, *, current: str, balance: Balance, waiting: Mapping[str, int], unread: int, may_look_as: bool
) -> None:
    """Draw the bar. `current` is the path of this page, `waiting` how many things wait on which page.

    `unread` is how many notices this person has not read.
    """
    name = person.user.name or person.user.email
    bar.show(
        name=look.NAME,
        links=_links(person, current, waiting),
        balance=_balance(person, balance),
        under_way=Chip(
            _("{number} under way"), _("Clips that are being made"), current_member.page_address("generate", person)
        ),
        inbox=Inbox(
            unread=unread,
            most=inbox.MOST_COUNTED,
            named=_("Inbox"),
            named_unread=_("Inbox, {number} unread"),
            href=current_member.page_address("inbox", person),
            is_current=current == "inbox",
        ),
        search=current_member.page_address(_SEARCHED, person) if current != _SEARCHED else None,
        person=avatar.data(name, person.id),
        lists=[name for name, has in (("workspaces", len(person.roles) > 1), ("look-as", may_look_as)) if has],
        words={
            "pages": _("Pages"),
            "more": _("More"),
            "menu": _("Menu of {name}").format(name=name),
            "manage": _("Administration"),
            "search": _("Search clips"),
            "streamlit": streamlit_words.all_of_them(),
        },
    )


def _links(person: Member, current: str, waiting: Mapping[str, int]) -> Sequence[Link]:
    return [
        Link(
            title=_(place.title),
            href=current_member.page_address("" if place is pages.HOME else place.path, person),
            group=place.group.value,
            icon=place.icon,
            is_current=place.path == (current or pages.HOME.path),
            count=waiting.get(place.path, 0),
        )
        for place in pages.allowed(person)
        if place.group is not Group.LINKED
    ]


def _balance(person: Member, balance: Balance) -> Chip:
    text = wording.credits(balance.available_credits)
    if balance.held_credits:
        text = _("{available} · {held} reserved").format(available=text, held=wording.credits(balance.held_credits))
    explained = _("Available: {available}. Reserved for clips under way: {held}. 1 credit is {one}.").format(
        available=wording.worth(balance.available_credits),
        held=wording.worth(balance.held_credits),
        one=wording.worth(1),
    )
    return Chip(text, explained, current_member.page_address("credits", person))
