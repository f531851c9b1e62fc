"""Who works in the sample company: invented people and their teams; data, and pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.db.enums import Role, WorkspaceRole

DOMAIN = "sample.example"
"""No mail goes there: the top level `example` is kept for this (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the company; `teams` are those they are in, by name."""

    name: str
    role: Role = Role.USER
    teams: Mapping[str, WorkspaceRole] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """Their address, which is theirs alone."""
        return f"{self.name.split()[0].lower()}@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Team:
    """A workspace; `models` say how often each model of the catalogue is chosen there, against each other."""

    name: str
    monthly_budget_credits: int | None
    models: Mapping[str, int]


BRAND, SOCIAL, PLACES = "Brand films", "Social", "Places"

TEAMS = (
    Team(
        BRAND,
        120_000,
        {"veo3": 26, "kling-2.5": 24, "runway-gen3": 16, "veo2": 8, "fal-veo-3.1-fast": 14, "nova-reel": 12},
    ),
    Team(
        SOCIAL,
        45_000,
        {"kling-2.5": 26, "seedance-t2v": 24, "fal-kling-2.5-turbo": 20, "replicate-seedance-1-pro": 20, "veo3": 4},
    ),
    Team(
        PLACES,
        None,
        {"veo3": 14, "wan-2.2-t2v": 18, "nova-reel": 20, "seedance-t2v": 18, "kling-2.5": 18, "fal-hailuo-2.3": 12},
    ),
)

PEOPLE = (
    Person("Ratna Kusuma", teams={BRAND: WorkspaceRole.MANAGER}),
    Person("Dimas Prasetyo", teams={BRAND: WorkspaceRole.MAKER, PLACES: WorkspaceRole.MAKER}),
    Person("Lukas Brandt", teams={BRAND: WorkspaceRole.MAKER}),
    Person("Aiko Tanabe", teams={BRAND: WorkspaceRole.VIEWER, SOCIAL: WorkspaceRole.VIEWER}),
    Person("Maya Lestari", teams={SOCIAL: WorkspaceRole.MANAGER}),
    Person("Bima Saputra", teams={SOCIAL: WorkspaceRole.MAKER}),
    Person("Chiara Conti", teams={SOCIAL: WorkspaceRole.MAKER, BRAND: WorkspaceRole.MAKER}),
    Person("Wayan Sudarma", teams={PLACES: WorkspaceRole.MANAGER}),
    Person("Sofia Lindqvist", teams={PLACES: WorkspaceRole.MAKER}),
    Person("Yusuf Halim", teams={PLACES: WorkspaceRole.MAKER}),
    Person("Tessa Okoye", role=Role.ANALYST),
    Person("Arief Nugroho", role=Role.ADMIN),
)

REMARKS = (
    "This is the one for the client.",
    "The light is right, the move is a little fast.",
    "Yang ini lebih tenang, saya suka.",
    "Could we have the same with more sky for the title?",
    "Too close to what we had last week.",
    "Approved by the client, please keep.",
    "Kabutnya pas sekali.",
    "The horizon tilts towards the end.",
)
"""What people say about clips."""
