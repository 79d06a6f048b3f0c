"""Drivers of the accelerator on a bus: `sottovoce.c` for bare metal, `driver.Driver` with the same calls in Python."""
