// The least a C++ main can do with the same Verilated model: load it, offer features, toggle the clock.
//     bare STIMULUS CYCLES
// The yardstick for the rate of the harness and of cocotb.
#include <ctime>

#include "model_access.hpp"

int main(int argc, char** argv) {
    if (argc != 3) fail("usage: bare STIMULUS CYCLES");
    Stimulus stimulus(argv[1]);
    const uint64_t cycles = std::strtoull(argv[2], nullptr, 10);
    Machine machine;
    Vaccelerator& top = machine.top;
    const uint32_t loads = stimulus.next();
    stimulus.next();
    stimulus.next();
    stimulus.take(LOAD_WORDS);
    machine.reset();
    for (uint32_t i = 0; i < loads; i++) machine.load(stimulus.take(LOAD_WORDS));
    const uint32_t frames = stimulus.next();
    const uint32_t* features = stimulus.take(static_cast<size_t>(frames) * FEATURES);
    uint64_t sent = 0;
    const uint64_t total = static_cast<uint64_t>(frames) * FEATURES;
    top.PORT(x, valid) = 1;
    const std::clock_t start = std::clock();  // processor time: other work on the machine does not count
    for (uint64_t i = 0; i < cycles; i++) {
        top.PORT(x, payload) = features[sent] & 0xff;
        machine.settle();
        sent += top.PORT(x, ready);
        if (sent == total) sent = 0;
        machine.edge();
    }
    const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    std::printf("cycles %llu\nseconds %.6f\n", static_cast<unsigned long long>(cycles), took);
}
