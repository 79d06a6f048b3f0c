"""The golden model that goes on: frames in pieces of any length, state kept from one to the next."""

import torch

from .cycles import cycles
from .network import run
from .prediction import mode_of, shown, utterances_of


class LiveGolden:
    """`push` takes frames, `clear` begins an utterance; the same calls as the RTL's `cosim.rtl.live.LiveRtl`.

    The predictions of the pieces are those of the whole, `predict(model, x, mode)`, cut where the pieces were.
    """

    def __init__(self, model, mode=None):
        self.model, self.mode, self._state = model, mode_of(model, mode), None

    def clear(self):
        """The next frame begins an utterance."""
        self._state = None

    def push(self, x):
        """Int8 (T, F), at least a frame -> `Prediction` of these frames. Raises `PredictionError`."""
        x, = utterances_of(x, self.model.config.features)
        batch = torch.from_numpy(x)[None]  # (1, T, F)
        trace = run(self.model, batch, self.mode.time_steps, state=self._state)
        self._state = trace.state
        cost = cycles(self.model.config, self.mode, batch, trace)
        return shown(self.model.config, trace, cost, torch.ones(batch.shape[:2], dtype=torch.bool))

    def close(self):
        """Nothing is held open."""
