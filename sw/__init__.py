"""Data, features, models, training and the golden model, in PyTorch. Never imports Amaranth.

    registry      every model by name: whose task it is, where its weights are
    data, features, models, training, integers, golden, networks      what the tasks share
    phones, keywords, lpa      the tasks: data, targets, recipe, evaluation, report
    options, pictures      what their commands share
"""
