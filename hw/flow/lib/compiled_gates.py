"""The gate simulator's inner loop in C: a hundred times numpy's rate, for runs of a million cycles.

Same levels, same functions, same counts as `gate_simulator.GateSimulator`, whose Python says what is meant.
`SettledInC` has the gates in C; `CompiledGates` all of a cycle, its memories with a read and a write port
(`sram_ROWSxBITS`), as caches want.
"""

import ctypes
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from hw.flow.lib.errors import FlowError
from hw.flow.lib.gate_simulator import GateSimulator

PINS = ("RD_EN", "RD_ADDR", "RD_DATA", "WR_EN", "WR_ADDR", "WR_DATA")
HEAD = """#include <stdint.h>
#include <string.h>
"""
RAMS = """
typedef struct { uint32_t rows, bits, abits, *rd_en, *rd_addr, *rd_data, *wr_en, *wr_addr, *wr_data; uint8_t *cells;
                 uint64_t reads, writes; } ram;
static uint32_t number(const uint8_t *v, const uint32_t *nets, uint32_t count) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) n |= (uint32_t)v[nets[i]] << i;
    return n;
}
"""
STEP = """
/* One rising edge: flip-flops and memories take what they see, then the gates settle. `next` is room for flip-flops. */
void step(uint8_t *v, uint32_t count, uint32_t flops, const uint32_t *d, const uint32_t *q, const uint32_t *enable,
          const uint32_t *above, const uint8_t *same, uint8_t *next, uint32_t rams, ram *ram_of, uint8_t *room,
          uint8_t *before, uint32_t *toggles, uint32_t *high, uint32_t gates, const uint32_t *gate_enable,
          const uint32_t *gate_above, const uint32_t *gate_out, int recording) {
    if (recording) {
        memcpy(before, v, count);
        for (uint32_t i = 0; i < gates; i++) toggles[gate_out[i]] += 2u * (v[gate_enable[i]] & v[gate_above[i]]);
    }
    for (uint32_t i = 0; i < flops; i++)
        next[i] = v[enable[i]] & v[above[i]] ? (same[i] ? v[d[i]] : !v[d[i]]) : v[q[i]];
    uint8_t *out = room;
    for (uint32_t r = 0; r < rams; r++) {
        ram *m = &ram_of[r];
        const int read = v[m->rd_en[0]], write = v[m->wr_en[0]];
        if (read) memcpy(out, m->cells + number(v, m->rd_addr, m->abits) * m->bits, m->bits);
        else for (uint32_t i = 0; i < m->bits; i++) out[i] = v[m->rd_data[i]];
        if (write) {
            uint8_t *row = m->cells + number(v, m->wr_addr, m->abits) * m->bits;
            for (uint32_t i = 0; i < m->bits; i++) if (v[m->wr_en[i]]) row[i] = v[m->wr_data[i]];
        }
        if (recording) m->reads += read, m->writes += write;
        out += m->bits;
    }
    for (uint32_t i = 0; i < flops; i++) v[q[i]] = next[i];
    out = room;
    for (uint32_t r = 0; r < rams; r++) {
        for (uint32_t i = 0; i < ram_of[r].bits; i++) v[ram_of[r].rd_data[i]] = out[i];
        out += ram_of[r].bits;
    }
    settle(v);
    if (recording) for (uint32_t i = 0; i < count; i++) toggles[i] += v[i] ^ before[i], high[i] += v[i];
}
"""


class Ram(ctypes.Structure):
    """One memory, as the C code has it."""

    _fields_ = [(n, ctypes.c_uint32) for n in ("rows", "bits", "abits")] + [
        (n.lower(), ctypes.c_void_p) for n in PINS] + [("cells", ctypes.c_void_p), ("reads", ctypes.c_uint64),
                                                       ("writes", ctypes.c_uint64)]


class SettledInC(GateSimulator):
    """`GateSimulator` whose gates settle in C, all else is the base's. Raises `FlowError` without a compiler."""

    MORE = ""  # C beside the gates

    def __init__(self, netlist, macros):
        super().__init__(netlist, macros)
        self._c = self._compile()

    def _compile(self):
        if not shutil.which("gcc"):
            raise FlowError("gcc is missing: install it, e.g. `apt install gcc`")
        body, tables = [], []
        for i, (function, (_, sources, targets)) in enumerate(zip(self.functions, self._plan, strict=True)):
            text, names = ("a", ("a",)) if function == "a" else function
            text = text.replace("1'b", "")
            rows = [targets, *sources]
            tables.append(f"static const uint32_t t{i}[{len(rows)}][{len(targets)}] = {{" + ",".join(
                "{" + ",".join(map(str, row)) + "}" for row in rows) + "};")
            places = {name: f"v[t{i}[{k + 1}][i]]" for k, name in enumerate(names)}
            formula = re.sub(r"[A-Za-z_]\w*", lambda found, at=places: at[found[0]], text)
            body.append(f"    for (uint32_t i = 0; i < {len(targets)}; i++) v[t{i}[0][i]] = ({formula}) & 1;")
        source = HEAD + "\n".join(tables) + "\nvoid settle(uint8_t *v) {\n" + "\n".join(body) + "\n}\n" + self.MORE
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / "gates.c").write_text(source)
            run = subprocess.run(["gcc", "-O2", "-std=c99", "-shared", "-fPIC", "-o", "gates.so", "gates.c"],
                                 cwd=place, capture_output=True, text=True)
            if run.returncode:
                raise FlowError(f"gcc could not compile the netlist: {run.stderr.strip()[-300:]}")
            return ctypes.CDLL(str(Path(place) / "gates.so"))

    def settle(self):
        """As the base's."""
        self._c.settle(self.value.ctypes.data_as(ctypes.c_void_p))


class CompiledGates(SettledInC):
    """`set`, `get`, `settle`, `step` of the base; `rams` maps a memory's path to its `Ram`, with counted accesses."""

    MORE = RAMS + STEP

    def __init__(self, netlist, macros):
        super().__init__(netlist, macros)
        self.toggles, self.high = np.zeros(self.count, np.uint32), np.zeros(self.count, np.uint32)
        u32 = {"dtype": np.uint32}
        self._kept = [np.array(a, **u32) for a in (self._d, self._q, *self._enable.T, self._gating[:, 1],
                                                   self._gating[:, 0], self._gating[:, 2])]
        self._same = np.ascontiguousarray(self._same, np.uint8)
        self._next, self._before = np.zeros(len(self._d), np.uint8), np.zeros(self.count, np.uint8)
        self._rams = (Ram * max(1, len(self.macros)))()
        for ram, (path, (macro, pins)) in zip(self._rams, self.macros.items(), strict=False):
            nets = {name: np.array(pins[name], **u32) for name in PINS}
            self._kept += nets.values()
            ram.rows, ram.bits, ram.abits = macro.rows, macro.bits, len(nets["RD_ADDR"])
            for name in PINS:
                setattr(ram, name.lower(), nets[name].ctypes.data)
            ram.cells = self.storage[path].ctypes.data
        self.rams = dict(zip(self.macros, self._rams, strict=False))
        self._room = np.zeros(sum(m.bits for m, _ in self.macros.values()) + 1, np.uint8)

    def step(self):
        """As the base's."""
        d, q, enable, above, gate_enable, gate_above, gate_out = self._kept[:7]
        at, number = _pointer, ctypes.c_uint32
        self._c.step(at(self.value), number(self.count), number(len(d)), at(d), at(q), at(enable), at(above),
                     at(self._same), at(self._next), number(len(self.macros)), self._rams, at(self._room),
                     at(self._before), at(self.toggles), at(self.high), number(len(gate_out)), at(gate_enable),
                     at(gate_above), at(gate_out), ctypes.c_int(self.recording))
        self.cycles += self.recording


def _pointer(array):
    return ctypes.c_void_p(array.ctypes.data)
