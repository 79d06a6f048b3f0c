"""The API reference: which modules it shows. Their docstrings are the text."""

import importlib
import pkgutil

import hw

FACE = ("cosim.models", "cosim.rtl.rtl", "sw.golden.prediction", "sottovoce.speech", "hw.config", "hw.interface")
SOFTWARE = ("sw.golden.blocks", "sw.golden.network", "sw.golden.cycles", "sw.golden.scans", "sw.integers.integer_model",
            "sw.integers.images", "sw.integers.quantize", "sw.features.causal", "sw.phones.decode", "sw.phones.live")
SYSTEM = ("hw.driver.driver", "hw.bus.register_map", "hw.bus.export")


def blocks():
    """Modules of `hw` that hold hardware: those with a `Component`, in the order of their names."""
    from amaranth.lib import wiring

    found = []
    for module in pkgutil.iter_modules(hw.__path__, "hw."):
        if not module.ispkg:
            members = vars(importlib.import_module(module.name)).values()
            if any(isinstance(m, type) and issubclass(m, wiring.Component) and m.__module__ == module.name
                   for m in members):
                found.append(module.name)
    return found


def text():
    """The whole page, as mkdocstrings' directives."""
    out = ["# API reference", "", "What `import sottovoce` offers, the golden model, the hardware blocks with their "
           "ports, and the driver, from their docstrings. [The library](library.md) has it in use.", "",
           "## The library's face", "", "::: sottovoce", "    options:", "      members: false", ""]
    for title, modules in (("", FACE), ("Hardware blocks", blocks()), ("Golden model, integers, recognition", SOFTWARE),
                           ("In a system", SYSTEM)):
        out += [f"## {title}", ""] if title else []
        for name in modules:
            out += [f"::: {name}", "    options:", "      heading_level: 3", ""]
    return "\n".join(out) + "\n"
