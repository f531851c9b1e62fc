"""Content credentials of clips over REST."""

from typing import Annotated, Self

from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import refuses
from core.api.schemas import fields, responses
from core.files.credentials_report import Ingredient, Report, SaidAction, Validation
from core.generations import credentials
from core.generations.credentials import Credentials, State

router = routing.router("generations")


class ActionShape(responses.ApiModel):
    """One thing that was done to the file, by the signer's word; empty where nothing is said."""

    action: Annotated[str, Field(examples=["c2pa.created"])]
    when: Annotated[str, Field(examples=["2026-11-29T07:00:00Z"])]
    software: Annotated[str, Field(examples=["Google Veo 3 veo3"])]
    digital_source_type: Annotated[str, Field(examples=["trainedAlgorithmicMedia"])]
    description: str

    @classmethod
    def of(cls, said: SaidAction) -> Self:
        """The shape of an action."""
        return cls(
            action=said.action,
            when=said.when,
            software=said.software,
            digital_source_type=said.source_type,
            description=said.description,
        )


class IngredientShape(responses.ApiModel):
    """Credentials that the provider's file came with, kept inside; `problems` are codes of the C2PA specification."""

    title: str
    relationship: Annotated[str, Field(examples=["parentOf"])]
    signer: str
    claim_generator: str
    validation: Validation | None
    problems: list[str]

    @classmethod
    def of(cls, found: Ingredient) -> Self:
        """The shape of an ingredient."""
        return cls(
            title=found.title,
            relationship=found.relationship,
            signer=found.signer,
            claim_generator=found.claim_generator,
            validation=found.validation,
            problems=list(found.problems),
        )


class ManifestShape(responses.ApiModel):
    """What the credentials in the file say, as they were read back from it when it was signed."""

    validation: Validation
    signer: Annotated[str, Field(examples=["Installation 0198c5f0-3c1e-7a52-9d0e-2f6d1c7b8a90"])]
    issuer: Annotated[str, Field(examples=["AI Video Generator"])]
    signed_by_this_installation: bool
    claim_generator: Annotated[str, Field(examples=["AI Video Generator"])]
    made_by_ai: bool
    model_id: Annotated[str, Field(examples=["veo3"])]
    model_name: Annotated[str, Field(examples=["Google Veo 3"])]
    provider: Annotated[str, Field(examples=["ModelsLab"])]
    made_at: Annotated[str, Field(examples=["2026-11-29T07:00:00Z"])]
    installation_id: str
    actions: list[ActionShape]
    ingredients: list[IngredientShape]

    @classmethod
    def of(cls, report: Report) -> Self:
        """The shape of a report."""
        return cls(
            validation=report.validation,
            signer=report.signer,
            issuer=report.issuer,
            signed_by_this_installation=report.is_own,
            claim_generator=report.claim_generator,
            made_by_ai=report.is_ai,
            model_id=report.model_id,
            model_name=report.model,
            provider=report.provider,
            made_at=report.made_at,
            installation_id=report.installation,
            actions=[ActionShape.of(each) for each in report.actions],
            ingredients=[IngredientShape.of(each) for each in report.ingredients],
        )


class CredentialsShape(responses.ApiModel):
    """Whether a clip carries content credentials; `reason` says why one that should have some was delivered without."""

    state: State
    reason: fields.TextOrNull
    manifest: ManifestShape | None

    @classmethod
    def of(cls, found: Credentials) -> Self:
        """The shape of a clip's credentials."""
        return cls(
            state=found.state,
            reason=None if found.reason is None else str(found.reason),
            manifest=None if found.report is None else ManifestShape.of(found.report),
        )


class CredentialsAnswer(responses.Response):
    """The content credentials of a clip."""

    credentials: CredentialsShape


@router.get("/generations/{id}/credentials", responses=refuses(404))
def get_credentials(member: CurrentMember, generation_id: PathId) -> CredentialsAnswer:
    """Get the content credentials (C2PA) of a clip: what they say, who signed them, and what they were made from.

    They are told as they were read back from the file when it was signed. Any C2PA reader finds the same in the file
    itself, and sees whether it was changed since.
    """
    with db.read_session() as session:
        return CredentialsAnswer(credentials=CredentialsShape.of(credentials.of(session, member, generation_id)))
