"""From Verilog to area, timing and power with open tools. Commands here, what they share in `lib`."""
