"""Data, features, models, training and the golden model, in PyTorch. Never imports Amaranth."""
