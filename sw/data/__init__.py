"""Speech corpora: audio, phone labels, loaders, splits, augmentation and the feature cache."""
