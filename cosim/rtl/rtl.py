"""The Verilated accelerator as an object: weights in, predictions out, the same type as the golden model's.

    rtl = Rtl(model)                                     compiles once, a minute for `paper`
    rtl.predict(x) == model.predict(x)                   every spike, potential, logit, cycle and row read
"""

from cosim import models
from cosim.errors import HarnessError
from cosim.rtl import harness
from hw import config as configs
from hw.interface import MODES
from sw.integers.integer_model import IntegerModel


class Rtl:
    """One configuration on Verilator. `what`: an `IntegerModel`, or its name or folder; or a `Config`, whose weights
    `load` brings.

    Raises `cosim.errors.CosimError` where a tool is missing or the model does not compile.
    """

    def __init__(self, what):
        if isinstance(what, configs.Config):
            self.config, self.model = what, None
        else:
            self.model = what if isinstance(what, IntegerModel) else models.load(what)
            self.config = self.model.config
        self._folder = harness.build(self.config)

    def load(self, model):
        """Weights of an `IntegerModel` of the same configuration, for the predictions that follow; returns itself."""
        if model.config != self.config:
            raise HarnessError(f"the model is for {model.config.name!r}, the machine {self.config.name!r}: they must "
                               "be of one configuration")
        self.model = model
        return self

    def predict(self, x, mode=None):
        """Frames x (T, F) of int8 values, from cleared state -> `Prediction`; `mode` is a name of `MODES`.

        By default the mode is the fastest of the model's time steps: t2_union, or t1.
        """
        if self.model is None:
            raise HarnessError(f"{self.config.name}: no weights: call load(model) first")
        mode = mode or ("t2_union" if self.model.time_steps == 2 else "t1")
        if mode not in MODES:
            raise HarnessError(f"mode {mode!r}: wanted one of {', '.join(MODES)}")
        return harness.run(self.model, MODES[mode], [x], folder=self._folder).prediction
