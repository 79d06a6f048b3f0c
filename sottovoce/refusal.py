"""How the door says no: one line on stderr, and a status."""

import sys

CANNOT, MISUSED = 1, 2


def refuse(message, status=CANNOT):
    """End the process with one line that says what is wrong."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
    sys.exit(status)
