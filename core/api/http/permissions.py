"""Which routes there are and what a caller needs for each; a route that nobody decided about needs a token."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.types import Scope as Connection

from core.db.enums import Scope


class Audience(StrEnum):
    """Who a router is meant for."""

    PUBLIC = "everybody"
    VISITORS = "visitors"
    """Everybody where nobody signs in, else whoever is signed in; no token is needed to look."""
    ANY_TOKEN = "people"  # noqa: S105 -- who may call, no secret
    ADMIN_TOKEN = "managers"  # noqa: S105 -- same


@dataclass(frozen=True, slots=True)
class RoutePermission:
    """One method at one address; `need` is the scope a token must have, None where none is asked for."""

    method: str
    path: str
    pattern: re.Pattern[str]
    need: Scope | None
    is_for_visitors: bool = False


class RouteTable:
    """What each route of the API asks for."""

    def __init__(self, routers: Iterable[tuple[Audience, APIRouter]]) -> None:
        self.permissions: Sequence[RoutePermission] = [
            RoutePermission(
                method,
                route.path,
                route.path_regex,
                required_scope(method, audience),
                is_for_visitors=audience is Audience.VISITORS,
            )
            for audience, router in routers
            for route in router.routes
            if isinstance(route, APIRoute)
            for method in sorted(route.methods or ())
        ]
        self._of_method = {
            method: [permission for permission in self.permissions if permission.method == method]
            for method in {permission.method for permission in self.permissions}
        }

    def required_scope(self, method: str, path: str) -> Scope | None:
        """What a request needs; the most, where several routes fit, and a token at least where none does."""
        scopes = [permission.need for permission in self._of_method.get(method, ()) if permission.pattern.match(path)]
        return max(scopes, key=_ORDER.index) if scopes else Scope.READ

    def is_for_visitors(self, method: str, path: str) -> bool:
        """Whether a request that needs no token is for who is signed in, where people do so."""
        of_method = self._of_method.get(method, ())
        return any(permission.is_for_visitors and permission.pattern.match(path) for permission in of_method)

    def has(self, method: str, path: str) -> bool:
        """Whether there is a route of just this method."""
        return any(permission.pattern.match(path) for permission in self._of_method.get(method, ()))

    def methods(self, path: str) -> list[str]:
        """The methods that an address answers to, HEAD wherever GET is.

        Where a route of this very address stands beside one that takes any id in its place, only the former counts.
        """
        fitting = [permission for permission in self.permissions if permission.pattern.match(path)]
        fewest = min((permission.path.count("{") for permission in fitting), default=0)
        methods = {permission.method for permission in fitting if permission.path.count("{") == fewest}
        return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def route_path(connection: Connection) -> str:
    """The address of a request, seen from where the API is mounted."""
    path: str = connection["path"]
    return path.removeprefix(connection.get("root_path", ""))


def required_scope(method: str, audience: Audience) -> Scope | None:
    """Looking needs less than changing, and managing the most."""
    match audience:
        case Audience.PUBLIC | Audience.VISITORS:
            return None
        case Audience.ADMIN_TOKEN:
            return Scope.ADMIN
        case Audience.ANY_TOKEN:
            return Scope.READ if method in ("GET", "HEAD") else Scope.GENERATE


_ORDER: Sequence[Scope | None] = (None, *Scope)
