"""The settings of this process, and the providers that they let it have; where a process begins."""

import logging
from pathlib import Path

from core import config, setting_values, vendors_file
from core.config import BadSetting, Settings
from core.providers import registry
from core.providers.registry import Registry

log = logging.getLogger(__name__)


def log_format() -> str:
    """How this process writes its log; what is not known counts as not set until `read` refuses it. BadSetting."""
    given = setting_values.cut(config.given_variables().get("LOG_FORMAT", ""))
    return given if given in setting_values.LOG_FORMATS else setting_values.LOG_FORMATS[0]


def read() -> Settings:
    """The settings of this process, whose registry then has what VENDORS_FILE names. Raises BadSetting.

    Only variables of registered providers are looked at. Keys that cannot be sent and models that no provider has are
    warned about.
    """
    given = config.given_variables()
    registry.use(_with_vendors(given.get("VENDORS_FILE", "")))
    settings = config.read(frozenset(provider.name for provider in registry.providers()), given=given)
    for name, key in settings.provider_keys.items():
        if place := next((at for at, letter in enumerate(key, start=1) if not "!" <= letter <= "~"), None):
            log.warning("%s_API_KEY: its character %d is one that no request can carry.", name.upper(), place)
    for provider in registry.providers():
        renamed = settings.provider_model_ids.get(provider.name, {})
        if unknown := sorted(set(renamed) - {model.id for model in provider.models}):
            known = ", ".join(model.id for model in provider.models)
            log.warning(
                "%s_MODEL_IDS: there is no model %s. There are: %s.", provider.name.upper(), ", ".join(unknown), known
            )
    return settings


def _with_vendors(file: str) -> Registry | None:
    """A registry with what a file of vendors says; None without one. Raises BadSetting."""
    if not file:
        return None
    known = registry.make()
    try:
        vendors_file.add(known, setting_values.readable_file(Path(setting_values.cut(file))))
    except ValueError as wrong:
        raise BadSetting(f"VENDORS_FILE: {wrong}") from None
    return known
