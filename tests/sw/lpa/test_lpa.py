"""Pulse accumulation: by hand, against its n x n definition, causal, padded, and where attention was."""

import pytest
import torch
from torch.nn import TransformerEncoder, TransformerEncoderLayer

from sw.models import lpa_reference as reference
from sw.models.lpa import COLDEST, PULSES, PulseAccumulator, PulseError, pulse
from sw.models.lpa_attention import PulseAttention, PulseSelfAttention, in_place_of, lengths_of
from sw.models.lpa_slots import Slots
from sw.models.lpa_sums import BLOCK, Sums, edge, reach, running_sums


def column(values):
    """Values of one recording, one pulse, one channel: (1, T, 1, 1)."""
    return torch.tensor(values).view(1, -1, 1, 1)


def window(values, temperature, low, high, limit):
    """The sum of one window over `values`, every key 1; its count is the same sum over ones."""
    ones = torch.ones(1, len(values), 1)
    sides = [torch.full((1, 1, 1, 1), side) for side in (low, high)]
    limit = torch.full((1, 1, 1, 1), limit)
    sums, flat = (Sums(v, ones, temperature) for v in (column(values), column([1.0] * len(values))))
    terms = sums.terms(*sides, limit)
    assert sums.counted(*terms).item() == pytest.approx(flat.added(*terms).item(), abs=1e-6)
    return sums.added(*terms).item()


@pytest.mark.parametrize("frames", [1, BLOCK - 1, BLOCK, 3 * BLOCK + 5])
def test_running_sums(frames):
    values = torch.arange(2.0 * frames * 3).view(2, frames, 3) % 7
    sums = running_sums(values)
    assert torch.equal(sums[:, 0], torch.zeros(2, 3))
    assert torch.equal(sums[:, 1:], values.cumsum(1))


@pytest.mark.parametrize(("low", "high", "limit", "expected"), [
    (0.5, 2.5, 5, 2.0 + 4.0),          # frames 1 and 2
    (1.0, 2.0, 5, 4.0),                # an edge on a frame: the upper one takes it, the lower leaves it
    (-9.0, 99.0, 5, 31.0),             # wider than the recording
    (-9.0, -2.0, 5, 0.0),              # before it
    (5.0, 9.0, 5, 0.0),                # after it
    (0.5, 9.0, 3, 2.0 + 4.0),          # frames from 3 on are padding, or the future
    (2.2, 2.9, 5, 0.0),                # between two frames
])
def test_hard_windows_by_hand(low, high, limit, expected):
    assert window([1.0, 2.0, 4.0, 8.0, 16.0], 0.0, low, high, limit) == expected


def test_soft_edges_by_hand():
    assert edge(torch.tensor([-3.0, 0.0, 3.0]), 1.0).tolist() == [0.0, 0.5, 1.0]
    assert edge(torch.tensor(1.0), 1.0).item() == pytest.approx((0.731059 - 0.047426) / (1 - 2 * 0.047426), abs=1e-5)
    assert [reach(t) for t in (1.0, 0.3, 0.2, 0.01)] == [3, 3, 2, 1]
    # one frame worth 1, half a frame inside a window that is long on its other side: 1/(1 + e^-1) at temperature 0.5
    assert window([0.0] * 5 + [1.0], 0.5, -20.0, 5.5, 6) == pytest.approx(0.731059, abs=2e-3)
    assert window([0.0] * 5 + [1.0], 0.01, -20.0, 5.5, 6) == pytest.approx(1.0, abs=1e-6)


def test_means_by_hand():
    """A content pulse one frame wide on each side, projections identity: running means of three, fewer at the ends."""
    module = PulseAccumulator(1, {"content": 1}, kernel=1).eval()
    with torch.no_grad():
        for linear in (module.v_proj, module.out_proj):
            linear.weight.fill_(1.0), linear.bias.zero_()
        module.shape.weight.zero_()
        module.offset.zero_()
        module.half_width.fill_(torch.tensor(1.1 - 0.5).log())
    x = torch.tensor([[3.0, 6.0, 0.0, 12.0]]).unsqueeze(-1)
    assert module(x)[0, :, 0].tolist() == pytest.approx([4.5, 3.0, 6.0, 6.0])
    assert module(x, torch.tensor([3]))[0, :3, 0].tolist() == pytest.approx([4.5, 3.0, 3.0])
    module.shape.bias.data[2] = -1.0  # salience below 0: nothing counts, and nothing is divided by nothing
    assert module(x).abs().max() == 0


def build(seed, **options):
    """An accumulator whose every parameter is random, some windows wide, some narrow, some outside."""
    torch.manual_seed(seed)
    module = PulseAccumulator(24, **options)
    with torch.no_grad():
        module.shape.weight.normal_(0, 0.6)
        module.offset.normal_(0, 6)
        module.half_width.normal_(0.5, 1.2)
        for name in ("period", "phase", "duty", "share"):
            getattr(module, name).add_(torch.randn_like(getattr(module, name)) * 0.7)
        module.middle.add_(torch.randn_like(module.middle) * 0.3)
    return module


KINDS = [{"content": 3}, {"periodic": 3}, {"position": 3}, {"content": 4, "periodic": 2, "position": 2}]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("pulses", KINDS, ids=lambda p: "+".join(p))
@pytest.mark.parametrize("temperature", [0.0, 0.1, 1.0, 3.0])
def test_sums_are_the_definition(pulses, causal, temperature):
    module = build(1, pulses=pulses, causal=causal, span=20)
    module.temperature, module.hard = temperature or 1.0, not temperature
    lengths = torch.tensor([33, 20, 1])
    x = torch.randn(3, 33, 24)
    with torch.no_grad():
        torch.testing.assert_close(module(x, lengths), reference.forward(module, x, lengths), rtol=1e-4, atol=2e-5)
        torch.testing.assert_close(module(x), reference.forward(module, x), rtol=1e-4, atol=2e-5)


RICH = [{"pulses": {"content": 4}, "windows": 3}, {"keys": "weighted"},
        {"pulses": {"content": 4, "periodic": 2, "position": 2}, "windows": 2, "keys": "weighted", "slots": 3},
        {"slots": 2}]


@pytest.mark.parametrize("options", RICH, ids=("windows", "weighted", "all", "slots"))
@pytest.mark.parametrize("temperature", [0.0, 0.3])
def test_more_windows_keys_and_slots_are_the_definition(options, temperature):
    module = build(8, **options)
    module.temperature, module.hard = temperature or 1.0, not temperature
    if module.mix is not None:
        module.mix.weight.data.normal_(0, 0.5)
    x, lengths = torch.randn(3, 33, 24), torch.tensor([33, 20, 1])
    with torch.no_grad():
        torch.testing.assert_close(module(x, lengths), reference.forward(module, x, lengths), rtol=1e-3, atol=5e-5)
        torch.testing.assert_close(module(x), reference.forward(module, x), rtol=1e-3, atol=5e-5)
        other = x.clone()
        other[1, 20:] = 50.0
        torch.testing.assert_close(module(other, lengths)[1, :20], module(x[1:2, :20])[0], rtol=1e-3, atol=5e-5)


def test_slots_by_hand():
    """Two slots hear the first and the last frame; a frame reads the one or the other; the last takes half."""
    slots = Slots(1, 1, 1, 2)
    with torch.no_grad():
        slots.keys.weight.copy_(torch.tensor([[-40.0], [40.0]])), slots.keys.bias.zero_()
        slots.reads.weight.copy_(torch.tensor([[40.0], [-40.0]])), slots.reads.bias.zero_()
        x, values = torch.tensor([[[-2.0], [1.0], [2.0]]]), torch.tensor([[[[5.0]], [[6.0]], [[7.0]]]])
        share = torch.tensor([[[1.0], [1.0], [0.5]]])
        assert slots(x, values, share).flatten().tolist() == pytest.approx([7.0, 5.0, 2.5])
        short = slots(x, values, share, torch.tensor([[[True], [True], [False]]]))
        assert short.flatten().tolist()[:2] == pytest.approx([6.0, 5.0])


def test_gradients_are_the_definitions():
    module = build(2).train()
    x = torch.randn(2, 19, 24)
    found = []
    for form in (module, lambda *a: reference.forward(module, *a)):
        module.zero_grad()
        form(x, torch.tensor([19, 11])).square().mean().backward()
        found.append({name: p.grad.clone() for name, p in module.named_parameters()})
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], rtol=1e-3, atol=1e-6, msg=name)
        assert gradient.abs().max() > 0, name


@pytest.mark.parametrize("hard", [False, True])
def test_padding_is_never_heard(hard):
    module = build(3)
    module.hard = hard
    x, lengths = torch.randn(1, 30, 24), torch.tensor([18])
    other = x.clone()
    other[:, 18:] = 100.0
    with torch.no_grad():
        alone, padded = module(x[:, :18]), module(other, lengths)[:, :18]
    torch.testing.assert_close(alone, padded, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("hard", [False, True])
def test_causal_never_hears_the_future(hard):
    module = build(4, causal=True, span=25)
    module.hard = hard
    x = torch.randn(1, 30, 24)
    other = x.clone()
    other[:, 20:] += 5.0
    with torch.no_grad():
        one, two = module(x), module(other)
    assert torch.equal(one[:, :20], two[:, :20]) and not torch.allclose(one[:, 20:], two[:, 20:])
    both = build(4)
    both.hard = hard
    with torch.no_grad():
        assert not torch.allclose(both(x)[:, :20], both(other)[:, :20])


def test_annealing_makes_gates_binary_and_hard():
    module, x, lengths = build(5), torch.randn(2, 40, 24), torch.tensor([40, 31])
    module.shape.weight.data.mul_(3)
    with torch.no_grad():
        module.hard = True
        wanted = module(x, lengths)
        module.hard, distances, shares = False, [], []
        for temperature in (1.0, 0.2, COLDEST, 1e-4):
            module.temperature = temperature
            distances.append((module(x, lengths) - wanted).abs().mean().item())
            counts = reference.near_binary(reference.gates_of(module, x, lengths), lengths)
            shares.append([near / whole for near, whole in counts.values()])
    assert distances == sorted(distances, reverse=True) and distances[-1] < 0.01 * distances[0]
    assert min(shares[-1]) > 0.99 and max(shares[0][1:]) < 0.9


def test_share_of_binary_gates_by_hand():
    gates = reference.Gates(torch.tensor([[[[1.0, 0.995], [0.5, 0.0]]]]),
                            torch.tensor([[[[False, True], [True, False]]]]), torch.tensor([0]),
                            torch.tensor([[[0.3, 1.0]]]))
    assert reference.near_binary(gates, torch.tensor([2])) == {"windows": (2, 3), "edges": (1, 2), "keys": (1, 2)}


def test_evaluation_is_hard_and_training_soft():
    module = build(6)
    assert module.train().gates() == 1.0 and module.eval().gates() == 0.0
    module.hard = False
    assert module.gates() == 1.0


def test_pulse_is_a_window():
    s = torch.arange(6)
    assert pulse(s, torch.tensor(0.5), torch.tensor(3.0), 0.0).tolist() == [0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(("width", "options", "message"), [
    (25, {}, "width=25: wanted a multiple of the 12 pulses"),
    (24, {"pulses": {"kontent": 2}}, "kontent"),
    (24, {"pulses": {"content": 0}}, "wanted a multiple of the 0 pulses"),
    (24, {"kernel": 4}, "kernel=4: wanted an odd number"),
    (24, {"keys": "maybe"}, "keys='maybe': wanted one of binary, weighted"),
    (24, {"slots": 2, "causal": True}, "slots=2: wanted content pulses, and none causal"),
    (24, {"pulses": {"position": 2}, "windows": 2}, "windows=2"),
])
def test_sizes_that_do_not_fit_are_refused(width, options, message):
    with pytest.raises(PulseError, match=message):
        PulseAccumulator(width, **options)
    with pytest.raises(PulseError, match="wanted 24 channels"):
        PulseAccumulator(24)(torch.zeros(1, 3, 25))


@pytest.mark.parametrize("batch_first", [True, False])
def test_in_torchs_own_encoder_layer(batch_first):
    """Dropped into TransformerEncoderLayer: trains, takes padding masks, answers as the accumulator by itself."""
    torch.manual_seed(7)
    layer = TransformerEncoderLayer(24, 4, 48, dropout=0.0, batch_first=batch_first, norm_first=True)
    layer.self_attn = PulseSelfAttention(PulseAccumulator(24), batch_first)
    stack = TransformerEncoder(layer, 2, enable_nested_tensor=False)
    x, padded = torch.randn(2, 15, 24), torch.arange(15) >= torch.tensor([[15], [9]])
    given = x if batch_first else x.transpose(0, 1)
    stack.train()(given, src_key_padding_mask=padded).square().mean().backward()
    assert all(p.grad is not None for p in stack.parameters())
    layer.eval()
    with torch.no_grad():
        y = layer(given, src_key_padding_mask=padded)
        y = y if batch_first else y.transpose(0, 1)
        mixed = x + layer.self_attn.accumulator(layer.norm1(x), torch.tensor([15, 9]))
        expected = mixed + layer._ff_block(layer.norm2(mixed))
    torch.testing.assert_close(y[0], expected[0])
    torch.testing.assert_close(y[1, :9], expected[1, :9])
    with pytest.raises(PulseError, match="attn_mask given, but the accumulator is bidirectional"):
        layer(given, src_mask=torch.zeros(15, 15))
    with pytest.raises(PulseError, match="query, key and value differ"):
        layer.self_attn(x, x.clone(), x)


def test_masks_of_transformers_give_lengths():
    keep = torch.tensor([[True, True, False], [True, True, True]])
    mask = keep[:, None, None, :].expand(-1, 1, 3, -1)
    assert lengths_of(mask, 3).tolist() == [2, 3]
    assert lengths_of(torch.where(mask, 0.0, float("-inf")), 3).tolist() == [2, 3]
    with pytest.raises(PulseError, match="wanted"):
        lengths_of(keep, 3)


def test_in_transformers_wav2vec2():
    """Every layer of an untrained Wav2Vec2 replaced: padded and alone give the same, projections are kept."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed: the lpa extra brings it")
    from sw.lpa import encoder
    transformers.logging.set_verbosity_error()
    model = encoder.small(hidden=24, layers=2, heads=2, feed_forward=48).eval()
    for layer in encoder.layers_of(model):
        before = layer.attention
        layer.attention = in_place_of(before, PULSES)
        assert isinstance(layer.attention, PulseAttention)
        assert torch.equal(layer.attention.accumulator.v_proj.weight, before.v_proj.weight)
    model.eval()
    x = torch.randn(2, 40, 40) * 32
    with torch.no_grad():
        values, mask = encoder.stream(x, torch.tensor([40, 26]))
        both = model(values, attention_mask=mask).logits
        values, mask = encoder.stream(x[1:, :26], torch.tensor([26]))
        alone = model(values, attention_mask=mask).logits
    assert both.shape == (2, encoder.answers(40), encoder.CLASSES)
    torch.testing.assert_close(both[1:, :alone.shape[1]], alone, rtol=1e-4, atol=1e-4)
