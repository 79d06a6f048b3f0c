"""The folder of a synthesis, build/physical/CONFIG/LIBRARY/VARIANT: where it is, what it holds, what goes stale."""

import json
import shutil
from pathlib import Path

from hw import config as configs
from hw.flow.lib import library as libraries
from hw.flow.lib.errors import FlowError

# what other commands leave in a synthesis folder; a new netlist makes all of it stale. Layouts stay: each knows the
# digest of the module it was made of
FROM_NETLIST = ("sta-*.json", "activity.saif", "activity.json", "logits.npy", "power.json", "ablation.json",
                "gates", "ablation", "synthesised-*", "routed-*", "energy-*")


def folder_of(args, config, library):
    """Where the results of a configuration, library and variant live."""
    return args.out / config.name / library.name / args.variant


# where frames come from -> how many of them only fill the network's state
ACTIVITIES = {"speech": 1, "published": 2, "recording": 0}


def stimulus_of(args, config, activity="speech"):
    """Where the frames that a configuration's netlist runs are kept, for every library and variant of it."""
    return args.out / config.name / f"stimulus{'' if activity == 'speech' else '-' + activity}.bin"


def activity_of(folder, stage="synthesised", activity="speech", glitches=False):
    """The folder of a netlist's recorded activity, of a synthesis folder; of real speech before layout, itself."""
    if (stage, activity, glitches) == ("synthesised", "speech", False):
        return Path(folder)
    return Path(folder) / f"{stage}-{activity}{'-glitches' if glitches else ''}"


def synthesised(folder, args):
    """The synthesis report of a folder; raises `FlowError` naming the command that makes it."""
    path = Path(folder) / "synth.json"
    if not path.is_file():
        raise FlowError(f"{path} is missing: run `sottovoce synth --config {args.config} --lib {args.lib}`")
    return json.loads(path.read_text())


def forget(folder):
    """Remove what was made from an older netlist in a synthesis folder, its report first."""
    (Path(folder) / "synth.json").unlink(missing_ok=True)
    for pattern in FROM_NETLIST:
        for path in Path(folder).glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def opened(args):
    """What the options that all commands share name: (configuration, library, folder of the synthesis)."""
    config = configs.load(args.config)
    library = libraries.load(args.lib, args.pdk, args.corner)
    return config, library, folder_of(args, config, library)
