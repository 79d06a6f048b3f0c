"""The Verilated accelerator as an object: weights in, predictions out, the same type as the golden model's.

    rtl = Rtl(model)                                     compiles once, a minute for `paper`
    rtl.predict(x) == model.predict(x)                   every spike, potential, logit, cycle and row read
"""

from cosim import models
from cosim.errors import HarnessError
from cosim.rtl import harness
from hw import config as configs
from sw.golden.prediction import mode_of, utterances_of
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
        """Int8 features (T, F), or a list of such utterances, each from cleared state -> `Prediction` of all frames.

        `mode` as in `sw.golden.predict`. Raises `PredictionError` for other features or modes.
        """
        if self.model is None:
            raise HarnessError(f"{self.config.name}: no weights: call load(model) first")
        utterances = utterances_of(x, self.config.features)
        return harness.run(self.model, mode_of(self.model, mode), utterances, folder=self._folder).prediction
