"""Verilated models: tool chain, builds, the compiled harness, comparison with the golden model."""
