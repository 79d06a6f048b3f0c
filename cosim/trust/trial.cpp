// Plays a script against each mutant of a Verilated accelerator until something differs from what the script expects.
//     trial SCRIPT NUMBER...
// Prints a line a mutant: `NUMBER alive CYCLES`, or `NUMBER CYCLE WHAT`. Each runs in a process of its own, so that one
// that does not settle ends alone. The script's words are made by cosim/trust/script.py, which documents them.
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <deque>

#include "model_access.hpp"

// As it is built for coverage, the program runs the design itself: `trial SCRIPT RECORD COVERAGE` leaves what the cycles
// were like (watched.hpp) and Verilator's own counts. Otherwise the netlist has ports for what is looked at here.
#ifdef COVERAGE
#include "verilated_cov.h"
#include "watched.hpp"
#define LOOK SEEN(top.rootp)
#define LOOK_WORD SEEN_WORD(top.rootp)
#define LOOK_STEP SEEN_STEP(top.rootp)
#define LOOK_SPIKES SEEN_SPIKES(top.rootp)
#define LOOK_POTENTIALS SEEN_POTENTIALS(top.rootp)
#else
#define LOOK top.seen
#define LOOK_WORD top.seen_word
#define LOOK_STEP top.seen_step
#define LOOK_SPIKES top.seen_spikes
#define LOOK_POTENTIALS top.seen_potentials
#endif

namespace {

enum Op : uint32_t { RESET = 1, LOAD, FRAMES, CHECK, PARTIAL, REST, ABANDON, STATES, WARP, UPSET, FLIP, GUARDED };
constexpr uint32_t NONE = 0xffffffff, ANY = 0xffffffff, BEHIND = 1u << 31, FLOWING = 1u << 31;
constexpr int PATIENCE = 20000;  // cycles without a beat, a feature or a load taken

struct Difference { std::string what; };

struct Chance {  // xorshift
    uint32_t state;
    uint32_t per_mille;
    bool operator()() {
        if (!per_mille) return false;
        state ^= state << 13; state ^= state >> 17; state ^= state << 5;
        return state % 1000 < per_mille;
    }
};

class Trial {
public:
    Machine machine;
    Vaccelerator& top = machine.top;

#ifdef COVERAGE
    std::FILE* record;

    Trial(Stimulus& script, std::FILE* record) : script(script), record(record) { machine.reset(); }
#else
    Trial(Stimulus& script, uint32_t mutant) : script(script) {
        top.mutant = mutant;
        machine.reset();
    }
#endif

    void play() {
        while (script.at < script.words.size()) {
            switch (script.next()) {
                case RESET: reset(); break;
                case LOAD: for (uint32_t n = script.next(); n; n--) load(); break;
                case FRAMES: frames(); break;
                case CHECK: check(); break;
                case PARTIAL: partial(); break;
                case REST: rest(); break;
                case ABANDON: abandon(); break;
                case STATES: states(); break;
                case WARP: warp(script.next()); break;
#if WATCHDOG
                case UPSET: upset(); break;
#endif
#if PARITY
                case FLIP: flip(); break;
                case GUARDED: guarded(); break;
#endif
                default: fail("no such operation in the script");
            }
        }
    }

    void edge() {
#ifdef COVERAGE
        uint32_t row[WATCHED] = {};
        watch(top, row);
        if (std::fwrite(row, sizeof row, 1, record) != 1) fail("cannot write the record");
#endif
        machine.edge();
    }

private:
    Stimulus& script;
    std::deque<const uint32_t*> beats;       // still expected
    std::deque<const uint32_t*> states_;     // likewise: word, step, potentials and spikes with their masks
    uint32_t sent = 0, counted = 0, errors = 0;  // features of the frame at hand; frames and refusals since a clear
    uint32_t bites = 0;                      // of the watchdog, since a clear
    bool dirty = false;                      // some row's parity is wrong
    uint32_t wrong_before = 0;               // wrong rows that a warp says there were, since a clear
    uint32_t due = 0;                        // beats of frames that are in whole
    int quiet = 0, offered = 0;              // cycles without progress; cycles a load has been on offer
    bool waiting = false;                    // a beat was on offer and not taken
    uint32_t held[LOGIT_WORDS];
    uint32_t noise = 1;
    bool x_taken = false, load_taken = false;

    static void need(bool ok, const char* what) { if (!ok) throw Difference{what}; }

    // One clock cycle with the inputs as set; everything that holds in any cycle is looked at.
    void cycle() {
        machine.settle();
        uint32_t beat[LOGIT_WORDS];
        get_port(top.PORT(logits, payload), beat, LOGIT_WORDS);
        const bool valid = top.PORT(logits, valid), load_ready = top.PORT(load, ready), x_ready = top.PORT(x, ready);
        const bool idle = top.idle;
        if (waiting) need(valid && !std::memcmp(beat, held, sizeof beat), "a waiting beat changed");
        if (valid && top.PORT(logits, ready)) {
            need(!beats.empty(), "a beat too many");
            need(!std::memcmp(beat, beats.front(), sizeof beat), "logits");
            need(due--, "a beat too early");
            beats.pop_front();
            quiet = 0;
        }
        if (LOOK) look();
        waiting = valid && !top.PORT(logits, ready);
        std::memcpy(held, beat, sizeof beat);
        need(!idle || (!valid && !due && !sent), "idle too early");
        need(!load_ready || (!sent && top.frames == counted), "load ready too early");
        need(!top.starved || sent, "starved without a frame");
        need(!idle || load_ready, "idle, but no load is taken");
        need(top.load_errors == (errors < 255 ? errors : 255), "load_errors");
#if WATCHDOG
        need(!top.bite, "bites");
        need(top.bites == (bites < 255 ? bites : 255) && top.hung == (bites > 0), "bites are not counted");
#endif
#if PARITY
        need(dirty || (!top.parity_wrong && !top.parity_failed && top.parity_errors == wrong_before), "parity errors");
#endif
        if (offered > 1 && !sent) need(!x_ready, "a frame begins before a load");
        if (!offered && idle) need(x_ready, "idle, but no feature is taken");
        x_taken = top.PORT(x, valid) && x_ready;
        load_taken = top.PORT(load, valid) && load_ready;
        offered = top.PORT(load, valid) ? offered + 1 : 0;
        edge();
        if (x_taken && ++sent == FEATURES) sent = 0, counted++, due += BEATS;
        if (x_taken || load_taken) quiet = 0;
        need(++quiet < PATIENCE, "hangs");
    }

    // A time step of a word of neurons: what the LIF unit is about to keep.
    void look() {
        uint32_t potentials[STATE_WORDS], spikes[SPIKE_WORDS];
        need(!states_.empty(), "a time step too many");
        const uint32_t* wanted = states_.front();
        states_.pop_front();
        need(LOOK_WORD == wanted[0] && LOOK_STEP == wanted[1], "a time step out of order");
        get_port(LOOK_POTENTIALS, potentials, STATE_WORDS);
        get_port(LOOK_SPIKES, spikes, SPIKE_WORDS);
        const uint32_t* at = wanted + 2;
        for (int i = 0; i < STATE_WORDS; i++, at += 2) need((potentials[i] & at[1]) == at[0], "potentials");
        for (int i = 0; i < SPIKE_WORDS; i++, at += 2) need((spikes[i] & at[1]) == at[0], "spikes");
    }
    void states() {
        constexpr int EACH = 2 + 2 * (STATE_WORDS + SPIKE_WORDS);
        for (uint32_t n = script.next(); n; n--) states_.push_back(script.take(EACH));
    }

    void reset() {
        const uint32_t cycles = script.next();
        offer(script.take(LOAD_WORDS));
        top.PORT(x, valid) = 0; top.rst = 1;
        for (uint32_t i = 0; i < cycles; i++) { machine.settle(); edge(); }
        top.PORT(load, valid) = 0; top.rst = 0;
        beats.clear();
        states_.clear();
        sent = counted = due = errors = bites = wrong_before = quiet = offered = 0;
        waiting = false;
        machine.settle();
        need(top.idle && !top.starved && !top.PORT(logits, valid), "not idle after a reset");
        need(top.PORT(x, ready) && top.PORT(load, ready), "a port is closed after a reset");
        const uint32_t values[COUNTERS] = {ALL_COUNTERS(top)};
        for (int i = 0; i < COUNTERS; i++) need(!values[i], "a counter after a reset");
    }

    // payload, then flags: bit 0 the word exists, bit 1 it clears counters
    void offer(const uint32_t* word) {
        set_port(top.PORT(load, payload), word);
        top.PORT(load, valid) = 1;
    }
    void took(uint32_t flags) {
        if (!(flags & 1)) errors++;
        if (flags & 2) errors = counted = bites = wrong_before = 0;
        top.PORT(load, valid) = 0;
        uint32_t nothing[LOAD_WORDS];  // of a word that is not valid the payload matters to nobody
        for (uint32_t& word : nothing) word = noise = noise * 1664525 + 1013904223;
        set_port(top.PORT(load, payload), nothing);
    }
    void load() {
        offer(script.take(LOAD_WORDS));
        const uint32_t flags = script.next();
        do cycle(); while (!load_taken);
        took(flags);
    }

    // features, frames, isolated, pauses and stalls (seed, per mille), when to offer a word (features taken by then),
    // the word and its flags; the features; the beats
    void frames() {
        const uint32_t features = script.next(), frames = script.next(), isolated = script.next();
        Chance pause{script.next(), script.next()}, stall{script.next(), script.next()};
        const uint32_t when = script.next();
        const uint32_t* word = script.take(LOAD_WORDS);
        const uint32_t flags = script.next();
        const uint32_t* x = script.take(features);
        for (uint32_t i = 0; i < frames * BEATS; i++) beats.push_back(script.take(LOGIT_WORDS));
        uint32_t given = 0;
        bool loaded = when == NONE, offering = false;
        while (given < features || !beats.empty() || !loaded) {
            const bool due_now = when & BEHIND ? given == features && beats.size() <= (when & ~BEHIND) : given >= when;
            if (!offering && !loaded && due_now) offer(word), offering = true;
            const bool wait = isolated && !sent && given && !top.idle;
            top.PORT(x, valid) = given < features && !wait && !pause();
            top.PORT(x, payload) = x[given < features ? given : 0] & 0xff;
            top.PORT(logits, ready) = !stall();
            cycle();
            given += x_taken;
            if (offering && load_taken) took(flags), offering = false, loaded = true;
        }
        top.PORT(x, valid) = 0;
        top.PORT(logits, ready) = 1;
    }

    // Part of a frame; then nothing but a load on offer, which must not be taken.
    void partial() {
        const uint32_t features = script.next(), cycles = script.next();
        const uint32_t* word = script.take(LOAD_WORDS);
        const uint32_t* x = script.take(features);
        for (uint32_t given = 0; given < features; given += x_taken) {
            top.PORT(x, valid) = 1;
            top.PORT(x, payload) = x[given] & 0xff;
            cycle();
        }
        top.PORT(x, valid) = 0;
        offer(word);
        for (uint32_t i = 0; i < cycles; i++) cycle();
        need(top.starved, "a frame starves and nothing says so");
        top.PORT(load, valid) = 0;
        cycle();
    }

    // Features that run for some cycles and lead nowhere: a reset follows.
    void abandon() {
        const uint32_t features = script.next(), wanted = script.next(), cycles = wanted & ~FLOWING;
        const uint32_t* x = script.take(features);
        top.PORT(logits, ready) = (wanted & FLOWING) != 0;
        uint32_t given = 0;
        for (uint32_t i = 0; i < cycles; i++) {
            top.PORT(x, valid) = given < features;
            top.PORT(x, payload) = x[given < features ? given : 0] & 0xff;
            machine.settle();
            given += top.PORT(x, valid) && top.PORT(x, ready);
            edge();
        }
        top.PORT(logits, ready) = 1;
    }

    void rest() {
        do cycle(); while (!top.idle);
        cycle();
    }

    // the netlist with mutants has a way to set all counters (mutation.py)
    void warp(uint32_t value) {
#ifdef COVERAGE
        set_counters(top, value);
#else
        top.warp = 1;
        top.warp_to = value;
        cycle();
        top.warp = 0;
#endif
        counted = wrong_before = value;
        cycle();
    }

#if WATCHDOG
    // what, value, cycles of a frame before, cycles until the bite, features; the features
    void upset() {
        const uint32_t what = script.next(), value = script.next(), how = script.next(), exactly = script.next();
        const uint32_t cycles = how & ~FLOWING, stalled = how & FLOWING ? 40 : 0;  // of the reader
        const uint32_t features = script.next();
        const uint32_t* x = script.take(features);
        top.PORT(logits, ready) = 1;
        for (uint32_t i = 0, given = 0; i < cycles; i++) {
            top.PORT(x, valid) = given < features;
            top.PORT(x, payload) = x[given < features ? given : 0] & 0xff;
            machine.settle();
            given += top.PORT(x, valid) && top.PORT(x, ready);
            edge();
        }
        top.PORT(x, valid) = 0;
#ifdef COVERAGE
        machine.settle(), edge();
        set_register(top, what, value);
#else
        top.upset = 1 << what, top.upset_to = value;
        machine.settle(), edge();
        top.upset = 0;
#endif
        for (uint32_t k = 0;; k++, edge()) {
            top.PORT(logits, ready) = k >= stalled;
            machine.settle();
            need(k < PATIENCE, "never bites");
            need(!top.bite || !top.PORT(logits, valid) || top.PORT(logits, ready), "a waiting beat is bitten away");
            if (!top.bite) continue;
            need(exactly == ANY || exactly == k, "bites at another time");
            break;
        }
        edge();
        machine.settle();
        need(top.idle && !top.starved && !top.PORT(logits, valid) && !top.bite, "not idle after a bite");
        bites++;
        beats.clear();
        states_.clear();
        sent = due = quiet = offered = 0, counted = top.frames, waiting = false;
        cycle();
    }
#endif

#if PARITY
    // a word that exists, as it is: its parity is stored wrong
    void flip() {
        const uint32_t* word = script.take(LOAD_WORDS);
        dirty = true;
        offer(word);
#ifdef COVERAGE
        do cycle(); while (!load_taken);
        turn_parity(top, word);
#else
        top.flip = 1;
        do cycle(); while (!load_taken);
        top.flip = 0;
#endif
        took(1);
    }
    // buffers that failed, wrong rows
    void guarded() {
        const uint32_t failed = script.next(), wrong = script.next();
        while (!top.idle) cycle();
        need(top.parity_failed == failed, "buffers with parity errors");
        need(top.parity_errors == wrong_before + wrong, "the count of parity errors");
        if (!failed && !wrong) dirty = false;
    }
#endif

    // for each counter: whether to look, and the value
    void check() {
        const uint32_t values[COUNTERS] = {ALL_COUNTERS(top)};
        for (int i = 0; i < COUNTERS; i++) {
            const uint32_t look = script.next(), wanted = script.next();
            need(!look || values[i] == wanted, "counters");
        }
        need(top.frames == counted, "frame counter");
        need(states_.empty(), "time steps are missing");
    }
};

#ifndef COVERAGE
std::string outcome(Stimulus& script, uint32_t number) {
    script.at = 0;
    Trial* trial = new Trial(script, number);  // its process ends at once
    std::string cycles;
    try {
        trial->play();
        return "alive " + std::to_string(trial->machine.cycle);
    } catch (const Difference& difference) {
        return std::to_string(trial->machine.cycle) + " " + difference.what;
    }
}

#endif

}  // namespace

#ifdef COVERAGE
int main(int argc, char** argv) {
    if (argc != 4) fail("usage: trial SCRIPT RECORD COVERAGE");
    Stimulus script(argv[1]);
    std::FILE* record = std::fopen(argv[2], "wb");
    if (!record) fail("cannot write the record");
    Trial trial(script, record);
    try {
        trial.play();
    } catch (const Difference& difference) {
        trial.edge(), std::fflush(record);  // the record ends with the cycle that differs
        fail("the design fails the scenarios: " + difference.what);
    }
    if (std::fclose(record)) fail("cannot write the record");
    trial.machine.context.coveragep()->write(argv[3]);
}
#else
int main(int argc, char** argv) {
    if (argc < 3) fail("usage: trial SCRIPT NUMBER...");
    Stimulus script(argv[1]);
    for (int i = 2; i < argc; i++) {
        std::fflush(stdout);
        const pid_t child = fork();
        if (child < 0) fail("cannot start a process");
        if (!child) {
            std::printf("%s %s\n", argv[i], outcome(script, std::atoi(argv[i])).c_str());
            std::fflush(stdout);
            _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        if (status) std::printf("%s 0 does not settle\n", argv[i]);
    }
}
#endif
