"""The golden model: what every bit of the accelerator must be. Integer PyTorch, one pure function for each block.

    trace = run(model, x, MODES["t2_union"])       spikes, potentials, currents, logits of whole utterances
    cost = cycles(model.config, mode, x, trace)    cycles by phase and row reads by buffer, for each frame
    predict(model, x)                              all of it for int8 features, in the form that the RTL answers in
    LiveGolden(model).push(x)                      the same in pieces, state kept from one to the next

The functions have the names of the blocks in `hw`, and share no code with them.
"""

from .blocks import combine, delayed, digits, fc_layer, input_layer, lif, pe_array, recurrent_layer, synapse
from .cycles import Cost, cycles, ends, fan_out
from .live import LiveGolden
from .network import State, Trace, run
from .prediction import Prediction, PredictionError, predict
from .readout import readout
from .scans import changes, differences, input_scan, zero_skip

__all__ = ["Cost", "LiveGolden", "Prediction", "PredictionError", "State", "Trace", "changes", "combine", "cycles",
           "delayed", "differences", "digits", "ends", "fan_out", "fc_layer", "input_layer", "input_scan", "lif",
           "pe_array", "predict", "readout", "recurrent_layer", "run", "synapse", "zero_skip"]
