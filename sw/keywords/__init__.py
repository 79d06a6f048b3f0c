"""Keyword spotting: clips of one second, four families of models, their recipes, evaluation, studies, detector."""
