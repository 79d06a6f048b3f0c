"""Weights of a neuron as small integers times one step of its own: the step and the roundings that disturb it least.

A neuron's current is the sum of its active weights. With `second` (P, P), the mean of a a^T over calibration frames,
the mean squared error of a neuron's current is d^T second d for a weight error d: correlated inputs count together,
silent ones not at all. Roundings are improved one weight at a time against that measure (coordinate descent).
"""

import numpy as np

STEPS, SWEEPS = 36, 3
RIDGE = 1e-3  # of the mean of the diagonal: weights of inputs that calibration never saw keep near their values


def exact_steps(weights, bits):
    """Step (N,) under which every weight (P, N) is an integer of `bits` bits, 0 where there is none.

    Whole numbers that fit keep a step of 1; others take the largest power of two that divides them all.
    """
    limit = 2 ** (bits - 1)
    out = np.zeros(weights.shape[1])
    for column, values in enumerate(weights.T):
        steps = [1.0, *(2.0 ** np.arange(8, -25, -1))]
        for step in steps:
            scaled = values / step
            if (np.abs(scaled - np.round(scaled)) < 1e-4).all() and np.round(scaled).min(initial=0) >= -limit \
                    and np.round(scaled).max(initial=0) < limit:
                out[column] = step
                break
    return out


def moments(activity):
    """Second moments of activity (frames, P), with the ridge: (P, P)."""
    activity = activity.reshape(-1, activity.shape[-1])
    second = activity.T @ activity / len(activity)
    floor = RIDGE * max(np.trace(second) / len(second), 1e-12)
    return second + floor * np.eye(len(second))


def cost(error, second):
    """Mean squared error of each neuron's current: error (P, N) -> (N,)."""
    return (error * (second @ error)).sum(0)


def rounded(weights, second, bits, least_step):
    """Integers (P, N) and steps (N,) for float weights (P, N). `least_step` (N,): finer ones are not built."""
    limit = 2 ** (bits - 1)
    top = np.maximum(np.abs(weights).max(0) / (limit - 0.5), 1e-30)  # (N,)
    best, steps = np.full(weights.shape[1], np.inf), np.maximum(top, least_step)
    for share in np.linspace(0.2, 1.1, STEPS):
        step = np.maximum(top * share, least_step)
        integers = np.clip(np.round(weights / step), -limit, limit - 1)
        found = cost(integers * step - weights, second)
        steps, best = np.where(found < best, step, steps), np.minimum(found, best)
    return descend(weights, second, steps, limit), steps


def descend(weights, second, steps, limit):
    """Coordinate descent over the roundings: each weight in turn goes to the integer that serves its neuron best."""
    integers = np.clip(np.round(weights / steps), -limit, limit - 1)
    slope = second @ (integers * steps - weights)  # (P, N)
    for _ in range(SWEEPS):
        for row in range(len(weights)):
            wish = integers[row] - slope[row] / (second[row, row] * steps)
            better = np.clip(np.round(wish), -limit, limit - 1)
            change = (better - integers[row]) * steps
            if change.any():
                slope += second[:, row, None] * change
                integers[row] = better
    return integers
