"""Learnable Pulse Accumulation in a real encoder: training the encoder, the sweep, the replacement, the figures.

    python -m sw.lpa.pretrain      a small Wav2Vec2 with CTC over phones, on the open data
    python -m sw.lpa.sweep         MSE of every layer's attention as an accumulator learns it; the order, easiest first
    python -m sw.lpa.replace       k layers replaced in that order, annealed, distilled from the original
    python -m sw.lpa.scaling       latency and memory over length, beside torch's attention
"""
