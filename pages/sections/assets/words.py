"""The words for kinds of assets and of named groups."""

from core.db.enums import GroupKind
from core.providers.contract import MediaKind
from pages.ui.language import N_
from pages.ui.wording import TranslatedLabels

KIND = TranslatedLabels(
    {
        MediaKind.IMAGE.value: N_("Images"),
        MediaKind.VIDEO.value: N_("Videos"),
        MediaKind.SOUND.value: N_("Sounds"),
    }
)
GROUP_KIND = TranslatedLabels(
    {
        GroupKind.CHARACTER.value: N_("Characters"),
        GroupKind.PRODUCT.value: N_("Products"),
        GroupKind.STYLE.value: N_("Styles"),
    }
)
ONE_OF = TranslatedLabels(
    {
        GroupKind.CHARACTER.value: N_("Character"),
        GroupKind.PRODUCT.value: N_("Product"),
        GroupKind.STYLE.value: N_("Style"),
    }
)
