"""The trained network as integers: quantisation, the one export, the model folder, memory images."""
