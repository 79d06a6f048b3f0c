"""cocotb benches, one a mechanism. `cosim/catalog.py` says which top level each runs on."""
