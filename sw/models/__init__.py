"""Networks: recurrent spiking, gated, SparkNet, DS-CNN, BC-ResNet, pulse accumulation; and pruning."""
