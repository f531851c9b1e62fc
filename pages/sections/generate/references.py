"""Images that the order refers to, each with what it stands for: a place to bring them to, and those that are there."""

from core.workspaces.access import Member
from pages.elements.image_slots import Slot
from pages.sections.generate import form_state, source_images
from pages.sections.generate.offer import Offer
from pages.ui import wording
from pages.ui.language import _

KEY = form_state.name("reference_places")


def show(person: Member, offer: Offer) -> None:
    """Draw them, only where the model takes references; no more than its rules let."""
    model = offer.model
    if not model.reference_images:
        return
    most = offer.most("images")
    held = source_images.shown(form_state.references())
    if held or most:
        label = _("References, {most} at most").format(most=most) if most else _("References")
        roles = {role: wording.reference_role(role) for role in model.reference_roles}
        slot = Slot(source_images.REFERENCES, label, _("Reference"), held, most, roles)
        source_images.draw(person, [slot], key=KEY)
