"""The accelerator in Amaranth HDL. Never imports torch; `hw.config` imports neither torch nor Amaranth."""
