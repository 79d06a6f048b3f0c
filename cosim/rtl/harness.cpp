// Runs whole utterances through the Verilated accelerator and records every frame.
//     harness STIMULUS RESULT
// A frame's record, in 32-bit words: cycle of its first feature (2), of its last logit (2), counters, LIF evaluations;
// of each time step and LIF word spikes, then potentials after the evaluation; logit beats. Prints `frames N` as it goes.
#include "model_access.hpp"

namespace {

struct Record {
    uint32_t first_feature[2], last_logit[2];
    uint32_t counters[COUNTERS];
    uint32_t evaluations;
    uint32_t spikes[2][LIF_WORDS][SPIKE_WORDS];
    uint32_t potentials[2][LIF_WORDS][STATE_WORDS];
    uint32_t beats[BEATS][LOGIT_WORDS];
};

void put64(uint32_t* words, uint64_t value) {
    words[0] = static_cast<uint32_t>(value);
    words[1] = static_cast<uint32_t>(value >> 32);
}

void copy_counters(const Vaccelerator& top, uint32_t* to) {
    const uint32_t values[COUNTERS] = {ALL_COUNTERS(top)};
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
    const auto* root = top.rootp;
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
            if (SEEN(root)) {
                const int word = SEEN_WORD(root), step = SEEN_STEP(root);
                computing.evaluations++;
                get_port(SEEN_SPIKES(root), computing.spikes[step][word], SPIKE_WORDS);
                get_port(SEEN_POTENTIALS(root), computing.potentials[step][word], STATE_WORDS);
            }
            if (taken && sent % FEATURES == 0) started[sent / FEATURES] = machine.cycle;
            bool last = false;
            if (arrived) {
                if (beat >= BEATS) fail("a frame has more logits than the configuration");
                uint32_t* words = (pending ? leaving : computing).beats[beat];
                get_port(top.PORT(logits, payload), words, LOGIT_WORDS);
                last = words[LAST_BIT / 32] >> (LAST_BIT % 32) & 1;
                beat++;
            }
            if (FRAME_ENDS(root)) {
                if (pending) fail("a frame ends before the one before has left");
                copy_counters(top, computing.counters);
                leaving = computing;
                computing = Record{};
                pending = true;
            }
            const uint64_t now = machine.cycle;
            machine.edge();
            sent += taken;
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
