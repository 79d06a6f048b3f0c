"""Benches on the emitted Verilog: cocotb for blocks and protocol, a compiled harness for whole corpora."""
