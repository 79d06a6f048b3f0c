/* Driver of the Sottovoce accelerator for bare metal: C99, freestanding, no allocation, no interrupts needed.
 *
 * Compile it with `accelerator.h` and `registers.h` of the configuration (`sottovoce verilog --bus wishbone`): both are
 * generated, and `sv_open` refuses hardware of another configuration. Every call that waits gives up after
 * SV_PATIENCE polls. No call makes the bus answer with an error while the hardware is what the headers say.
 *
 *     sv_device dev;
 *     if (sv_open(&dev, 0x80000000u) || sv_load_image(&dev, image, image_words)) ...
 *     sv_clear(&dev);                      a new utterance
 *     sv_push(&dev, features);             SV_FEATURES signed bytes
 *     sv_pull(&dev, logits);               SV_OUTPUTS numbers
 */
#ifndef SOTTOVOCE_H
#define SOTTOVOCE_H

#include <stddef.h>
#include <stdint.h>

#include "accelerator.h"
#include "registers.h"

#ifndef SV_PATIENCE
#define SV_PATIENCE 1000000u /* polls of the status register */
#endif

typedef enum {
    SV_OK = 0,
    SV_NO_DEVICE,    /* nothing that says SOTT at this address, or another version of the register map */
    SV_WRONG_CONFIG, /* hardware or image was made from another configuration */
    SV_TIMEOUT,      /* not ready within SV_PATIENCE polls */
    SV_BUSY,         /* a frame is in flight: pull its logits first */
    SV_REFUSED,      /* the hardware refused an access: see sv_errors */
    SV_BAD_IMAGE,    /* not an image of weights, or a damaged one; the hardware is as it was */
    SV_NO_LAYER      /* a threshold of a layer that the network does not have */
} sv_result;

typedef struct {
    uintptr_t base;
} sv_device;

#ifdef SOTTOVOCE__FRAMES__COUNT_bm /* the configuration has counters */
typedef struct {
    uint32_t frames;
    uint32_t cycles[sizeof(((sottovoce_t *)0)->cycles) / 4];       /* by SV_CYCLES_... */
    uint32_t row_reads[sizeof(((sottovoce_t *)0)->row_reads) / 4]; /* by SV_READS_... */
} sv_counts;
#endif

/* Check who is there and reset the accelerator; errors and interrupts are cleared. Weights stay. */
sv_result sv_open(sv_device *dev, uintptr_t base);

/* Abandon frames in flight: thresholds are 1 and the mode is 0 afterwards, tables of neurons are to be loaded again;
 * weights stay. Loading the image again is always right. */
void sv_reset(sv_device *dev);

/* Load `count` 32-bit words into a weight buffer, from the first slice of `row` on. */
sv_result sv_load(sv_device *dev, uint32_t buffer, uint32_t row, const uint32_t *words, size_t count);

/* Load all that an image holds: weights, thresholds, mode; state and counters are cleared. */
sv_result sv_load_image(sv_device *dev, const uint32_t *image, size_t words);

sv_result sv_set_mode(sv_device *dev, uint32_t mode); /* SV_MODE_... */
sv_result sv_set_threshold(sv_device *dev, uint32_t layer, uint32_t value);
sv_result sv_clear(sv_device *dev);          /* potentials and spikes */
sv_result sv_clear_counters(sv_device *dev);

/* Give a frame: SV_FEATURES values. Waits for room; up to three frames may be in flight before their logits are
 * pulled. */
sv_result sv_push(sv_device *dev, const int8_t *features);

/* Take the oldest frame's SV_OUTPUTS logits; waits for them. */
sv_result sv_pull(sv_device *dev, int32_t *logits);

#ifdef SOTTOVOCE__FRAMES__COUNT_bm
/* Counts since the last clear. */
sv_result sv_read_counts(sv_device *dev, sv_counts *counts);
#endif

/* Errors since the last call, bits SOTTOVOCE__ERRORS__..._bm; `count` (may be NULL) is how many. Clears both. */
uint32_t sv_errors(sv_device *dev, uint32_t *count);

/* How a word is read and written. Define SV_IO_EXTERNAL to supply them: a bus behind a wire, or a simulator. */
#ifdef SV_IO_EXTERNAL
#ifdef __cplusplus
extern "C" {
#endif
uint32_t sv_io_read(uintptr_t address);
void sv_io_write(uintptr_t address, uint32_t value);
#ifdef __cplusplus
}
#endif
#else
static inline uint32_t sv_io_read(uintptr_t address) { return *(volatile const uint32_t *)address; }
static inline void sv_io_write(uintptr_t address, uint32_t value) { *(volatile uint32_t *)address = value; }
#endif

#endif
