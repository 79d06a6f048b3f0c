"""Knobs and the points that they span: every combination of their values, as configurations that can be built."""

import hashlib
import itertools
import json
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path

import yaml

from hw import config as configs
from hw import store
from hw.config import ConfigError, quoted
from hw.interface import ALL_MODES, modes_of

MOST = 4096  # points of a sweep: more is a slip of the keyboard


class KnobError(ValueError):
    """A knob that names nothing; the message quotes it and says what there is."""


def said(part):
    """The fields of a configuration, or of a layer, that are not as they are where nothing is said."""
    return {f.name: asdict(value) if is_dataclass(value) else value for f in fields(part)
            if (value := getattr(part, f.name)) != f.default and
            (f.default_factory is MISSING or value != f.default_factory())}


@dataclass(frozen=True)
class Point:
    """One machine, one network, one mode. `source`: what holds or trains the network; `knobs`: what was turned."""

    source: str
    config: configs.Config
    mode: str
    knobs: tuple  # (name, value) pairs
    macros: str = "area"  # choice of SRAM macros, `hw.flow.lib.memories.PREFERENCES`

    @property
    def machine(self):
        """Ten hex digits of network and configuration, whatever it is called and whatever fields come to be later."""
        values = {**said(self.config), "name": "", "layers": [said(layer) for layer in self.config.layers]}
        return hashlib.sha256(json.dumps([self.source, self.macros, values], sort_keys=True).encode()).hexdigest()[:10]

    @property
    def named(self):
        """The configuration under a name of its own, which folders and reports go by."""
        return replace(self.config, name=f"{self.config.name[:40]}-{self.machine}")


def parse(texts):
    """`KEY=VALUE,VALUE` -> {key: [values]}; values are YAML. Raises `KnobError`."""
    knobs = {}
    for text in texts:
        key, equals, values = text.partition("=")
        if not equals or not key or not values:
            raise KnobError(f"--knob {quoted(text)}: wanted FIELD=VALUE,VALUE, as in lanes=32,64,128")
        if key in knobs:
            raise KnobError(f"--knob {key}: given twice; list its values after one =")
        try:
            found = [yaml.safe_load(value) for value in values.split(",")]
        except yaml.YAMLError:
            raise KnobError(f"--knob {quoted(text)}: a value is not readable; wanted numbers, true, false or words") \
                from None
        if any(isinstance(value, dict | list) or value is None for value in found):
            raise KnobError(f"--knob {quoted(text)}: wanted plain values, as in lanes=32,64,128")
        knobs[key] = list(dict.fromkeys(found))
    return knobs


def turned(config, key, value):
    """A configuration's plain values with one changed; `layers.FIELD` turns it in every layer, `layers.0.FIELD` in one.

    What the configuration works out by itself (`accumulator_bits`, and `lif_lanes` when lanes change) is left to it
    unless a knob says otherwise. Raises `KnobError` for a field that there is not.
    """
    path = key.split(".")
    if path[0] == "layers" and len(path) > 1 and not path[1].isdecimal():
        for layer in range(len(config["layers"])):
            turned(config, ".".join(["layers", str(layer), *path[1:]]), value)
        return
    place = config
    for step in path[:-1]:
        place = place[int(step)] if isinstance(place, list) and step.isdecimal() and int(step) < len(place) else \
            place.get(step) if isinstance(place, dict) else None
        if place is None:
            raise KnobError(f"--knob {quoted(key)}: the configuration has no {quoted(step)}")
    if not isinstance(place, dict) or path[-1] not in place or path[-1] in ("name", "version", "layers"):
        known = ", ".join(k for k in place if k not in ("name", "version")) if isinstance(place, dict) else "none"
        raise KnobError(f"--knob {quoted(key)}: no such field to turn; there are {known}")
    place[path[-1]] = value


def plain(config):
    """Fresh plain values of a configuration, all that it works out itself left open."""
    values = json.loads(json.dumps(config.to_dict()))
    if config.accumulator_bits == config.accumulator_bits_needed:
        values["accumulator_bits"] = None
    if config.lif_lanes == config.lanes:
        values["lif_lanes"] = None
    return values


def span(bases, knobs, modes, trains=False, macros="area"):
    """(points, refusals): every combination of knobs on every base that can be built, and a line for each that cannot.

    `bases`: [(source, config, time steps or None)]; `modes`: names, or none for all that the network was trained for;
    `trains`: networks are trained for each configuration, so that its sizes may change; `macros`: of all points.
    """
    points, refused = {}, []
    count = len(bases) * len(modes or ALL_MODES)
    for values in knobs.values():
        count *= len(values)
    if count > MOST:
        raise KnobError(f"{count} points: at most {MOST} in one sweep; give fewer values or models")
    for source, base, steps in bases:
        for values in itertools.product(*knobs.values()):
            changed = plain(base)
            for key, value in zip(knobs, values, strict=True):
                turned(changed, key, value)
            chosen = tuple(zip(knobs, values, strict=True))
            said = " ".join(f"{k}={v}" for k, v in chosen)
            try:
                config = configs.from_dict(changed, said or base.name)
            except ConfigError as error:
                refused.append(str(error))
                continue
            if not trains and config.matrices() != base.matrices() or config.weight_bits != base.weight_bits:
                refused.append(f"{said}: {base.name}'s weights do not fit it; --train trains a network for each size")
                continue
            for mode in modes or modes_of(config):
                if steps and ALL_MODES[mode].time_steps != steps:
                    if modes:
                        refused.append(f"{said} {mode}: {source} was trained for {steps} time step(s)".strip())
                    continue
                if ALL_MODES[mode].built(config) != ALL_MODES[mode]:
                    refused.append(f"{said}: {mode} needs a mechanism that is not built")
                    continue
                point = Point(source, config, mode, chosen, macros)
                points.setdefault((point.machine, mode), point)
    return list(points.values()), list(dict.fromkeys(refused))


def write_config(config, path):
    """The configuration as a YAML file that every command takes."""
    store.write_atomically(Path(path), yaml.safe_dump(config.to_dict(), sort_keys=False).encode())
