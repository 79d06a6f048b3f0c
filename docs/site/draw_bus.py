"""Draws docs/bus-timing.png, accesses on both buses as the circuit answers them:  python docs/site/draw_bus.py"""

import sys
from pathlib import Path

from amaranth.sim import Simulator

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT)]

from hw import config as configs  # noqa: E402
from hw.bus.axi import AxiPeripheral  # noqa: E402
from hw.bus.register_map import compile_map  # noqa: E402
from hw.bus.wishbone import WishbonePeripheral  # noqa: E402
from sw import pictures  # noqa: E402

TARGET = ROOT / "docs/bus-timing.png"
CONFIG = configs.from_dict({"name": "small", "features": 6, "input_rows": 8, "neurons": 8, "outputs": 24,
                            "accumulator_bits": 10, "logits_per_beat": 4, "load_bits": 32})
ROW, STATUS, NONE = 0x02C, 0x010, 0x7F0  # load_row is written, status read, and nobody lives at the third
WISHBONE = ("wb_stb", "wb_we", "wb_adr", "wb_ack", "wb_err")
AXI = ("s_axil_awvalid", "s_axil_wvalid", "s_axil_bvalid", "s_axil_bresp", "s_axil_arvalid", "s_axil_rvalid",
       "s_axil_rresp")
INK, HIGH = "#333333", "#1f77b4"


def recorded(dut, names, drive, cycles):
    """Values of ports in each cycle, just before its edge, by name; `drive(ctx, seen)` sets a cycle's inputs."""
    simulator, seen = Simulator(dut), {name: [] for name in names}
    simulator.add_clock(1e-8)

    async def bench(ctx):
        for _ in range(cycles):
            drive(ctx, seen)
            for name in names:
                seen[name].append(int(ctx.get(getattr(dut, name))))
            await ctx.tick()

    simulator.add_testbench(bench)
    simulator.run()
    return seen


def wishbone():
    """A write, a read, and a read of what is not there, one after another."""
    dut, accesses = WishbonePeripheral(config=CONFIG), [(1, ROW), (0, STATUS), (0, NONE)]

    def drive(ctx, seen):
        answered = sum(seen["wb_ack"]) + sum(seen["wb_err"])
        rest = seen["wb_stb"] and (seen["wb_ack"][-1] or seen["wb_err"][-1])
        busy = not rest and answered < len(accesses) and len(seen["wb_stb"]) > 0
        for name in ("wb_cyc", "wb_stb"):
            ctx.set(getattr(dut, name), int(busy))
        write, address = accesses[min(answered, 2)]
        ctx.set(dut.wb_we, write if busy else 0)
        ctx.set(dut.wb_adr, address >> 2 if busy else 0)
        ctx.set(dut.wb_sel, 15)

    return recorded(dut, WISHBONE, drive, 11)


def axi():
    """A write whose data come two cycles after its address, a read beside it, and a read of what is not there."""
    dut, taken = AxiPeripheral(config=CONFIG), set()

    def drive(ctx, seen):
        now = len(seen["s_axil_awvalid"])
        for name, start, address in (("aw", 1, ROW), ("w", 3, 3), ("ar", 3, STATUS), ("ar2", 9, NONE)):
            channel = name.removesuffix("2")
            if now == start:
                ctx.set(getattr(dut, f"s_axil_{channel}valid"), 1)
                ctx.set(getattr(dut, f"s_axil_{channel}{'data' if channel == 'w' else 'addr'}"), address)
                taken.add(name)
            elif name in taken:
                ctx.set(getattr(dut, f"s_axil_{channel}valid"), 0)
                taken.remove(name)
        ctx.set(dut.s_axil_wstrb, 15)
        ctx.set(dut.s_axil_bready, 1)
        ctx.set(dut.s_axil_rready, 1)

    return recorded(dut, AXI, drive, 15)


def wave(axis, row, values, numbers):
    """A signal as a line, or as boxes with numbers in them while it is not zero."""
    if not numbers:
        places = [i + k for i in range(len(values)) for k in (0, 1)]
        axis.plot(places, [row + 0.1 + 0.6 * v for v in values for _ in (0, 1)], color=HIGH, linewidth=1.4)
        return
    for cycle, value in enumerate(values):
        if value:
            axis.broken_barh([(cycle + 0.04, 0.92)], (row + 0.08, 0.64), facecolors="none", edgecolors=INK,
                             linewidth=0.8)
            axis.text(cycle + 0.5, row + 0.4, numbers(value), ha="center", va="center", fontsize=7, color=INK)


def draw():
    """Both buses, one above the other."""
    registers = {r.address: name for name, r in compile_map(CONFIG, True).registers.items()}
    plot, axes = pictures.pyplot().subplots(2, 1, figsize=(9, 5), height_ratios=(5, 7))
    replies = {1: "OKAY", 3: "SLVERR", 4: "DECERR"}.get  # of a reply, and 1, where it is valid
    for axis, seen, title in ((axes[0], wishbone(), "Wishbone: a write, a read, a read where no register is"),
                              (axes[1], axi(), "AXI4-Lite: a write and a read at once, then one where no register is")):
        names = list(seen)
        cycles = len(seen[names[0]])
        axis.set(xlim=(0, cycles), ylim=(-0.1, len(names)),
                 yticks=[len(names) - 1 - i + 0.4 for i in range(len(names))],
                 yticklabels=[n.removeprefix("s_axil_").removeprefix("wb_") for n in names], xticks=range(cycles + 1))
        for side in ("left", "top", "right"):
            axis.spines[side].set_visible(False)
        axis.tick_params(length=0, labelsize=8)
        axis.set_title(title, loc="left", fontsize=9)
        for cycle in range(cycles + 1):
            axis.axvline(cycle, color="#d8dade", linewidth=0.5, zorder=0)
        for i, name in enumerate(names):
            numbers = {"wb_adr": lambda v: registers.get(v << 2, hex(v << 2)), "s_axil_bresp": replies,
                       "s_axil_rresp": replies}.get(name)
            if numbers is replies:
                seen[name] = [(v + 1) * there for v, there in zip(seen[name], seen[name.replace("resp", "valid")],
                                                                  strict=True)]
            wave(axis, len(names) - 1 - i, seen[name], numbers)
    axes[1].set_xlabel("cycle", fontsize=8)
    pictures.save(plot, TARGET, 110)


if __name__ == "__main__":
    draw()
    print(TARGET)
