// Runs frames through RTL in whose blocks the mapped netlist rides along, and can record a window as VCD.
//     gates STIMULUS FIRST LAST [VCD]
// Frames FIRST..LAST-1 (from 0) of the first utterance are recorded. The Verilog itself compares, at every clock edge
// after reset, each output of the netlist with the RTL's and prints `GATES block compared differ` at the end.
#include "model_access.hpp"

#if VM_TRACE
#include "verilated_vcd_c.h"
#else
struct VerilatedVcdC {  // built without recording
    void open(const char*) { fail("built without --vcd"); }
    void dump(uint64_t) {}
    void close() {}
};
#endif

// Row reads since the last clear, in the order of interface.WEIGHT_BUFFERS.
void reads_of(const Vaccelerator& top, uint32_t* to) {
    const uint32_t values[5] = {top.PORT(row_reads, 0), top.PORT(row_reads, 1), top.PORT(row_reads, 2),
                                top.PORT(row_reads, 3), top.PORT(row_reads, 4)};
    for (int i = 0; i < 5; i++) to[i] = values[i];
}

constexpr uint64_t CYCLE_NS = 10;  // what power analysis is told; energies do not depend on it

int main(int argc, char** argv) {
    if (argc != 4 && argc != 5) fail("usage: gates STIMULUS FIRST LAST [VCD]");
    Stimulus stimulus(argv[1]);
    const uint32_t first = std::strtoul(argv[2], nullptr, 10), last = std::strtoul(argv[3], nullptr, 10);
    Machine machine;
    Vaccelerator& top = machine.top;
    VerilatedVcdC vcd;
#if VM_TRACE
    machine.context.traceEverOn(true);
    vcd.set_time_unit("1ns");
    vcd.set_time_resolution("1ns");
    top.trace(&vcd, 99);
#endif
    const uint32_t loads = stimulus.next();
    stimulus.next();
    stimulus.next();
    const uint32_t* clear = stimulus.take(LOAD_WORDS);
    machine.reset();
    for (uint32_t i = 0; i < loads; i++) machine.load(stimulus.take(LOAD_WORDS));
    const uint32_t frames = stimulus.next();
    const uint32_t* features = stimulus.take(static_cast<size_t>(frames) * FEATURES);
    machine.load(clear);

    uint32_t sent = 0, received = 0;
    const uint32_t total = frames * FEATURES;
    uint32_t before[5] = {}, after[5] = {};
    uint64_t window = 0, deadline = machine.cycle + 100000;
    bool open = false;
    while (received < frames && received < last) {
        top.PORT(x, valid) = sent < total;
        if (sent < total) top.PORT(x, payload) = features[sent] & 0xff;
        if (argc == 5 && !open && received >= first) {
            vcd.open(argv[4]);
            open = true;
            reads_of(top, before);
        }
        machine.settle();
        if (open) vcd.dump(CYCLE_NS * window);
        const bool taken = sent < total && top.PORT(x, ready), arrived = top.PORT(logits, valid);
        bool done = false;
        if (arrived) {
            uint32_t beat[LOGIT_WORDS];
            get_port(top.PORT(logits, payload), beat);
            done = beat[LAST_BIT / 32] >> (LAST_BIT % 32) & 1;
        }
        machine.edge();
        if (open) { vcd.dump(CYCLE_NS * window + CYCLE_NS / 2); window++; }
        sent += taken;
        if (done) {
            received++;
            deadline = machine.cycle + 100000;
            std::printf("frames %u\n", received);
            std::fflush(stdout);
        }
        if (machine.cycle > deadline) fail("no logits for 100000 cycles");
    }
    if (open) {
        vcd.close();
        reads_of(top, after);
        std::printf("reads");
        for (int i = 0; i < 5; i++) std::printf(" %u", after[i] - before[i]);
        std::printf("\n");
    }
    top.final();
    std::printf("window %llu\ncycles %llu\n", static_cast<unsigned long long>(window),
                static_cast<unsigned long long>(machine.cycle));
}
