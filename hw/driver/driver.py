"""The Python driver: the calls of `sottovoce.h`, over anything that reads and writes 32-bit words.

    driver = Driver(bus, config)         bus.read(address) -> int, bus.write(address, value); either raises `BusError`
    driver.load_image(image)             see `hw.driver.image`
    driver.clear()                       a new utterance
    driver.push(features); logits = driver.pull()
"""

from dataclasses import dataclass

from ..bus.frame_buffer import PER_WORD, frame_words
from ..bus.register_map import compile_map, load_words
from .image import CHECK, HEADER, MAGIC, check_word

PATIENCE = 100_000  # polls of the status register


class DriverError(RuntimeError):
    """The accelerator is not there, is of another configuration, does not answer or refused something."""


class BusError(DriverError):
    """The bus answered an access with an error."""


@dataclass(frozen=True)
class Counts:
    """Since the last clear: frames, cycles by `interface.phases`, row reads by `interface.WEIGHT_BUFFERS`."""

    frames: int
    cycles: tuple
    row_reads: tuple


class Driver:
    """Opens the accelerator at `base` and resets it; weights stay. `streams`: the map has them (AXI).

    Raises `DriverError` where another device, or another configuration, is found.
    """

    def __init__(self, bus, config, *, base=0, streams=False):
        self.bus, self.config, self.base = bus, config, base
        self.map = compile_map(config, streams)
        for name, field, says in (("id", "magic", "no Sottovoce accelerator"),
                                  ("version", "major_number", "another version of the register map"),
                                  ("config_hash", "hash", "another configuration")):
            f = self.map[name].fields[field]
            found = self.get(name) >> f.lsb & (1 << f.width) - 1
            if found != f.reset:
                raise DriverError(f"{says} at {base:#x}: {name} reads {found:#x}, wanted {f.reset:#x}")
        self.reset()
        self.put("irq_enable", 0)
        self.put("irq_status", self.map["irq_status"].mask)
        self.errors()

    def get(self, name, index=0):
        """A register's value."""
        return self.bus.read(self.base + self.map[name].at(index))

    def _repeatedly(self, name, count):
        """A register read so many times; in one go where the bus can."""
        if hasattr(self.bus, "read_many"):
            return self.bus.read_many(self.base + self.map[name].at(0), count)
        return [self.get(name) for _ in range(count)]

    def put(self, name, value, index=0):
        """Write a register."""
        self.bus.write(self.base + self.map[name].at(index), value)

    def status(self, field):
        f = self.map["status"].fields[field]
        return self.get("status") >> f.lsb & (1 << f.width) - 1

    def reset(self):
        """Abandon frames in flight: thresholds 1, mode 0 and no tables of neurons afterwards; weights stay."""
        self._control("reset")

    def load(self, buffer, row, words):
        """Load 32-bit words into a weight buffer, from the first slice of `row` on."""
        self._not_busy()
        for name, value in (("load_buffer", buffer), ("load_row", row), ("load_slice", 0)):
            self.put(name, value)
        for i, word in enumerate(words):
            self.put("load_data", word, i % load_words(self.config))

    def load_image(self, image):
        """Load weights, thresholds and mode; state and counters are cleared."""
        image = list(image)
        layers = self.map["threshold"].count
        at = HEADER + layers
        if len(image) < at or image[0] != MAGIC or image[3] != layers:
            raise DriverError("not an image of weights")
        if image[1] != self.map["config_hash"].fields["hash"].reset:
            raise DriverError(f"the image is of another configuration: {image[1]:#x}")
        if image[CHECK] != check_word(image):
            raise DriverError("the image of weights is damaged: make it again")
        while at < len(image):
            buffer, row, count = (*image[at:at + 3], 0, 0)[:3]
            if at + 3 + count > len(image):
                raise DriverError(f"the image ends early: {count} words of buffer {buffer} wanted")
            self.load(buffer, row, image[at + 3:at + 3 + count])
            at += 3 + count
        for layer in range(layers):
            if image[HEADER + layer]:  # 0: the layer's neurons have thresholds of their own
                self.set_threshold(layer, image[HEADER + layer])
        self.set_mode(image[2])
        self.clear()
        self.clear_counters()

    def set_mode(self, bits):
        """`interface.Mode.bits`."""
        self._not_busy()
        self.put("mode", bits)

    def set_threshold(self, layer, value):
        layers = self.map["threshold"].count
        if not 0 <= layer < layers:
            raise DriverError(f"layer {layer}: there are {layers}")
        self._not_busy()
        self.put("threshold", value, layer)

    def clear(self):
        """Potentials and spikes to zero."""
        self._not_busy()
        self._control("clear_state")

    def clear_counters(self):
        self._not_busy()
        self._control("clear_counters")

    def push(self, features):
        """Give a frame of int8 values; up to three may be in flight before their logits are pulled."""
        data = bytes(int(v) & 0xff for v in features)
        if len(data) != self.config.features:
            raise DriverError(f"a frame of {len(data)} features: wanted {self.config.features}")
        self._until("feature_ready")
        data = data.ljust(PER_WORD * frame_words(self.config), b"\0")
        for i in range(0, len(data), PER_WORD):
            self.put("features", int.from_bytes(data[i:i + PER_WORD], "little"))

    def pull(self):
        """The oldest frame's logits, list of int."""
        logits = []
        while len(logits) < self.config.results:
            for value in self._repeatedly("result", self._until("results")):
                logits.append(value - (value >> 31 << 32))
        return logits

    def counts(self):
        """`Counts` since the last clear; raises `KeyError` for a configuration without counters."""
        def each(name):
            return tuple(self.get(name, i) for i in range(self.map[name].count))
        return Counts(self.get("frames"), each("cycles"), each("row_reads"))

    def errors(self):
        """(names of the errors since the last call, how many); clears both."""
        bits, count = self.get("errors"), self.get("error_count")
        self.put("errors", bits)
        self.put("error_count", 0)
        return {name for name, bit in self.map.errors.items() if bits >> bit & 1}, count

    def _control(self, field):
        self.put("control", self.map["control"].fields[field].mask)

    def _not_busy(self):
        if self.status("busy"):
            raise DriverError("a frame is in flight: pull its logits first")

    def _until(self, field):
        for _ in range(PATIENCE):
            if value := self.status(field):
                return value
        raise DriverError(f"status.{field} stays 0 for {PATIENCE} polls")
