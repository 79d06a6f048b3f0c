"""Front-ends: what a network hears of a recording."""
