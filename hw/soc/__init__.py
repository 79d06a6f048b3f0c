"""A small system around the accelerator: a RISC-V core, memory, a serial port and a clock counter, on Wishbone."""
