"""What trains every network: the loop and its optimisers."""
