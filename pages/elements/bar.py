"""The bar above every page and its foot on a phone: who this is, where one can go, what one has, what moves and waits.

One element for all of it, because each further one costs every run of every page; texts only, links are addresses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pages.ui.custom_element import custom_element


@dataclass(frozen=True, slots=True)
class Link:
    """A page that the bar leads to; `group` is one of `main`, `more`, `manage`, `count` what waits there."""

    title: str
    href: str
    group: str
    icon: str
    is_current: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True)
class Chip:
    """A figure in the bar: what is seen, what is said of it when asked, and the page with more."""

    text: str
    explained: str
    href: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """The bell: how many notices are unread as of now, which the page keeps up to date, and where they are.

    `named` is what it is called, `named_unread` the same with the place `{number}`; with `most` the count is `most - 1`
    and a plus.
    """

    unread: int
    most: int
    named: str
    named_unread: str
    href: str
    is_current: bool


_element = custom_element(__file__, "bar", html='<div class="bar"></div>')


def show(
    *,
    name: str,
    links: Sequence[Link],
    balance: Chip,
    under_way: Chip,
    inbox: Inbox,
    search: str | None,
    person: dict[str, str],
    lists: Sequence[str],
    words: dict[str, Any],
) -> None:
    """Draw it. `balance` and `under_way` are chips, the second with `{number}` in it, which the page keeps up to date.

    `search` is the address that words are looked for at, None to offer none; `person` is what `avatar.data` gives;
    `lists` keeps room for those of `workspaces` and `look-as`; `words` are the labels `bar.js` names.
    """
    data: dict[str, Any] = {
        "name": name,
        "links": [
            {
                "title": link.title,
                "href": link.href,
                "group": link.group,
                "icon": link.icon,
                "current": link.is_current,
                "count": link.count,
            }
            for link in links
        ],
        "balance": {"text": balance.text, "explained": balance.explained, "href": balance.href},
        "underWay": {"text": under_way.text, "explained": under_way.explained, "href": under_way.href},
        "inbox": {
            "unread": inbox.unread,
            "most": inbox.most,
            "named": inbox.named,
            "namedUnread": inbox.named_unread,
            "href": inbox.href,
            "current": inbox.is_current,
        },
        "search": search,
        "person": person,
        "lists": list(lists),
        "words": words,
    }
    _element(key="bar_element", data=data, width="stretch", height=56)
