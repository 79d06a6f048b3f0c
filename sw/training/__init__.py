"""What trains every network: the loop, optimisers, pruning."""
