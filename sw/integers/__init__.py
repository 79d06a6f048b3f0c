"""The trained network as integers: quantisation, the model folder, export, memory images."""
