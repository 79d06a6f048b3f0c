// Runs one utterance through the Verilated accelerator and records what its units do in every cycle of one frame.
//     timeline STIMULUS RESULT FRAME
// From the cycle in which the frame's first feature is taken to the one in which its last logit leaves, both included:
// SAMPLES 32-bit words a cycle (`samples.hpp`, written by recorder.py). Prints `frames N` as it goes.
#include "model_access.hpp"
#include "samples.hpp"

int main(int argc, char** argv) {
    if (argc != 4) fail("usage: timeline STIMULUS RESULT FRAME");
    Stimulus stimulus(argv[1]);
    std::FILE* out = std::fopen(argv[2], "wb");
    if (!out) fail(std::string("cannot write ") + argv[2]);
    const uint32_t frame = static_cast<uint32_t>(std::atoi(argv[3]));

    Machine machine;
    Vaccelerator& top = machine.top;
    const auto* root = top.rootp;
    const uint32_t loads = stimulus.next(), utterances = stimulus.next();
    stimulus.next();  // frames are always run one by one here
    const uint32_t* clear = stimulus.take(LOAD_WORDS);
    machine.reset();
    for (uint32_t i = 0; i < loads; i++) machine.load(stimulus.take(LOAD_WORDS));
    if (utterances != 1) fail("one utterance is wanted");
    const uint32_t frames = stimulus.next();
    const uint32_t* features = stimulus.take(static_cast<size_t>(frames) * FEATURES);
    if (frame >= frames) fail("the utterance has no such frame");
    machine.load(clear);

    uint32_t sent = 0, received = 0;
    uint64_t deadline = machine.cycle + 100000;
    while (received <= frame) {
        const bool offer = sent < (received + 1) * FEATURES;  // the next frame waits until this one has left
        top.PORT(x, valid) = offer;
        if (offer) top.PORT(x, payload) = features[sent] & 0xff;
        machine.settle();
        const bool taken = offer && top.PORT(x, ready), arrived = top.PORT(logits, valid);
        uint32_t beat[LOGIT_WORDS];
        get_port(top.PORT(logits, payload), beat, LOGIT_WORDS);
        if (received == frame && (taken || sent > frame * FEATURES)) {
            uint32_t spikes[SPIKE_WORDS], fired = 0;
            get_port(SEEN_SPIKES(root), spikes, SPIKE_WORDS);
            for (uint32_t word : spikes) fired += static_cast<uint32_t>(__builtin_popcount(word));
            const uint32_t values[SAMPLES] = {taken, arrived, fired, ALL_SAMPLES(root)};
            if (std::fwrite(values, sizeof values, 1, out) != 1) fail("cannot write the result");
        }
        machine.edge();
        sent += taken;
        if (arrived && (beat[LAST_BIT / 32] >> (LAST_BIT % 32) & 1)) {
            received++;
            deadline = machine.cycle + 100000;
            std::printf("frames %u\n", received);
            std::fflush(stdout);
        }
        if (machine.cycle > deadline) fail("no logits for 100000 cycles");
    }
    if (std::fclose(out)) fail("cannot write the result");
}
