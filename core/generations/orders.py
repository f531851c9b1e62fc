"""What a person asks for: one clip, and in which project; the same for form, API and retry."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.db.tables import Generation
from core.spec import GenerationSpec


@dataclass(frozen=True, slots=True)
class Order:
    """A clip to be made. Once the names in its prompt are resolved, `written` is as its person wrote it.

    `names` are keys of files that came by a name -> that name. `final_of_id` is the caller's own clip whose final it
    is: the same idea from another model or in another quality.
    """

    project_id: str
    spec: GenerationSpec
    final_of_id: str | None = None
    written: GenerationSpec | None = None
    names: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, row: Generation) -> "Order":
        """The order that a generation was made from, whose names were resolved then and stay so."""
        return cls(row.project_id, row.spec, written=row.spec)

    def trimmed(self) -> "Order":
        """The same without white space around the texts."""
        written = self.written and self.written.trimmed()
        return replace(self, spec=self.spec.trimmed(), written=written)

    def digest(self) -> str:
        """The same for the same request, whoever sends it, and whatever its names stand for by now."""
        return (self.written or self.spec).digest(project_id=self.project_id)

    def recipe(self) -> str:
        """The same for the same clip, whatever project it is for."""
        return self.spec.digest()
