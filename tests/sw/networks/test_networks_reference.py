"""The float reference follows NIR's equations node by node; values worked by hand and the libraries guard it."""

import nir
import nir_graphs
import numpy as np
import pytest
from nir_graphs import DT, chain_of, matrix, neurons, reread

from sw.networks import chain, dynamics, reference
from sw.networks.graph import GraphError


def spikes(tmp_path, built, x, name="n1", **options):
    return reference.run(reread(tmp_path, built), np.asarray(x, float), DT, **options)[name]


def one(weight=1.0, **fields):
    """Four neurons alike, each fed by one value."""
    return chain_of(nir.Linear(np.full((4, 1), weight)), neurons(4, **fields))


def steady(frames):
    return np.ones((1, frames, 1))


def test_a_leaky_neuron_by_hand(tmp_path):
    # v <- 0.5 v + 0.6: 0.6, 0.9, 1.05 fires, then anew
    fired = spikes(tmp_path, one(0.6, tau=2 * DT, gain=2.0), steady(6))
    assert fired[0, :, 0].tolist() == [False, False, True, False, False, True]


def test_at_the_threshold_nir_does_not_fire(tmp_path):
    fired = spikes(tmp_path, one(0.5, threshold=1.0, tau=1e9 * DT, gain=1e9), steady(3))
    assert fired[0, :, 0].tolist() == [False, False, True]


def test_a_reset_that_subtracts_keeps_the_rest(tmp_path):
    built = one(0.75, tau=1e9 * DT, gain=1e9)
    assert spikes(tmp_path, built, steady(8)).sum() == 4 * 4  # every other step
    assert spikes(tmp_path, built, steady(8), resets={"n1": "subtract"}).sum() == 4 * 5


def test_resistance_leak_and_reset_potentials(tmp_path):
    # v <- v + 1/4 (0.8 - v + 2 * 0.4), from 0: 0.4, 0.7, 0.925, then over 1 at 1.09; reset to 0.3
    built = one(0.4, tau=4 * DT, gain=2.0, v_leak=0.8, v_reset=0.3)
    held = {}
    fired = spikes(tmp_path, built, steady(6), potentials=held)
    assert fired[0, :, 0].tolist() == [False, False, False, True, False, False]
    assert np.allclose(held["n1"][0, :5, 0], [0.4, 0.7, 0.925, 1.09375, 0.3 + 0.25 * 1.3])


def test_recurrent_spikes_arrive_a_step_later_and_delays_add(tmp_path):
    own = nir.Linear(np.ones((4, 4)) * 0.3)
    for late in (0, 2):
        built = chain_of(nir.Linear(np.ones((4, 1))), neurons(4, threshold=0.9),
                         named=[("late", nir.Delay(np.full(4, late * DT))), ("own", own)],
                         extra=[("n1", "late"), ("late", "own"), ("own", "n1")])
        x = np.zeros((1, 8, 1))
        x[0, 1] = 1.0
        assert np.flatnonzero(spikes(tmp_path, built, x)[0, :, 0]).tolist() == [*range(1, 8)][::1 + late]


def test_synaptic_current_by_hand(tmp_path):
    node = nir.CubaLIF(tau_syn=np.full(4, 2 * DT), tau_mem=np.full(4, 4 * DT), r=np.full(4, 4.0), v_leak=np.zeros(4),
                       v_threshold=np.full(4, 100.0), w_in=np.full(4, 2.0))
    held, x = {}, np.zeros((1, 3, 1))
    x[0, 0] = 1.0
    spikes(tmp_path, chain_of(nir.Linear(np.ones((4, 1))), node), x, potentials=held)
    # c: 1, 0.5, 0.25; v <- 0.75 v + c
    assert np.allclose(held["n1"][0, :, 0], [1.0, 1.25, 1.1875])


def test_the_folded_equation_is_the_graph(tmp_path):
    found = reread(tmp_path, nir_graphs.deep())
    mapped = chain.chain(found)
    layers, head = dynamics.fold(mapped, DT, {layer.name: "zero" for layer in mapped.layers})
    x = np.random.default_rng(1).normal(0, 1.5, (3, 60, 6))
    wanted = reference.run(found, x, DT)
    before = x
    for layer in layers:
        v, s = np.zeros((3, layer.neurons)), np.zeros((3, layer.neurons))
        out = []
        for t in range(60):
            own = 0 if layer.recurrent is None else s @ layer.recurrent
            v = layer.beta * v + before[:, t] @ layer.forward + own + layer.constant
            s = (v > layer.threshold).astype(float)
            v = np.where(s > 0, 0, v)
            out.append(s)
        before = np.stack(out, 1)
        assert before.mean() > 0.02 and (before == wanted[layer.name]).all()
    y = np.zeros((3, len(head.constant)))
    for t in range(60):
        y = head.beta * y + before[:, t] @ head.weight + head.constant
        assert np.allclose(y, wanted["output"][:, t])


@pytest.mark.parametrize("change, message", [
    ({"tau": 0.5 * DT}, "'n1': tau 5e-05 s is shorter than dt 0.0001 s: give --dt"),
    ({"tau": -DT}, "'n1': tau -0.0001 s is not above 0"),
    ({"v_reset": 0.2, "reset": "subtract"}, "'n1': v_reset 0.2 with a reset that subtracts"),
])
def test_what_does_not_fold_is_refused(tmp_path, change, message):
    reset = change.pop("reset", "zero")
    mapped = chain.chain(reread(tmp_path, nir_graphs.recurrent(**change)))
    with pytest.raises(GraphError, match=message):
        dynamics.fold(mapped, DT, {"n1": reset})


@pytest.mark.parametrize("delay, message", [(16 * DT, "'n3': a delay of 16 frames: spikes are delayed by 0 to 15"),
                                            (1.5 * DT, "a delay of 0.00015 s is 1.5 time steps of 0.0001 s")])
def test_delays_that_are_not_built(tmp_path, delay, message):
    built = chain_of(matrix(8, 6), neurons(8), nir.Delay(np.full(8, delay)), matrix(8, 8), neurons(8))
    mapped = chain.chain(reread(tmp_path, built))
    with pytest.raises(GraphError, match=message.replace("'n3'", "'n4'")):
        dynamics.fold(mapped, DT, {"n1": "zero", "n4": "zero"})
