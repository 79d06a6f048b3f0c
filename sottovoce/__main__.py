"""`python -m sottovoce` is the command `sottovoce`."""

from sottovoce.cli import enter

if __name__ == "__main__":
    enter()
