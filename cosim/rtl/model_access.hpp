// What the compiled harnesses share: ports of any width, one clock cycle, the stimulus file, loading.
// `geometry.hpp` is written for each configuration by cosim/rtl/geometry.py.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <vector>

#include "Vaccelerator.h"
#include "Vaccelerator___024root.h"
#include "geometry.hpp"
#include "verilated.h"

// Verilator spells a double underscore ___05F.
#define PORT(stream, member) stream##___05F##member

inline void fail(const std::string& what) {
    std::fprintf(stderr, "harness: %s\n", what.c_str());
    std::exit(2);
}

// Ports are integers up to 64 bits and arrays of 32-bit words above.
template <typename Port>
void set_port(Port& port, const uint32_t* words) {
    if constexpr (std::is_integral_v<Port>) {
        uint64_t value = words[0];
        if constexpr (sizeof(Port) == 8) value |= static_cast<uint64_t>(words[1]) << 32;
        port = static_cast<Port>(value);
    } else {
        for (int i = 0; i < LOAD_WORDS; i++) port[i] = words[i];
    }
}

template <typename Port>
void get_port(const Port& port, uint32_t* words, int count) {
    if constexpr (std::is_integral_v<Port>) {
        words[0] = static_cast<uint32_t>(port);
        if constexpr (sizeof(Port) == 8) words[1] = static_cast<uint32_t>(static_cast<uint64_t>(port) >> 32);
    } else {
        for (int i = 0; i < count; i++) words[i] = port[i];
    }
}

class Machine {
public:
    VerilatedContext context;
    Vaccelerator top{&context};
    uint64_t cycle = 0;

    // Settle inputs before the edge, so that handshakes can be read; then the edge.
    void settle() { top.clk = 0; top.eval(); }
    void edge() { top.clk = 1; top.eval(); cycle++; }

    void reset() {
        top.PORT(x, valid) = 0; top.PORT(load, valid) = 0; top.PORT(logits, ready) = 1; top.rst = 1;
        for (int i = 0; i < 4; i++) { settle(); edge(); }
        top.rst = 0;
    }

    void load(const uint32_t* words) {
        set_port(top.PORT(load, payload), words);
        top.PORT(load, valid) = 1;
        for (int waited = 0;; waited++) {
            settle();
            const bool taken = top.PORT(load, ready);
            edge();
            if (taken) break;
            if (waited > 1000000) fail("the load port is never ready");
        }
        top.PORT(load, valid) = 0;
    }
};

// Little-endian 32-bit words: load count, clear word, utterance count, isolated, loads, then for each utterance its
// frame count and one word a feature.
struct Stimulus {
    std::vector<uint32_t> words;
    size_t at = 0;

    explicit Stimulus(const char* path) {
        std::FILE* file = std::fopen(path, "rb");
        if (!file) fail(std::string("cannot read ") + path);
        uint32_t buffer[4096];
        for (size_t n; (n = std::fread(buffer, 4, 4096, file)) > 0;) words.insert(words.end(), buffer, buffer + n);
        std::fclose(file);
    }
    uint32_t next() {
        if (at >= words.size()) fail("stimulus ends early");
        return words[at++];
    }
    const uint32_t* take(size_t count) {
        if (at + count > words.size()) fail("stimulus ends early");
        at += count;
        return &words[at - count];
    }
};
