"""The golden model over whole utterances, as the `Prediction` that a run of the RTL is held to."""

import numpy as np
import torch

from sw import golden
from sw.golden.prediction import Prediction


def predict(model, utterances, mode, progress=None):
    """`Prediction` of each utterance's frames in order, list of (T, F) int8 arrays; `progress` wraps the frame loop."""
    torch.set_num_threads(1)  # products of 128 x 128: more threads only wait for each other
    frames = [len(u) for u in utterances]
    x = torch.zeros(len(utterances), max(frames), model.config.features, dtype=torch.int32)
    for i, u in enumerate(utterances):
        x[i, :len(u)] = torch.as_tensor(np.asarray(u, np.int32))
    trace = golden.run(model, x, mode.time_steps, progress=progress)
    cost = golden.cycles(model.config, mode, x, trace)
    real = torch.arange(max(frames)) < torch.tensor(frames)[:, None]  # (B, T)

    def layers(values):
        return tuple(values[real][:, layer].numpy() for layer in range(2))  # (T, 2, K, N) -> 2 x (T, K, N)

    return Prediction(trace.logits[real].numpy(), layers(trace.spikes), layers(trace.potentials),
                      cost.phases[real].numpy(), cost.reads[real].numpy())
