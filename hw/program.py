"""The sequencer's program: the steps of a frame, made from the configuration. Plain Python, no Amaranth.

    program(config)        ten steps for two recurrent layers as wide as the lanes
    listing(config)        the same as readable lines; they head the emitted Verilog and are `describe`'s

For each layer and each of its groups of `lanes` neurons: the sums (type A of the features, or scans of spikes against
rows), then LIF; then the FC. A scan of the layer before's spikes waits one slot for them where no scan of the layer's
own comes in between, which needs only the frame before.
"""

from dataclasses import dataclass
from enum import Enum

from .interface import phases


class Kind(Enum):
    """What a step does."""

    INPUT = 0    # type A: digits of the features against the rows from `input_base` on
    COMBINE = 1  # both digit groups become the input current
    SCAN = 2     # types B, D: spikes `source` against the recurrent rows from `base` on
    LIF = 3      # `words` words of neurons from `word` on
    WAIT = 4     # spikes settle
    FC = 5       # type C: spikes `source` against every pass's rows
    FINAL = 6    # the last pass is captured


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step; fields that its kind has no use for are 0."""

    name: str
    kind: Kind
    phase: Enum           # which cycle counter counts it
    source: int = 0       # index in `sources(config)`
    base: int = 0
    input_base: int = 0
    clear: bool = False   # the accumulators start from zero
    discard: bool = False  # the features are used up
    change: bool = False  # the sums are kept from frame to frame
    layer: int = 0
    word: int = 0
    words: int = 0

    def line(self, spikes):
        """The step in words; `spikes` are `sources(config)`."""
        rows = {Kind.INPUT: f"digits of the features x input rows from {self.input_base}",
                Kind.COMBINE: "input current" + (", features free" if self.discard else ""),
                Kind.LIF: f"neurons of layer {self.layer}, words {self.word} to {self.word + self.words - 1}",
                Kind.WAIT: "spikes settle", Kind.FINAL: "last pass leaves"}
        if self.kind in (Kind.SCAN, Kind.FC):
            layer, matrix = spikes[self.source]
            late = f" as delayed for {matrix}" if matrix else ""
            what = f"spikes of layer {layer}{late}"
            kept = ", or their changes" if self.change else ""
            rows |= {Kind.SCAN: f"{what}{kept} x recurrent rows from {self.base}" +
                     (", from zero" if self.clear else ""),
                     Kind.FC: f"{what}{kept} x all passes"}
        return f"{self.name:<20}{rows[self.kind]}"


def sources(config):
    """Spikes that a scan can take: (layer, "") as they are, (layer, matrix) as they reach a matrix late."""
    scanned = [(b.source, b.matrix) for b in config.blocks()] + [(len(config.layers) - 1, "fc")]
    late = config.delays()
    found = [(layer, matrix if matrix in late else "") for layer, matrix in scanned]
    return sorted(set(found))


def program(config):
    """The steps of a frame, in order."""
    phase, steps = phases(config), []
    spikes = sources(config)
    late = config.delays()
    groups = {}
    for block in config.blocks():
        groups.setdefault((block.layer, block.group), []).append(block)

    def source(layer, matrix):
        return spikes.index((layer, matrix if matrix in late else ""))

    def add(name, kind, counted, group=None, **values):
        name = name if group is None else f"{name}_{group}"
        steps.append(Step(name=name, kind=kind, phase=phase[counted], **values))

    for k, layer in enumerate(config.layers):
        turns = config.groups_of(k)
        for g in range(turns):
            group = g if turns > 1 else None
            if k == 0:
                add("INPUT", Kind.INPUT, "INPUT", group, input_base=g * config.input_rows)
                served = config.group_words(0, g)
                at = {"word": served.start, "words": len(served)} if config.serial_combine else {}
                add("COMBINE", Kind.COMBINE, "COMBINE", group, discard=g == turns - 1, **at)
            if not layer.recurrent and (k > 0 or config.serial_combine):  # spikes, or input currents, settle
                add(f"L{k}_WAIT", Kind.WAIT, "WAIT", group)
            blocks = groups.get((k, g), [])
            for b in blocks:
                name = f"L{k}_RECURRENT" if b.matrix.startswith("recurrent") else f"L{k}_FORWARD"
                add(name, Kind.SCAN, name, group, source=source(b.source, b.matrix), base=b.base,
                    clear=k > 0 and b is blocks[0], change=layer.on_change)
            words = config.group_words(k, g)
            add(f"L{k}_LIF", Kind.LIF, f"L{k}_LIF", group, layer=k, word=words.start, words=len(words),
                change=layer.on_change)
    add("WAIT", Kind.WAIT, "WAIT")
    add("FC", Kind.FC, "FC", source=source(len(config.layers) - 1, "fc"), change=config.readout_on_change)
    add("FINAL", Kind.FINAL, "FINAL")
    return steps


def listing(config):
    """The program as lines, numbered as the sequencer's `position` counts."""
    spikes = sources(config)
    return [f"{i:>4}  {step.line(spikes)}" for i, step in enumerate(program(config))]
