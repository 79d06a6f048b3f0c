"""Verilated models: tool chain, the builder, the compiled harness, comparison with the golden model, and `Rtl`."""

from .rtl import Rtl

__all__ = ["Rtl"]
