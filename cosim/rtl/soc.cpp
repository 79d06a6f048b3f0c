// The system around the accelerator: memory, and a listener on the serial line that prints what it hears.
//     soc PROGRAM PARCEL ADDRESS LIMIT [TRACE CYCLES]     files: the program goes to 0, the parcel to ADDRESS
// TRACE gets what the core's buses carry in each of the first CYCLES cycles, five words of 32 bits each.
// Ends when the program does, with its code on stderr and the cycles that it took; after LIMIT cycles with code 2.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "Vsoc.h"
#include "geometry.hpp"
#include "verilated.h"

namespace {

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "soc: %s\n", what.c_str());
    std::exit(2);
}

void read_into(std::vector<uint32_t>& memory, const char* path, size_t address) {
    std::FILE* file = std::fopen(path, "rb");
    if (!file) fail(std::string("cannot read ") + path);
    auto* bytes = reinterpret_cast<unsigned char*>(memory.data());
    const size_t room = memory.size() * 4 - address;
    const size_t got = std::fread(bytes + address, 1, room, file);
    if (got == room && std::fgetc(file) != EOF) fail(std::string(path) + " does not fit into the system's memory");
    std::fclose(file);
}

// Samples the line in the middle of each bit, as any serial receiver does.
class Listener {
public:
    void hear(bool line) {
        if (bit_ < 0) {
            if (!line) { bit_ = 0; wait_ = DIVISOR + DIVISOR / 2; value_ = 0; }
        } else if (--wait_ == 0) {
            if (bit_ == 8) {
                if (!line) fail("a character without a stop bit on the serial line");
                std::putchar(value_);
                if (value_ == '\n') std::fflush(stdout);
                bit_ = -1;
            } else {
                value_ |= static_cast<int>(line) << bit_++;
                wait_ = DIVISOR;
            }
        }
    }

private:
    int bit_ = -1, wait_ = 0, value_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5 && argc != 7) fail("usage: soc PROGRAM PARCEL ADDRESS LIMIT [TRACE CYCLES]");
    VerilatedContext context;
    Vsoc top{&context};
    std::vector<uint32_t> memory(RAM_WORDS);
    read_into(memory, argv[1], 0);
    read_into(memory, argv[2], std::strtoull(argv[3], nullptr, 0));
    const uint64_t limit = std::strtoull(argv[4], nullptr, 0);
    std::FILE* trace = argc == 7 ? std::fopen(argv[5], "wb") : nullptr;
    if (argc == 7 && !trace) fail(std::string("cannot write ") + argv[5]);
    const uint64_t traced = argc == 7 ? std::strtoull(argv[6], nullptr, 0) : 0;
    Listener listener;
    uint64_t cycle = 0;
    top.rst = 1;
    for (; cycle < limit && !top.done; cycle++) {
        if (cycle == 4) top.rst = 0;
        top.clk = 0;
        top.eval();
        const bool select = top.ram_select;
        uint32_t read = 0;
        if (select) {
            uint32_t& word = memory[top.ram_address];
            read = word;
            for (int byte = 0; byte < 4; byte++) {
                const uint32_t mask = 0xffu << 8 * byte;
                if (top.ram_write >> byte & 1) word = (word & ~mask) | (top.ram_write_data & mask);
            }
        }
        listener.hear(top.tx);
        if (cycle < traced) {
            const uint32_t seen[5] = {top.seen_flags, top.seen_read, top.seen_fetch, top.seen_access, top.seen_write};
            if (std::fwrite(seen, sizeof seen, 1, trace) != 1) fail(std::string("cannot write ") + argv[5]);
            if (cycle + 1 == traced && std::fflush(trace)) fail(std::string("cannot write ") + argv[5]);
        }
        top.clk = 1;
        top.eval();
        if (select) top.ram_read_data = read;
    }
    std::fflush(stdout);
    if (trace && std::fclose(trace)) fail(std::string("cannot write ") + argv[5]);
    if (!top.done) fail("the program has not ended after " + std::to_string(limit) + " cycles");
    std::fprintf(stderr, "exit %u\ncycles %llu\n", top.exit_code, static_cast<unsigned long long>(cycle));
}
