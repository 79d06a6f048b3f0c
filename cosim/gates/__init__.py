"""Mapped netlists beside the RTL, and the hardware of each mechanism."""
