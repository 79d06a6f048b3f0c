"""The rows of the energy table: which machine, mapped how, runs which network in which mode."""

import dataclasses
from typing import NamedTuple

from hw import config as configs


class Way(NamedTuple):
    """Fields of the configuration and of all its layers that are changed, choice of macros (`memories.PREFERENCES`),
    mode, and options of `hw.flow.synth.synthesise`."""

    fields: dict
    of_layers: dict
    macros: str
    mode: str
    flow: dict = {}


SERIAL = {"lif_lanes": 16, "serial_combine": True}
DIRECT = SERIAL | {"drain": "direct", "logits_per_beat": 64}
CHANGE = DIRECT | {"readout_on_change": True}
KEPT = {"on_change": True}
FLOW = {"nested": True, "weak": True}
ROWS = {
    "paper": {
        "published": Way({}, {}, "area", "t2_merged"),
        "union": Way({}, {}, "area", "t2_union"),
        "serial LIF": Way({"lif_lanes": 16}, {}, "area", "t2_union"),
        "served serially": Way(SERIAL, {}, "area", "t2_union"),
        "direct drain alone": Way({"drain": "direct", "logits_per_beat": 64}, {}, "area", "t2_union"),
        "direct drain": Way(DIRECT, {}, "area", "t2_union"),
        "on change": Way(CHANGE, KEPT, "area", "t2_change"),
        "on change, smaller macros": Way(CHANGE, KEPT, "leakage", "t2_change"),
        "on change, two of four": Way(CHANGE | {"fc_two_of_four": True}, KEPT, "leakage", "t2_change"),
    },
}
for _network, _change in (("phone", True), ("keywords", False)):
    _lean = {"lanes": 32, "lif_lanes": 8, "serial_combine": True, "drain": "direct"}
    ROWS[_network] = {
        "published": Way({}, {}, "area", "t2_merged"),
        "union": Way({}, {}, "area", "t2_union"),
        **{f"{lanes} lanes": Way(_lean | {"lanes": lanes}, {}, "balanced", "t2_union") for lanes in (128, 64, 32)},
        **({"32 lanes, on change": Way(_lean, KEPT, "balanced", "t2_change")} if _change else {}),
    }
_spotter = _lean | {"lif_lanes": 4, "logits_per_beat": 4, "step_difference": True}
ROWS["phone"]["32 lanes, lean"] = Way(_lean | {"logits_per_beat": 8, "counters": False}, KEPT, "energy", "t2_change",
                                      FLOW)
ROWS["keywords"] |= {
    "32 lanes, by difference": Way(_lean | {"step_difference": True}, {}, "balanced", "t2_union"),
    "32 lanes, lean": Way(_spotter | {"counters": False}, {}, "energy", "t2_union", FLOW),
    **{f"32 lanes, lean, {what}": Way(_spotter | {"counters": False, "readout": what, "readout_outputs": 12}, {},
                                      "energy", "t2_union", FLOW) for what in ("argmax", "sum")},
}


GUARDS = ("watchdog", "parity")  # priced by `sottovoce guard-price`
ROWS["keywords"] |= {f"32 lanes, {option}": Way(_lean | {option: True}, {}, "balanced", "t2_union")
                     for option in GUARDS}


def machine(network, row):
    """(configuration, its `Way`) of a row."""
    way = ROWS[network][row]
    config = configs.load(network)
    name = f"{network}-{row.replace(',', '').replace(' ', '-').lower()}"
    layers = tuple(dataclasses.replace(layer, **way.of_layers) for layer in config.layers)
    fields = {"lif_lanes": None, **way.fields} if "lanes" in way.fields else way.fields
    changed = dataclasses.replace(config, **fields, layers=layers)
    return dataclasses.replace(changed, name=name) if fields else changed, way


def knobs(network, row):
    """What differs from the network's own configuration and from the usual mapping, as plain values."""
    config, way = machine(network, row)
    plain, changed = (c.to_dict() for c in (configs.load(network), config))
    found = {k: v for k, v in changed.items() if v != plain[k] and k not in ("name", "layers")}
    kept = [k for k, layer in enumerate(config.layers) if layer.on_change]
    return found | ({"layers_on_change": kept} if kept else {}) | (
        {} if way.macros == "area" else {"macros": way.macros}) | ({"mapping": way.flow} if way.flow else {})
