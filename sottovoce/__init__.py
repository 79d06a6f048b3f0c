"""Sottovoce: speech recognition in an undertone, from PyTorch to gates, bit for bit.

    model = sottovoce.load("rsnn-paper-t2")                        a committed network by name, or a folder
    x = sottovoce.features(model, sottovoce.CLIP)                  int8 (frames, 40) of a recording
    sottovoce.Rtl(model).predict(x) == model.predict(x)            RTL and integer model: `Prediction`s, equal
    sottovoce.phones(model, model.predict(x))                      [(phone, start, end), …], in frames of 10 ms

Names are found when they are first used: `import sottovoce` alone loads neither torch nor Amaranth.
"""

import importlib

__version__ = "0.2.0"

# name -> module that defines it
NAMES = {"load": "cosim.models", "CLIP": "cosim.models", "Rtl": "cosim.rtl", "Prediction": "sw.golden",
         "MODES": "hw.interface", "features": "sottovoce.speech", "phones": "sottovoce.speech"}
__all__ = [*NAMES]


def __getattr__(name):
    if name not in NAMES:
        raise AttributeError(f"module 'sottovoce' has no attribute {name!r}; it has {', '.join(NAMES)}")
    return getattr(importlib.import_module(NAMES[name]), name)


def __dir__():
    return sorted({*globals(), *NAMES})
