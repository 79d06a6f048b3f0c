"""Phone recognition: data, targets, recipe, decoding, evaluation, report."""
