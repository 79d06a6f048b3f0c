// One utterance through the Verilated accelerator, every frame recorded.
// A frame's record, in 32-bit words: cycle of its first feature (2), of its last logit (2), counters, LIF evaluations;
// of each time step and LIF word spikes, then potentials after the evaluation; logit beats.
#pragma once
#include "model_access.hpp"

struct Record {
    uint32_t first_feature[2], last_logit[2];
    uint32_t counters[COUNTERS];
    uint32_t evaluations;
    uint32_t spikes[2][LIF_WORDS][SPIKE_WORDS];
    uint32_t potentials[2][LIF_WORDS][STATE_WORDS];
    uint32_t beats[BEATS][LOGIT_WORDS];
};

inline void put64(uint32_t* words, uint64_t value) {
    words[0] = static_cast<uint32_t>(value);
    words[1] = static_cast<uint32_t>(value >> 32);
}

inline void copy_counters(const Vaccelerator& top, uint32_t* to) {
    const uint32_t values[COUNTERS] = {ALL_COUNTERS(top)};
    for (int i = 0; i < COUNTERS; i++) to[i] = values[i];
}

// `features`: one word each. `isolated`: a frame's first feature is offered only when the frame before has left
// entirely. `take` is called with each frame's record, in order.
template <typename Take>
void run_utterance(Machine& machine, const uint32_t* features, uint32_t frames, bool isolated, Take take) {
    Vaccelerator& top = machine.top;
    const auto* root = top.rootp;
    // The last pass of a frame drains while the next frame is computed: two records are open at a time.
    Record computing{}, leaving{};
    bool pending = false;  // `leaving` still waits for logits
    bool left = false;     // the last logit has left; where it leaves straight from the PE sets, before the frame ends
    std::vector<uint64_t> started(frames);
    uint32_t sent = 0, received = 0, beat = 0;
    const uint32_t total = frames * FEATURES;
    uint64_t deadline = machine.cycle + 100000;
    while (received < frames) {
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
            put64((pending ? leaving : computing).last_logit, now);
            left = true;
        }
        if (left && pending) {
            put64(leaving.first_feature, started[received]);
            take(leaving);
            pending = left = false;
            beat = 0;
            received++;
            deadline = machine.cycle + 100000;
        }
        if (machine.cycle > deadline) fail("no logits for 100000 cycles");
    }
}
