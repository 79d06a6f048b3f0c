"""Decodes the register map: one request a cycle, its answer in the next, an error for everything that is not allowed.

Made from the compiled `registers.rdl` and nothing else: addresses, directions, fields and reset values have no second
home. An access is refused, and changes nothing, if no register is there (`address`), if it is not a whole aligned
word (`alignment`), in the wrong direction (`access`), with bits set where no field is (`value`), or by whoever answers
an external register. Latency one cycle, throughput one access a cycle; nothing waits, so nothing can hang.
"""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from .register_map import ADDRESS_BITS, WORD_BITS


class Reply(enum.Enum, shape=2):
    """How an access ended. AXI's SLVERR and DECERR; both are Wishbone's ERR."""

    OKAY = 0
    REFUSED = 2
    NOWHERE = 3


class Request(wiring.Signature):
    """A bus front-end's side: `valid` for one cycle with the access, `done` one cycle later with its reply.

    `address` is in bytes, `whole` says that all four bytes are written or read.
    """

    def __init__(self):
        super().__init__({
            "valid": Out(1), "write": Out(1), "address": Out(ADDRESS_BITS), "whole": Out(1),
            "write_data": Out(WORD_BITS), "done": In(1), "reply": In(Reply), "read_data": In(WORD_BITS),
        })


class External(wiring.Signature):
    """A register answered outside: `write` or `read` is high in the cycle of an access that happens.

    `write_error` and `read_error`, one bit for each kind of error, refuse it in that cycle; they may look at `data`.
    """

    def __init__(self, errors):
        super().__init__({"write": Out(1), "read": Out(1), "data": Out(WORD_BITS), "value": In(WORD_BITS),
                          "write_error": In(len(errors)), "read_error": In(len(errors))})


def _members(register, errors):
    """Ports of one register; None if its value is constant."""
    if register.external:
        return External(errors)
    members = {}
    for f in register.fields.values():
        if f.kind in ("control", "loadable", "sticky"):
            members[f.name] = Out(f.width)
        elif f.kind == "status":
            members[f.name] = In(f.width)
        if f.kind == "sticky":
            members[f"{f.name}_set"] = In(f.width)
        elif f.kind == "loadable":
            members |= {f"{f.name}_next": In(f.width), f"{f.name}_load": In(1)}
        elif f.kind == "counter":
            members[f"{f.name}_add"] = In(2)
    return wiring.Signature(members) if members else None


class RegisterBlock(wiring.Component):
    """Ports are named after the map: `status.busy`, `load_row.index_next`, `threshold[1].write`; `request` is the bus.

    `failed` has one bit for each kind of error (`RegisterMap.errors`), in the cycle of the access.
    """

    def __init__(self, *, registers):
        self.registers = registers
        ports = {"request": In(Request()), "failed": Out(len(registers.errors))}
        for r in registers.registers.values():
            if (members := _members(r, registers.errors)) is not None:
                ports[r.name] = Out(members).array(r.count) if r.repeats else Out(members)
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        bit = self.registers.errors
        request = self.request
        found, right_way, field_bits = Signal(), Signal(), Signal()
        refused = Signal(len(bit))  # by an external register
        read_data = Signal(WORD_BITS)
        aligned, legal, act = Signal(), Signal(), Signal()
        m.d.comb += [
            aligned.eq(request.whole & (request.address[:2] == 0)),
            legal.eq(request.valid & aligned & found & right_way & field_bits),
            act.eq(legal & ~refused.any()),
        ]
        with m.Switch(request.address):
            for r in self.registers.registers.values():
                for index in range(r.count):
                    with m.Case(r.at(index)):
                        m.d.comb += [
                            found.eq(1), right_way.eq(Mux(request.write, r.writable, r.readable)),
                            field_bits.eq(~request.write | ((request.write_data & ~r.mask & 0xffffffff) == 0)),
                        ]
                        if r.external:
                            port = self._port(r, index)
                            m.d.comb += [
                                read_data.eq(port.value), port.write.eq(act & request.write),
                                port.read.eq(act & ~request.write),
                                refused.eq(Mux(legal, Mux(request.write, port.write_error, port.read_error), 0)),
                            ]
        for r in self.registers.registers.values():
            for index in range(r.count):
                if r.external:
                    m.d.comb += self._port(r, index).data.eq(request.write_data)
                else:
                    self._fields(m, r, index, act, read_data)
        failed = {"alignment": ~aligned, "address": aligned & ~found, "access": aligned & found & ~right_way,
                  "value": aligned & found & right_way & ~field_bits}
        m.d.comb += self.failed.eq(Mux(request.valid, refused | Cat(failed.get(name, 0) for name in bit), 0))
        m.d.sync += [
            request.done.eq(request.valid),
            request.read_data.eq(Mux(act & ~request.write, read_data, 0)),
            request.reply.eq(Mux(self.failed[bit["address"]], Reply.NOWHERE,
                                 Mux(self.failed.any(), Reply.REFUSED, Reply.OKAY))),
        ]
        return m

    def _port(self, register, index):
        port = getattr(self, register.name, None)
        return port[index] if register.repeats else port

    def _fields(self, m, r, index, act, read_data):
        """Storage of an internal register, and its part of the read data."""
        request, port = self.request, self._port(r, index)
        selected, written = Signal(name=f"{r.name}_{index}_selected"), Signal(name=f"{r.name}_{index}_written")
        m.d.comb += [selected.eq(request.address == r.at(index)), written.eq(act & request.write & selected)]
        for f in r.fields.values():
            data = request.write_data[f.lsb:f.lsb + f.width]
            if f.kind == "constant":
                value = f.reset
            elif f.kind == "status":
                value = getattr(port, f.name)
            else:
                value = Signal(f.width, name=f"{r.name}_{f.name}", init=f.reset)
                if f.kind == "counter":
                    add = getattr(port, f"{f.name}_add")
                    following = Signal(f.width + 1, name=f"{r.name}_{f.name}_following")
                    m.d.comb += following.eq(Mux(written, 0, value) + add)
                    m.d.sync += value.eq(Mux(following[-1], ~0, following))
                else:
                    m.d.comb += getattr(port, f.name).eq(value)
                    if f.kind == "sticky":
                        m.d.sync += value.eq(value & ~Mux(written, data, 0) | getattr(port, f"{f.name}_set"))
                    else:
                        with m.If(written):
                            m.d.sync += value.eq(data)
                        if f.kind == "loadable":
                            with m.Elif(getattr(port, f"{f.name}_load")):
                                m.d.sync += value.eq(getattr(port, f"{f.name}_next"))
            with m.If(selected):
                m.d.comb += read_data[f.lsb:f.lsb + f.width].eq(value)
