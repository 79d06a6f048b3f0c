// Runs utterances through the Verilated accelerator and records every frame (`Record` in utterance.hpp).
//     harness STIMULUS RESULT     whole utterances from a file; prints `frames N` as it goes
//     harness STIMULUS            frames as they come: pieces from stdin, their records to stdout
// A piece, in 32-bit words: a word for the load port (LOAD_WORDS), the number of frames, and one word a feature.
#include "utterance.hpp"

namespace {

void write(std::FILE* out, const Record& record) {
    if (std::fwrite(&record, sizeof record, 1, out) != 1) fail("cannot write the result");
}

// False where the words end before the first of them.
bool read(uint32_t* words, size_t count) {
    const size_t found = std::fread(words, sizeof *words, count, stdin);
    if (found != 0 && found != count) fail("a piece ends early");
    return found == count;
}

void serve_pieces(Machine& machine) {
    uint32_t load[LOAD_WORDS], frames;
    std::vector<uint32_t> features;
    while (read(load, LOAD_WORDS)) {
        if (!read(&frames, 1)) fail("a piece ends early");
        features.resize(static_cast<size_t>(frames) * FEATURES);
        if (!read(features.data(), features.size())) fail("a piece ends early");
        machine.load(load);
        run_utterance(machine, features.data(), frames, false, [](const Record& record) { write(stdout, record); });
        std::fflush(stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 3) fail("usage: harness STIMULUS [RESULT]");
    Stimulus stimulus(argv[1]);
    std::FILE* out = argc == 3 ? std::fopen(argv[2], "wb") : nullptr;
    if (argc == 3 && !out) fail(std::string("cannot write ") + argv[2]);

    Machine machine;
    const uint32_t loads = stimulus.next(), utterances = stimulus.next(), isolated = stimulus.next();
    const uint32_t* clear = stimulus.take(LOAD_WORDS);
    machine.reset();
    for (uint32_t i = 0; i < loads; i++) machine.load(stimulus.take(LOAD_WORDS));
    if (!out) {
        serve_pieces(machine);
        return 0;
    }
    uint32_t done = 0;
    for (uint32_t u = 0; u < utterances; u++) {
        const uint32_t frames = stimulus.next();
        const uint32_t* features = stimulus.take(static_cast<size_t>(frames) * FEATURES);
        machine.load(clear);
        run_utterance(machine, features, frames, isolated, [&](const Record& record) {
            write(out, record);
            if (++done % 16 == 0) { std::printf("frames %u\n", done); std::fflush(stdout); }
        });
    }
    machine.top.final();  // the Verilog may have something to say at the end: gates that ride along do
    if (std::fclose(out)) fail("cannot write the result");
    std::printf("frames %u\ncycles %llu\n", done, static_cast<unsigned long long>(machine.cycle));
}
