// The accelerator on its bus, and the C driver on top: one command a line on stdin, one answer a line on stdout.
//     r ADDRESS | w ADDRESS VALUE        reply (0 okay, 2 refused, 3 nowhere) and value
//     open, image, mode, threshold, clear, clear_counters, push, pull, counts, errors, reset: calls of sottovoce.h
//     power | cycles | bus_errors        a reset of everything; cycles so far; accesses of the driver that failed
// Compiled with -DBUS_AXI for AXI4-Lite, without for Wishbone.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "Vbus.h"
#include "verilated.h"

#define SV_IO_EXTERNAL
#define SV_PATIENCE 20000u
extern "C" {
#include "sottovoce.c"
}

namespace {

constexpr int PATIENCE = 1000;  // cycles that the bus may take to answer
VerilatedContext context;
Vbus top{&context};
uint64_t cycle = 0, bus_errors = 0;

void settle() { top.clk = 0; top.eval(); }
void edge() { top.clk = 1; top.eval(); cycle++; }
void tick() { settle(); edge(); }

[[noreturn]] void hang() {
    std::fprintf(stderr, "the bus does not answer for %d cycles\n", PATIENCE);
    std::exit(3);
}

#ifdef BUS_AXI
// Hold `valid` until `ready` was seen before an edge.
template <typename Valid, typename Ready>
void offer(Valid& valid, const Ready& ready) {
    valid = 1;
    for (int i = 0;; i++) {
        settle();
        const bool taken = ready;
        edge();
        if (taken) break;
        if (i > PATIENCE) hang();
    }
    valid = 0;
}

template <typename Valid, typename Ready, typename Take>
void await(const Valid& valid, Ready& ready, Take take) {
    ready = 1;
    for (int i = 0;; i++) {
        settle();
        const bool there = valid;
        if (there) take();
        edge();
        if (there) break;
        if (i > PATIENCE) hang();
    }
    ready = 0;
}

int read_word(uint32_t address, uint32_t& value) {
    int reply = 0;
    top.s_axil_araddr = address;
    offer(top.s_axil_arvalid, top.s_axil_arready);
    await(top.s_axil_rvalid, top.s_axil_rready, [&] { value = top.s_axil_rdata; reply = top.s_axil_rresp; });
    return reply;
}

int write_word(uint32_t address, uint32_t value) {
    int reply = 0;
    top.s_axil_awaddr = address;
    top.s_axil_wdata = value;
    top.s_axil_wstrb = 0xf;
    offer(top.s_axil_awvalid, top.s_axil_awready);
    offer(top.s_axil_wvalid, top.s_axil_wready);
    await(top.s_axil_bvalid, top.s_axil_bready, [&] { reply = top.s_axil_bresp; });
    return reply;
}
#else
int access(uint32_t address, bool write, uint32_t& value) {
    top.wb_cyc = top.wb_stb = 1;
    top.wb_we = write;
    top.wb_adr = address >> 2;
    top.wb_dat_w = value;
    top.wb_sel = 0xf;
    for (int i = 0;; i++) {
        settle();
        const bool ack = top.wb_ack, err = top.wb_err;
        if (ack && !write) value = top.wb_dat_r;
        edge();
        if (ack || err) {
            top.wb_cyc = top.wb_stb = 0;
            return err ? 2 : 0;
        }
        if (i > PATIENCE) hang();
    }
}

int read_word(uint32_t address, uint32_t& value) { return access(address, false, value); }
int write_word(uint32_t address, uint32_t value) { return access(address, true, value); }
#endif

void power() {
    top.rst = 1;
    tick();
    tick();
    top.rst = 0;
    tick();
    bus_errors = 0;
}

sv_device device;

void answer(sv_result result, const std::vector<int64_t>& values = {}) {
    std::cout << int(result);
    for (const int64_t value : values) std::cout << ' ' << value;
    std::cout << std::endl;
}

void call(const std::string& name, const std::vector<int64_t>& given) {
    const auto at = [&](size_t i) { return i < given.size() ? uint32_t(given[i]) : 0u; };
    if (name == "r") {
        uint32_t value = 0;
        const int reply = read_word(at(0), value);
        std::cout << reply << ' ' << value << std::endl;
    } else if (name == "w") {
        std::cout << write_word(at(0), at(1)) << std::endl;
    } else if (name == "power") {
        power();
        answer(SV_OK);
    } else if (name == "cycles") {
        answer(SV_OK, {int64_t(cycle)});
    } else if (name == "bus_errors") {
        answer(SV_OK, {int64_t(bus_errors)});
    } else if (name == "open") {
        answer(sv_open(&device, at(0)));
    } else if (name == "reset") {
        sv_reset(&device);
        answer(SV_OK);
    } else if (name == "image") {
        std::vector<uint32_t> image(given.begin(), given.end());
        answer(sv_load_image(&device, image.data(), image.size()));
    } else if (name == "mode") {
        answer(sv_set_mode(&device, at(0)));
    } else if (name == "threshold") {
        answer(sv_set_threshold(&device, at(0), at(1)));
    } else if (name == "clear") {
        answer(sv_clear(&device));
    } else if (name == "clear_counters") {
        answer(sv_clear_counters(&device));
    } else if (name == "push") {
        std::vector<int8_t> features(given.begin(), given.end());
        features.resize(SV_FEATURES);
        answer(sv_push(&device, features.data()));
    } else if (name == "pull") {
        std::vector<int32_t> logits(SV_OUTPUTS);
        const sv_result result = sv_pull(&device, logits.data());
        answer(result, {logits.begin(), logits.end()});
    } else if (name == "counts") {
        sv_counts counts;
        const sv_result result = sv_read_counts(&device, &counts);
        std::vector<int64_t> values{counts.frames};
        values.insert(values.end(), std::begin(counts.cycles), std::end(counts.cycles));
        values.insert(values.end(), std::begin(counts.row_reads), std::end(counts.row_reads));
        answer(result, values);
    } else if (name == "errors") {
        uint32_t count = 0;
        const uint32_t bits = sv_errors(&device, &count);
        answer(SV_OK, {bits, count});
    } else {
        std::fprintf(stderr, "no command %s\n", name.c_str());
        std::exit(2);
    }
}

}  // namespace

uint32_t sv_io_read(uintptr_t address) {
    uint32_t value = 0;
    bus_errors += read_word(uint32_t(address), value) != 0;
    return value;
}

void sv_io_write(uintptr_t address, uint32_t value) { bus_errors += write_word(uint32_t(address), value) != 0; }

int main() {
    power();
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        std::vector<int64_t> given;
        for (int64_t value; words >> value;) given.push_back(value);
        call(name, given);
    }
}
