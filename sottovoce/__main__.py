"""`python -m sottovoce` is the command `sottovoce`."""

import sys

from sottovoce.cli import main

if __name__ == "__main__":
    sys.exit(main())
