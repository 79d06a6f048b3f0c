/* The accelerator's features in fixed point: 40 log-mel energies less their running mean, int8, a frame in 10 ms.
 *
 * What sw/features/causal.py does in floating point, in 32-bit integers with 64-bit products; tables.h is generated
 * from the model (sw/features/fixed_point.py); cosim/rtl/front_end.py states the error.
 */
#ifndef FEATURES_H
#define FEATURES_H

#include <stdint.h>

enum { FEATURES_RATE = 16000, FEATURES_SHIFT = 160, FEATURES_WINDOW = 400, FEATURES_BINS = 40 };

/* The running mean starts again from the training set's: a new utterance. */
void features_restart(void);

/* 400 samples -> 40 features. Frames of an utterance in order: the mean runs along. */
void features_frame(const int16_t *samples, int8_t *features);

#endif
