"""Reading NIR graphs and mapping them to a chain of layers: what is mapped, and what is refused by name."""

import h5py
import nir
import nir_graphs
import numpy as np
import pytest
from nir_graphs import DT, chain_of, matrix, neurons, reread

from sw.networks import chain, graph, refusals
from sw.networks.graph import GraphError


def mapped(tmp_path, built):
    return chain.chain(reread(tmp_path, built))


def test_a_recurrent_layer_is_a_cycle_of_edges(tmp_path):
    found = mapped(tmp_path, nir_graphs.recurrent())
    layer, = found.layers
    assert (found.features, layer.name, layer.neurons, found.readout.kind) == (6, "n1", 12, "linear")
    assert layer.forward.source == "input" and layer.recurrent.source == "n1"
    assert layer.recurrent.weight.shape == (12, 12) and found.readout.way.weight.shape == (4, 12)


def test_layers_of_any_width_in_order_and_a_leaky_readout(tmp_path):
    found = mapped(tmp_path, nir_graphs.deep())
    assert [(layer.kind, layer.neurons, layer.recurrent is not None) for layer in found.layers] == [
        ("LIF", 12, True), ("IF", 20, False), ("LIF", 8, True)]
    assert found.readout.kind == "leaky"


def test_graphs_inside_graphs_are_laid_flat(tmp_path):
    inner = nir.NIRGraph({"input": nir.Input(np.array([8])), "lif": neurons(8), "w_rec": matrix(8, 8),
                          "output": nir.Output(np.array([8]))},
                         [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")], type_check=False)
    built = nir.NIRGraph({"input": nir.Input(np.array([6])), "fc": matrix(8, 6), "rnn": inner,
                          "output": nir.Output(np.array([8]))},
                         [("input", "fc"), ("fc", "rnn"), ("rnn", "output")], type_check=False)
    found = mapped(tmp_path, built)
    assert found.layers[0].name == "rnn.lif" and found.layers[0].recurrent is not None
    assert found.readout.kind == "spikes"


def test_stateless_nodes_on_a_way_are_one_matrix_and_one_bias(tmp_path):
    first, second = matrix(8, 6, 0), matrix(8, 8, 1)
    found = mapped(tmp_path, chain_of(first, nir.Scale(np.arange(1.0, 9.0)), second, neurons(8)))
    scale = np.arange(1.0, 9.0)
    assert np.allclose(found.layers[0].forward.weight, second.weight @ (scale[:, None] * first.weight))
    assert np.allclose(found.layers[0].bias, second.weight @ (scale * first.bias) + second.bias)


def test_a_bias_shared_by_two_ways_counts_once(tmp_path):
    shared = matrix(8, 8, 3)
    built = nir.NIRGraph({"input": nir.Input(np.array([8])), "both": shared, "lif": neurons(8),
                          "output": nir.Output(np.array([8]))},
                         [("input", "both"), ("lif", "both"), ("both", "lif"), ("lif", "output")], type_check=False)
    layer, = mapped(tmp_path, built).layers
    assert np.allclose(layer.bias, shared.bias)
    assert np.allclose(layer.forward.weight, shared.weight) and np.allclose(layer.recurrent.weight, shared.weight)


def test_delays_before_weights_are_a_number_a_neuron(tmp_path):
    built = chain_of(matrix(8, 6), neurons(8), nir.Delay(np.arange(8) * DT), matrix(5, 8), neurons(5))
    assert np.allclose(mapped(tmp_path, built).layers[1].forward.delay, np.arange(8) * DT)


def test_flatten_and_a_batch_axis_do_no_harm(tmp_path):
    built = chain_of(matrix(8, 6), neurons(8), nir.Flatten({"input": np.array([8])}, 0, -1), matrix(5, 8), neurons(5))
    built.nodes["input"] = nir.Input(np.array([1, 6]))
    assert mapped(tmp_path, built).features == 6


def replaced(name, node):
    built = nir_graphs.recurrent()
    built.nodes[name] = node
    return built


def edges(*more, without=()):
    built = nir_graphs.recurrent()
    built.edges = [e for e in built.edges if e not in without] + list(more)
    return built


def with_nan():
    built = nir_graphs.recurrent()
    built.nodes["n0"].weight[2, 3] = np.nan
    return built


def feedback():
    return chain_of(matrix(8, 6), neurons(8), matrix(8, 8), neurons(8), named=[("back", matrix(8, 8))],
                    extra=[("n3", "back"), ("back", "n1")])


def skipping():
    return chain_of(matrix(8, 6), neurons(8), matrix(8, 8), neurons(8), matrix(8, 8), neurons(8),
                    named=[("over", matrix(8, 8))], extra=[("n1", "over"), ("over", "n5")])


def stateless_cycle():
    return chain_of(matrix(8, 6), neurons(8), matrix(8, 8), named=[("a", matrix(8, 8)), ("b", matrix(8, 8))],
                    extra=[("a", "b"), ("b", "a"), ("b", "n1")])


def late_features():
    built = nir_graphs.recurrent()
    built.nodes["late"] = nir.Delay(np.full(6, DT))
    built.edges = [e for e in built.edges if e != ("input", "n0")] + [("input", "late"), ("late", "n0")]
    return built


def two_delays():
    return chain_of(matrix(8, 6), neurons(8), matrix(8, 8), neurons(8), named=[("d", nir.Delay(np.full(8, DT)))],
                    extra=[("n1", "d"), ("d", "n3")])


def uneven():
    built = nir_graphs.recurrent()
    built.nodes["n1"].tau = np.full(11, 8 * DT)
    return built


def leaky_between():
    built = chain_of(matrix(8, 6), neurons(8), matrix(8, 8), neurons(8))
    built.nodes["n2"] = nir.LI(np.full(8, 8 * DT), np.ones(8), np.zeros(8))
    return built


REFUSED = {
    "cycle without state": (stateless_cycle, r"'(a|b)': a cycle without state \((a -> b -> a|b -> a -> b)\): "
                                             "put a LIF or IF node into it"),
    "convolution": (lambda: replaced("n0", nir.Conv1d(6, np.ones((12, 1, 3)), 1, 0, 1, 1, np.zeros(12))),
                    r"'n0': a convolution .*: unroll it into a Linear node"),
    "pooling": (lambda: replaced("n0", nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))),
                r"'n0': pooling is not mapped"),
    "NaN": (with_nan, r"'n0': weight\[2, 3\] is nan; 1 of 72 values"),
    "shapes": (lambda: replaced("n2", matrix(4, 11)), r"'n2': takes 11 values, but 'n1' gives 12"),
    "parameters": (uneven, r"'n1': tau has 11 values and others have 12"),
    "too wide": (lambda: chain_of(matrix(10000, 4, bias=False), neurons(10000)),
                 r"'n1': 10000 neurons, but a layer holds 4 to 1024"),
    "too deep": (lambda: chain_of(*[n for i in range(9) for n in (matrix(4, 4, i), neurons(4))]),
                 r"9 spiking nodes, but the machine has 1 to 8"),
    "feedback": (feedback, r"'n1': fed by 'n3' too"),
    "skip": (skipping, r"'n(3|5)': fed by 'n1'"),
    "no neurons": (lambda: chain_of(matrix(8, 6)), "no spiking node"),
    "threshold below reset": (lambda: replaced("n1", neurons(12, threshold=-0.5)),
                              r"'n1': v_threshold -0.5 of neuron 0"),
    "leaky in the middle": (leaky_between, r"'n2': LI is mapped as the readout"),
    "not fed": (lambda: edges(without=[("n0", "n1")]), r"'n1': not fed by 'input'"),
    "delay after weights": (
        lambda: chain_of(matrix(8, 6), neurons(8), matrix(8, 8), nir.Delay(np.arange(8) * DT), neurons(8)),
        r"'n3': different delays after a matrix; .*: put the Delay before the Linear"),
    "two delays": (two_delays, r"'n3': two ways from 'n1' with different delays"),
    "late features": (late_features, "'n1': its features come through a Delay"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_mapped_is_refused_by_name_in_one_line(tmp_path, case):
    build, message = REFUSED[case]
    with pytest.raises(GraphError, match=message) as refused:
        mapped(tmp_path, build())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", refusals.GRAPHS)
def test_the_refusals_that_are_published(name):
    reason = refusals.reason(name)
    assert "\n" not in reason and reason.startswith("node '")


def test_an_unknown_node_is_named(tmp_path):
    path = nir_graphs.written(tmp_path, nir_graphs.recurrent())
    with h5py.File(path, "r+") as file:
        del file["node/nodes/n1/type"]
        file["node/nodes/n1/type"] = "Izhikevich"
    with pytest.raises(GraphError, match="node 'n1': type 'Izhikevich' is unknown; mapped: LIF, IF"):
        chain.chain(graph.read(path))


def damaged(path):
    path.write_bytes(path.read_bytes()[:900])


def bomb(path):
    with h5py.File(path, "r+") as file:  # a few kilobytes that unfold to 32 GB
        file["node/nodes/n0"].create_dataset("more", shape=(1 << 16, 1 << 16), chunks=(1 << 10, 1 << 10), dtype="f8",
                                             compression="gzip")


def linked(path):
    with h5py.File(path, "r+") as file:
        file["node/nodes/n0/away"] = h5py.ExternalLink("/etc/passwd", "/x")


def worded(path):
    with h5py.File(path, "r+") as file:
        del file["node/nodes/n1/tau"]
        file["node/nodes/n1/tau"] = np.zeros(3, np.dtype([("a", "f8")]))


def edged(path):
    with h5py.File(path, "r+") as file:
        del file["node/edges"]
        file["node"].create_dataset("edges", data=[("input", "nowhere")])


@pytest.mark.parametrize("damage, message", [
    (damaged, "not a readable NIR graph"), (bomb, "over 33554432 numbers"), (linked, "'away' is a link"),
    (worded, "node 'n1': tau holds"), (edged, "edge 'input' -> 'nowhere': there is no node 'nowhere'")])
def test_files_are_not_trusted(tmp_path, damage, message):
    path = nir_graphs.written(tmp_path, nir_graphs.recurrent())
    damage(path)
    with pytest.raises(GraphError, match=message) as refused:
        graph.read(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"not HDF5", b"\x89HDF\r\n\x1a\n" + bytes(600)])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "x.nir").write_bytes(content)
    with pytest.raises(GraphError, match="not a readable NIR graph"):
        graph.read(tmp_path / "x.nir")


def test_hdf5_that_is_no_graph(tmp_path):
    with h5py.File(tmp_path / "x.nir", "w") as file:
        file["something"] = 1
    with pytest.raises(GraphError, match="no 'node' in the file: it is HDF5, but not a NIR graph"):
        graph.read(tmp_path / "x.nir")
