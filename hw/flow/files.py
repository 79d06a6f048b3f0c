"""Report files of the flow: written whole or not at all, each with the command that makes it."""

import shlex
import shutil
from pathlib import Path

# what other commands leave in a synthesis folder; a new netlist makes all of it stale
FROM_NETLIST = ("sta-*.json", "activity.saif", "activity.json", "logits.npy", "power.json", "ablation.json",
                "gates", "openroad", "ablation")


def recipe(target, parser, args):
    """The `make` command of a run: CONFIG, LIB, and as ARGS every option that is not at its default."""
    out = [f"make {target} CONFIG={args.config}"] + ([f"LIB={args.lib}"] if hasattr(args, "lib") else [])
    given = []
    for action in parser._actions:
        name = action.dest
        if name in ("help", "config", "lib", "pdk", "out") or getattr(args, name) == action.default:
            continue
        value = getattr(args, name)
        if value is True:
            given.append(action.option_strings[0])
        else:
            values = value if isinstance(value, list) else [value]
            given.append(" ".join([action.option_strings[0], *(shlex.quote(str(v)) for v in values)]))
    return " ".join(out + ([f'ARGS="{" ".join(given)}"'] if given else []))


def forget(folder):
    """Remove what was made from an older netlist in a synthesis folder."""
    for pattern in FROM_NETLIST:
        for path in Path(folder).glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
