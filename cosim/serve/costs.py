"""What frames took, added up: cycles by phase, row reads, spikes, microwatts, and the time of this computer."""

import numpy as np

from sw import golden


class Costs:
    """`add` runs, then `message` tells of all of them since the last `restart`."""

    def __init__(self, model, phases, energy, frames_a_second):
        self._model, self._energy, self._frames_a_second = model, energy, frames_a_second
        self._names, self._ends = phases, golden.ends(model.config)
        self.restart()

    def restart(self):
        self.frames = self._most = self._reads = 0
        self._phases = np.zeros(len(self._names), np.int64)
        self._fired, self._could = np.zeros((2, len(self._model.config.layers)), np.int64)
        self.sound_s = self.busy_s = 0.0

    def add(self, answer, sound_s, busy_s):
        """An `Answer`, the seconds of sound it is about, and the seconds that it took to compute."""
        self.sound_s, self.busy_s = self.sound_s + sound_s, self.busy_s + busy_s
        for piece in answer.pieces:
            p = piece.prediction
            self.frames += len(p.logits)
            self._phases += p.phases.sum(0)
            self._most = max(self._most, int(p.phases.sum(1).max()))
            self._reads += int(p.reads.sum())
            self._fired += [int(s.sum()) for s in p.spikes]
            self._could += [s.size for s in p.spikes]

    def message(self):
        """JSON values: means a frame."""
        frames = max(1, self.frames)
        cycles, reads = float(self._phases.sum()) / frames, self._reads / frames
        power = self._energy and self._energy.microwatts(cycles, reads, self._frames_a_second)
        return {"type": "cost", "frames": self.frames, "cycles": round(cycles, 1), "most": self._most,
                "phases": [round(float(c) / frames, 2) for c in self._phases], "reads": round(reads, 1),
                "clock_khz": round((cycles + self._ends) * self._frames_a_second / 1000, 1),
                "microwatts": power and round(power, 1), "sound_s": round(self.sound_s, 3),
                "busy_s": round(self.busy_s, 3),
                "silent": [round(100 * (1 - f / max(1, c)), 1) for f, c in zip(self._fired, self._could, strict=True)]}
