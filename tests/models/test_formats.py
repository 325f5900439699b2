"""Every format is a module with the two functions of the contract, and its name is in the tuple."""

from importlib import import_module
from pkgutil import iter_modules

import llmtop.probes.models as package


def test_every_module_with_both_functions_is_asked() -> None:
    names = [module.name for module in iter_modules(package.__path__)]
    modules = {name: import_module(f"llmtop.probes.models.{name}") for name in names}
    formats = {name for name, module in modules.items() if hasattr(module, "parts") and hasattr(module, "read")}
    assert formats == set(package.FORMATS)


def test_no_path_is_no_model() -> None:
    assert package.facts("") is None
