"""Readers and tools of the flow: Liberty, LEF, netlists, SRAM views; Yosys and OpenSTA as processes."""
