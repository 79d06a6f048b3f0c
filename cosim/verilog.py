"""Verilog, C header and JSON of a configuration; of a trained network the memory images too.

    sottovoce verilog --config tiny              build/verilog/tiny: accelerator.v, accelerator.h, config.json
    sottovoce verilog --model rsnn-phone-t2      build/verilog/phone, and images/*.hex of the network
    sottovoce verilog --config tiny --sleep      supply cut between frames: accelerator_sleep.v, accelerator_sleep.upf
    sottovoce verilog --config tiny --bus axi    on a bus, with its register map in C, JSON, XML and HTML
"""

import dataclasses
from pathlib import Path

from cosim import models
from cosim.errors import CosimError
from hw import config as configs
from hw import emit, store
from hw.bus import export
from hw.flow import power_intent
from hw.header import header
from sw.integers import images

DEFAULT = "paper"


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--config", help="configuration by name, or a YAML file (default: the network's, or "
                        f"{DEFAULT} without one)")
    parser.add_argument("--model", help=f"trained network: {', '.join(models.names())}, or a folder (default: none, "
                        f"no memory images; for {DEFAULT} the committed one)")
    parser.add_argument("--block", default="accelerator", choices=[*emit.BLOCKS, "weight_buffer"],
                        help="top or one block alone")
    parser.add_argument("--bus", choices=[name.removeprefix("accelerator_") for name in emit.BUSES],
                        help="the accelerator on this bus, in place of --block")
    parser.add_argument("--sleep", action="store_true", help="the accelerator whose supply is cut between frames, and "
                        "its power intent (UPF), in place of --block")
    parser.add_argument("--out", type=Path, default=Path("build/verilog"), help="folder")


def chosen(args):
    """(configuration, model or None) of the options; raises `CosimError` where they do not belong together."""
    model = models.load(args.model) if args.model else None
    if model is None and args.config in (None, DEFAULT):
        model = models.load(models.PAIR)
    if args.config is None:
        return model.config, model
    config = configs.load(args.config)
    if model is not None and model.config != config:
        theirs, ours = model.config.to_dict(), config.to_dict()
        fields = ", ".join(key for key in ours if ours[key] != theirs.get(key))
        raise CosimError(f"--model {args.model}: its weights are for {model.config.name!r}, which differs from "
                         f"{args.config!r} in {fields}: leave --config out, or name a model of that configuration")
    return config, model


def run(args):
    """Write everything below OUT/CONFIG, each file whole."""
    config, model = chosen(args)
    folder = args.out / config.name
    top = f"accelerator_{args.bus}" if args.bus else emit.SLEEP if args.sleep else args.block
    if args.bus and args.sleep:
        raise CosimError(f"--bus {args.bus} --sleep: a bus is always on: put the accelerator that sleeps behind one of "
                         "yours, or leave one out")
    if args.sleep:
        config = dataclasses.replace(config, sleep=True)
    target = emit.emit(top, config, folder / f"{top}.v")
    if args.sleep:
        text = target.read_text()
        store.write_atomically(folder / f"{top}.upf", power_intent.upf(config, power_intent.instances(text)).encode())
    if args.bus:
        export.write(config, args.bus == "axi", folder)
    store.write_json(folder / "config.json", config.to_dict())
    store.write_atomically(folder / "accelerator.h", header(config).encode())
    print(f"{target}: {len(target.read_text().splitlines())} lines")
    if model:
        paths = images.write_hex(model, folder / "images")
        print(f"{folder / 'images'}: {', '.join(path.name for path in paths)} of model {model.sha256[:12]}")
