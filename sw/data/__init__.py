"""Speech corpora: audio, labels, loaders, splits, augmentation, a synthetic corpus, downloads."""
