"""How the door says no: one line on stderr, and a status."""

import sys

CANNOT, MISUSED = 1, 2


def say(message):
    """One line on stderr, however many the message has; of an `OSError` the file and the reason."""
    if isinstance(message, OSError) and message.strerror:
        message = f"{message.filename}: {message.strerror}" if message.filename else message.strerror
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)


def refuse(message, status=MISUSED):
    """End the process with one line that says what is wrong."""
    say(message)
    sys.exit(status)
