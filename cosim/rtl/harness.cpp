// Runs whole utterances through the Verilated accelerator and records every frame.
//     harness STIMULUS RESULT
// A frame's record, in 32-bit words: cycle of its first feature (2), of its last logit (2), counters (15), spikes,
// potentials after each LIF evaluation, logit beats. Prints `frames N` as it goes.
#include "model_access.hpp"

namespace {

constexpr int SPIKE_WORDS = (NEURONS + 31) / 32;
constexpr int COUNTERS = 15;

struct Record {
    uint32_t first_feature[2], last_logit[2];
    uint32_t counters[COUNTERS];
    uint32_t spikes[4][SPIKE_WORDS];
    int32_t potentials[2][2][NEURONS];
    uint32_t beats[BEATS][LOGIT_WORDS];
};

void put64(uint32_t* words, uint64_t value) {
    words[0] = static_cast<uint32_t>(value);
    words[1] = static_cast<uint32_t>(value >> 32);
}

template <typename Signal>
void copy_spikes(const Signal& signal, uint32_t* words) {
    if constexpr (std::is_integral_v<Signal>) {
        words[0] = static_cast<uint32_t>(signal);
        if constexpr (SPIKE_WORDS == 2) words[1] = static_cast<uint32_t>(static_cast<uint64_t>(signal) >> 32);
    } else {
        for (int i = 0; i < SPIKE_WORDS; i++) words[i] = signal[i];
    }
}

void copy_counters(const Vaccelerator& top, uint32_t* to) {
    const uint32_t values[COUNTERS] = {
        top.PORT(cycles, 0), top.PORT(cycles, 1), top.PORT(cycles, 2), top.PORT(cycles, 3), top.PORT(cycles, 4), top.PORT(cycles, 5), top.PORT(cycles, 6),
        top.PORT(cycles, 7), top.PORT(cycles, 8), top.PORT(cycles, 9), top.PORT(row_reads, 0), top.PORT(row_reads, 1), top.PORT(row_reads, 2),
        top.PORT(row_reads, 3), top.PORT(row_reads, 4)};
    for (int i = 0; i < COUNTERS; i++) to[i] = values[i];
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) fail("usage: harness STIMULUS RESULT");
    Stimulus stimulus(argv[1]);
    std::FILE* out = std::fopen(argv[2], "wb");
    if (!out) fail(std::string("cannot write ") + argv[2]);

    Machine machine;
    Vaccelerator& top = machine.top;
    const Probes probes(*top.rootp);
    const uint32_t loads = stimulus.next(), utterances = stimulus.next(), isolated = stimulus.next();
    const uint32_t* clear = stimulus.take(LOAD_WORDS);
    machine.reset();
    for (uint32_t i = 0; i < loads; i++) machine.load(stimulus.take(LOAD_WORDS));

    // The last pass of a frame drains while the next frame is computed: two records are open at a time.
    Record computing{}, leaving{};
    bool pending = false;  // `leaving` still waits for logits
    uint32_t done = 0;
    for (uint32_t u = 0; u < utterances; u++) {
        const uint32_t frames = stimulus.next();
        const uint32_t* features = stimulus.take(static_cast<size_t>(frames) * FEATURES);
        machine.load(clear);
        std::vector<uint64_t> started(frames);
        uint32_t sent = 0, received = 0, beat = 0;
        const uint32_t total = frames * FEATURES;
        uint64_t deadline = machine.cycle + 100000;
        while (received < frames) {
            // Isolated: a frame's first feature is offered only when the frame before has left entirely.
            const bool offer = sent < total && (!isolated || sent < (received + 1) * FEATURES);
            top.PORT(x, valid) = offer;
            if (offer) top.PORT(x, payload) = features[sent] & 0xff;
            machine.settle();
            const bool taken = offer && top.PORT(x, ready), arrived = top.PORT(logits, valid);
            const bool lif = *probes.lif_enable;
            const int layer = *probes.lif_layer, step = *probes.lif_step;
            if (taken && sent % FEATURES == 0) started[sent / FEATURES] = machine.cycle;
            bool last = false;
            if (arrived) {
                if (beat >= BEATS) fail("a frame has more logits than the configuration");
                uint32_t* words = (pending ? leaving : computing).beats[beat];
                get_port(top.PORT(logits, payload), words);
                last = words[LAST_BIT / 32] >> (LAST_BIT % 32) & 1;
                beat++;
            }
            if (*probes.frame) {
                if (pending) fail("a frame ends before the one before has left");
                copy_counters(top, computing.counters);
                leaving = computing;
                computing = Record{};
                pending = true;
            }
            const uint64_t now = machine.cycle;
            machine.edge();
            sent += taken;
            if (lif) {
                copy_spikes(*probes.spikes[2 * layer + step], computing.spikes[2 * layer + step]);
                for (int lane = 0; lane < NEURONS; lane++) {
                    const int32_t code = static_cast<int32_t>(*probes.potentials[layer][lane] << (32 - POTENTIAL_BITS));
                    computing.potentials[layer][step][lane] = code >> (32 - POTENTIAL_BITS);
                }
            }
            if (last) {
                if (beat != BEATS) fail("a frame has fewer logits than the configuration");
                put64(leaving.first_feature, started[received]);
                put64(leaving.last_logit, now);
                if (std::fwrite(&leaving, sizeof leaving, 1, out) != 1) fail("cannot write the result");
                pending = false;
                beat = 0;
                received++;
                deadline = machine.cycle + 100000;
                if (++done % 16 == 0) { std::printf("frames %u\n", done); std::fflush(stdout); }
            }
            if (machine.cycle > deadline) fail("no logits for 100000 cycles");
        }
    }
    top.final();  // the Verilog may have something to say at the end: gates that ride along do
    if (std::fclose(out)) fail("cannot write the result");
    std::printf("frames %u\ncycles %llu\n", done, static_cast<unsigned long long>(machine.cycle));
}
