"""From Verilog to area, timing and power with open tools. Each command is `python -m hw.flow.NAME --help`."""
