"""The accelerator on a bus: one register map, AXI4-Lite with AXI4-Stream, and Wishbone."""
