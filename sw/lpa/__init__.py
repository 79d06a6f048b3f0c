"""Learnable Pulse Accumulation in a real encoder: training the encoder, the sweep, the replacement, the figures.

    sottovoce lpa-encoder     a small Wav2Vec2 with CTC over phones, on the open data
    sottovoce lpa-sweep       MSE of every layer's attention as an accumulator learns it; the order, easiest first
    sottovoce lpa-train       k layers replaced in that order, annealed, distilled from the original
    sottovoce lpa-scaling     latency and memory over length, beside torch's attention
    sottovoce lpa-report      the figures and plots of docs/lpa.md
"""
