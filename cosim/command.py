"""What the commands of this room share when called as `python -m cosim.NAME`: one parser, errors in one line, Ctrl-C.

A command module has a docstring whose first line is its help, `add_arguments(parser)` and `run(args) -> exit status`.
"""

import argparse
import sys

from cosim.errors import CosimError
from hw.config import ConfigError
from hw.emit import EmitError
from hw.flow.lib.errors import FlowError

REFUSALS = (CosimError, FlowError, EmitError, ConfigError, ValueError, OSError)


def main(module, argv=None):
    """Run a command module; returns its exit status: 1 with one line on stderr for what is refused, 130 for Ctrl-C."""
    spec = module.__spec__.name if module.__spec__ else module.__name__
    parser = argparse.ArgumentParser(prog=f"python -m {spec}", description=module.__doc__.splitlines()[0])
    module.add_arguments(parser)
    args = parser.parse_args(argv)
    try:
        return module.run(args)
    except REFUSALS as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; nothing half-written is left", file=sys.stderr)
        return 130
