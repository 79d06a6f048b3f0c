"""Sottovoce: speech recognition in an undertone, from PyTorch to gates, bit for bit."""

from importlib import metadata

try:
    __version__ = metadata.version("sottovoce")
except metadata.PackageNotFoundError:  # run from a checkout that nobody installed
    __version__ = "0+checkout"
