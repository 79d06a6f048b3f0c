"""A local page that listens: sound in, features, spikes and phones or words out, as they happen."""
