"""The suite itself: all rules, tried one by one by pytest or together without it."""

import inspect
from collections.abc import Callable, Collection
from types import ModuleType
from typing import ClassVar

import pytest

from core.providers.contract import Provider
from core.providers.testing.rules import declaration, keeping, looks, orders, others
from core.providers.testing.script import VendorScript
from core.providers.testing.stage import Stage

Rule = Callable[[Stage], None]


def _rules(module: ModuleType) -> list[Rule]:
    found = [each for name, each in vars(module).items() if inspect.isfunction(each) and not name.startswith("_")]
    return [each for each in found if each.__module__ == module.__name__]


RULES: tuple[Rule, ...] = tuple(
    rule for module in (declaration, orders, looks, others, keeping) for rule in _rules(module)
)


class ProviderContract:
    """Subclass it as `class TestAcme(ProviderContract)` and set the first two attributes.

    `prices` are the ids of models that have a price elsewhere than in the provider's own `catalogue`.
    """

    provider: ClassVar[type[Provider]]
    script: ClassVar[VendorScript]
    prices: ClassVar[Collection[str]] = ()

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
    def test_contract(self, rule: Rule) -> None:
        """One rule of the contract; its docstring says what must be true."""
        rule(Stage(self.provider, self.script, self.prices))


def broken_rules(
    provider: type[Provider], script: VendorScript, prices: Collection[str] = (), *, only: Collection[str] = ()
) -> dict[str, str]:
    """Name of each rule that does not hold -> how it failed; empty for a provider that keeps the contract.

    `only` names the rules to try; empty means all of them.
    """
    broken: dict[str, str] = {}
    for rule in (rule for rule in RULES if not only or rule.__name__ in only):
        try:
            rule(Stage(provider, script, prices))
        except Exception as failure:  # whatever a broken provider breaks with
            broken[rule.__name__] = f"{type(failure).__name__}: {failure}"
    return broken
