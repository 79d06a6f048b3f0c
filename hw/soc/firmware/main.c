/* Keywords in a recording: features, the network on the accelerator, the words over the serial port.
 *
 * Every second of the recording begins with a cleared network; the logits of its frames are summed, and the largest
 * sum's word is printed, a line a second. Then the cycles, apart for the front-end, the accelerator and the rest.
 */
#include "board.h"
#include "features.h"
#include "parcel.h"
#include "sottovoce.h"

static sv_device device;

static void need(sv_result result, const char *what) {
    if (result == SV_OK) return;
    print("error: ");
    print(what);
    print(": result ");
    print_number(result);
    print(", errors ");
    print_number(sv_errors(&device, 0));
    print("\n");
    finish(result);
}

static void print_count(const char *name, int64_t value) {
    print(name);
    print(" ");
    print_number(value);
    print("\n");
}

static const char *label(uint32_t index) {
    const char *text = (const char *)(uintptr_t)PARCEL.labels;
    while (index--)
        while (*text++) {
        }
    return text;
}

/* Sum of each output's logits over one second; returns the cycles spent on features. */
static uint64_t hear(uint32_t second, int32_t *sums) {
    static int32_t logits[SV_OUTPUTS];
    static int8_t frame[SV_FEATURES > FEATURES_BINS ? SV_FEATURES : FEATURES_BINS];
    uint64_t spent = 0;
    for (int i = 0; i < SV_OUTPUTS; i++) sums[i] = 0;
    need(sv_clear(&device), "clear");
    features_restart();
    for (uint32_t t = 0; t < PARCEL.frames; t++) {
        const int8_t *features = frame;
        if (PARCEL.kind == KIND_FEATURES) {
            features = (const int8_t *)(uintptr_t)PARCEL.data + (second * PARCEL.frames + t) * SV_FEATURES;
        } else {
            const uint32_t start = BOARD_CYCLES;
            features_frame((const int16_t *)(uintptr_t)PARCEL.data + second * FEATURES_RATE + t * FEATURES_SHIFT, frame);
            spent += BOARD_CYCLES - start;
        }
        need(sv_push(&device, features), "push");
        need(sv_pull(&device, logits), "pull");
        for (int i = 0; i < SV_OUTPUTS; i++) sums[i] += logits[i];
    }
    return spent;
}

int main(void) {
    static int32_t sums[SV_OUTPUTS];
    static sv_counts counts;
    uint64_t front_end = 0, accelerator = 0, all = 0;
    if (PARCEL.magic != PARCEL_MAGIC || PARCEL.classes > SV_OUTPUTS ||
        (PARCEL.kind == KIND_SOUND && SV_FEATURES != FEATURES_BINS)) {
        print("error: no parcel for this program\n");
        return 1;
    }
    uint32_t start = BOARD_CYCLES;
    need(sv_open(&device, ACCELERATOR), "open");
    need(sv_load_image(&device, (const uint32_t *)(uintptr_t)PARCEL.image, PARCEL.image_words), "load");
    const uint32_t loading = BOARD_CYCLES - start;
    for (uint32_t second = 0; second < PARCEL.seconds; second++) {
        need(sv_clear_counters(&device), "clear counters");
        start = BOARD_CYCLES;
        front_end += hear(second, sums);
        all += BOARD_CYCLES - start;
        need(sv_read_counts(&device, &counts), "counts");
        for (unsigned i = 0; i < sizeof counts.cycles / sizeof counts.cycles[0]; i++) accelerator += counts.cycles[i];
        uint32_t best = 0;
        for (uint32_t i = 1; i < PARCEL.classes; i++)
            if (sums[i] > sums[best]) best = i;
        print(label(best));
        print("\n");
    }
    uint32_t errors = 0;
    sv_errors(&device, &errors);
    print_count("# frames", (int64_t)PARCEL.seconds * PARCEL.frames);
    print_count("# cycles to load", loading);
    print_count("# cycles of the front-end", (int64_t)front_end);
    print_count("# cycles of the accelerator", (int64_t)accelerator);
    print_count("# cycles in all", (int64_t)all);
    print_count("# errors", errors);
    return errors != 0;
}
