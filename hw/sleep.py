"""The accelerator with its supply cut between frames: the controller that sends it to sleep and wakes it.

Sleeps from `idle` on and wakes for the first feature or load word, which waits until then. Blocks that are `lost`
(`hw.accelerator.lost`) are reset on waking (`Accelerator.restart`); every other register is retained by cells that the
power-intent file asks for (`hw.flow.power_intent`), and the memories keep their supply. Without such cells, in
simulation of the RTL alone, nothing but the reset happens, and every answer is the same.
"""

from amaranth import Module, Mux, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from .accelerator import Accelerator
from .hierarchy import place


class State(enum.Enum):
    """What the controller does, in the order of a night."""

    AWAKE = 0
    ISOLATE = 1  # outputs of the sleeping part are held low
    SAVE = 2     # retention cells take over
    ASLEEP = 3   # the switch is open
    WAKE = 4     # the switch is closed, the supply rises
    RESTART = 5  # what was lost is reset, still isolated
    RESTORE = 6  # retention cells give back


class Sleeper(wiring.Component):
    """`Accelerator` of a configuration with `sleep: true` behind a power switch. Its ports are the accelerator's, and

    switch    Out  close the power switch
    powered   In   the switch's answer: the supply is there; tie to `switch` where it gives none
    isolate   Out  clamp the outputs of the sleeping part to 0, as this module does: counters read 0 in the meantime
    retain    Out  retention cells hold: saved at its rising edge, given back at its falling edge

    From a frame's end to the cut, 3 cycles; from the first word waiting to its being taken, 4 and the supply's rise.
    """

    def __init__(self, *, config):
        self.config = config
        self.module_name = "accelerator_sleep"
        self.core = Accelerator(config=config)
        ports = {name: member for name, member in self.core.signature.members.items() if name != "restart"}
        super().__init__({**ports, "switch": Out(1), "powered": In(1), "isolate": Out(1), "retain": Out(1)})

    def elaborate(self, platform):
        m = Module()
        core = self.core
        m.submodules.core = place(core, platform)
        state, awake = Signal(State, init=State.WAKE), Signal()
        m.d.comb += awake.eq(state == State.AWAKE)
        for name in ("x", "load"):
            outer, inner = getattr(self, name), getattr(core, name)
            m.d.comb += [inner.payload.eq(outer.payload), inner.valid.eq(outer.valid & awake),
                         outer.ready.eq(inner.ready & awake)]
        m.d.comb += [self.logits.payload.eq(core.logits.payload), self.logits.valid.eq(core.logits.valid & awake),
                     core.logits.ready.eq(self.logits.ready & awake)]
        for name, member in core.signature.members.items():
            if name not in ("x", "load", "logits", "restart", "idle"):
                outer, inner = getattr(self, name), getattr(core, name)
                pairs = zip(outer, inner, strict=True) if member.dimensions else [(outer, inner)]
                m.d.comb += [out.eq(Mux(awake, value, 0)) for out, value in pairs]
        m.d.comb += self.idle.eq(~awake | core.idle)
        wanted, slept = Signal(), Signal()  # nothing was saved before the first night
        m.d.comb += wanted.eq(self.x.valid | self.load.valid)
        after = {State.ISOLATE: State.SAVE, State.SAVE: State.ASLEEP, State.RESTART: State.RESTORE,
                 State.RESTORE: State.AWAKE}
        with m.Switch(state):
            with m.Case(State.AWAKE):
                with m.If(core.idle & ~wanted):
                    m.d.sync += state.eq(State.ISOLATE)
            with m.Case(State.ASLEEP):
                m.d.sync += slept.eq(1)
                with m.If(wanted):
                    m.d.sync += state.eq(State.WAKE)
            with m.Case(State.WAKE):
                with m.If(self.powered):
                    m.d.sync += state.eq(State.RESTART)
            for now, then in after.items():
                with m.Case(now):
                    m.d.sync += state.eq(then)
        m.d.comb += [
            self.switch.eq(state != State.ASLEEP), self.isolate.eq(~awake), core.restart.eq(state == State.RESTART),
            self.retain.eq((state == State.ASLEEP) |
                           slept & ((state == State.WAKE) | (state == State.RESTART))),
        ]
        return m
