// A board behind its serial port: bytes on stdin go down the line, bytes that come back go to stdout.
// Time passes while something is on the line or may still be answered; then it stands until more is sent.
#include <cstdint>
#include <cstdio>
#include <poll.h>
#include <unistd.h>

#include "Vboard.h"
#include "geometry.hpp"
#include "verilated.h"

namespace {

constexpr int BITS = 10;
constexpr int QUIET = 3 * BITS * DIVISOR;  // cycles without a bit on the line: an answer would have begun

constexpr int AWAKE = 100;                 // cycles until the board's own reset is over

class Sender {
public:
    bool idle() const { return left_ == 0; }
    void send(uint8_t byte) { bits_ = 1u << 9 | uint32_t(byte) << 1; left_ = BITS; wait_ = DIVISOR; }
    bool line() {
        if (!left_) return true;
        const bool bit = bits_ & 1;
        if (--wait_ == 0) { bits_ >>= 1; left_--; wait_ = DIVISOR; }
        return bit;
    }

private:
    uint32_t bits_ = 1;
    int left_ = 0, wait_ = 0;
};

class Listener {
public:
    bool idle() const { return bit_ < 0; }
    // true with a whole character in `value`
    bool hear(bool line, uint8_t& value) {
        if (bit_ < 0) {
            if (!line) { bit_ = 0; wait_ = DIVISOR + DIVISOR / 2; byte_ = 0; }
            return false;
        }
        if (--wait_) return false;
        wait_ = DIVISOR;
        if (bit_ < 8) { byte_ |= int(line) << bit_++; return false; }
        if (!line) { std::fprintf(stderr, "a character without a stop bit\n"); _exit(3); }
        bit_ = -1;
        value = uint8_t(byte_);
        return true;
    }

private:
    int bit_ = -1, wait_ = 0, byte_ = 0;
};

}  // namespace

int main() {
    VerilatedContext context;
    Vboard top{&context};
    Sender sender;
    Listener listener;
    uint8_t buffer[4096];
    ssize_t have = 0, next = 0;
    int quiet = 0;
    for (int cycle = 0;; cycle += cycle < AWAKE) {
        if (sender.idle() && cycle == AWAKE) {
            if (next == have && (quiet >= QUIET || quiet % DIVISOR == 0)) {
                pollfd in{0, POLLIN, 0};
                if (poll(&in, 1, quiet >= QUIET ? -1 : 0) > 0) {
                    next = 0;
                    have = read(0, buffer, sizeof buffer);
                    if (have <= 0) return 0;
                }
            }
            if (next < have) sender.send(buffer[next++]);
        }
        top.ftdi_txd = sender.line();
        top.clk_25mhz = 0;
        top.eval();
        uint8_t byte = 0;
        const bool heard = listener.hear(top.ftdi_rxd, byte);
        if (heard && write(1, &byte, 1) != 1) return 0;
        quiet = sender.idle() && listener.idle() && !heard ? quiet + 1 : 0;
        top.clk_25mhz = 1;
        top.eval();
    }
}
