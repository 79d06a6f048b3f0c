"""Sottovoce: speech recognition in an undertone, from PyTorch to gates, bit for bit."""

__version__ = "0.2.0"
