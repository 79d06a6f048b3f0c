"""The Verilated accelerator that goes on: frames in pieces of any length, state kept from one to the next.

    with LiveRtl(model) as machine:
        machine.push(x[:7]), machine.push(x[7:])        together `model.predict(x)`, every value of it
"""

import subprocess
import tempfile

import numpy as np

from cosim.errors import HarnessError
from cosim.rtl import harness, stimulus
from sw.golden.prediction import mode_of, utterances_of

PATIENCE_S = 2  # for the simulator to end by itself once nothing more comes


class LiveRtl:
    """A simulator process with `model`'s weights in it. `folder` has another build of the harness.

    Starts from cleared state. Raises `cosim.errors.CosimError` where the design cannot be built, or once the process
    has died. Not for two threads at a time.
    """

    def __init__(self, model, mode=None, folder=None):
        self.model, self.mode = model, mode_of(model, mode)
        self._frame_bytes = 4 * sum(harness.record_sizes(model.config))
        # state is cleared where an utterance begins; counters always, so that they tell of the piece alone
        self._begin, self._go_on = (stimulus.clear(model.config, bits).tobytes() for bits in (3, 2))
        program = (folder or harness.build(model.config)) / "harness"
        self._errors, self._said, self._fresh = tempfile.TemporaryFile("w+", errors="replace"), "", True
        with tempfile.TemporaryFile() as given:  # has no name: nothing is left behind, whatever happens
            stimulus.write(given, model, self.mode)
            given.seek(0)
            # a session of its own: Ctrl-C is the parent's business, and the program ends when its stdin does
            self._process = subprocess.Popen(
                [str(program), f"/dev/fd/{given.fileno()}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self._errors, pass_fds=(given.fileno(),), start_new_session=True)

    def clear(self):
        """The next frame begins an utterance."""
        self._fresh = True

    def push(self, x):
        """Int8 (T, F), at least a frame -> `Prediction` of these frames."""
        x, = utterances_of(x, self.model.config.features)
        record = np.frombuffer(self._exchange(x), np.uint32)
        return harness.decode(record, self.model.config, self.mode, np.array([0])).prediction

    def _exchange(self, x):
        load = self._begin if self._fresh else self._go_on
        piece = load + np.uint32(len(x)).tobytes() + x.astype(np.int32).tobytes()
        wanted, record = len(x) * self._frame_bytes, b""
        try:
            self._process.stdin.write(piece)
            self._process.stdin.flush()
            record = self._process.stdout.read(wanted)
        except (OSError, ValueError):  # a pipe that is gone, or was closed
            pass
        if len(record) != wanted:
            raise HarnessError(self._last_words())
        self._fresh = False
        return record

    def _last_words(self):
        self.close()
        return f"{self.model.config.name}: the simulator ended with code {self._process.returncode}{self._said}"

    def close(self):
        """End the simulator; also after it has died."""
        if self._errors.closed:
            return
        try:
            self._process.stdin.close()
        except OSError:
            pass
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.seek(0)
        said = " ".join(self._errors.read().split())
        self._said = f": {said}" if said else ""
        self._errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
