"""Many configurations of a network measured alike, and which of them nothing beats."""
