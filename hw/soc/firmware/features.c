#include "features.h"

#include "tables.h"

enum { HALF = 256, LOG_HALF = 8, FRACTION = 20, PRIOR = 100, MEMORY = 300, LOUDEST = 29 };
#define FLOOR (4 << FRACTION)                       /* of a log energy */
#define LN2 INT64_C(1488522236)                     /* ln 2 in 2^-31 */
#define PRE_EMPHASIS INT64_C(2083059139)            /* 0.97 in 2^-31 */

static int32_t mean[FEATURES_BINS]; /* of the log energies, in 2^-20 */
static int32_t heard;
static int32_t re[HALF], im[HALF];

/* The high half of a product: one instruction. */
static int32_t high(int32_t a, int32_t b) { return (int32_t)(((int64_t)a * b) >> 32); }

static int32_t scaled(int32_t a, int32_t q31) { return (int32_t)(((int64_t)a * q31 + (1 << 30)) >> 31); }

void features_restart(void) {
    heard = 0;
    for (int bin = 0; bin < FEATURES_BINS; bin++) mean[bin] = mean_before[bin];
}

/* Samples less their mean, pre-emphasised and windowed, in the largest power of two that fits: even ones to `re`, odd
 * ones to `im`. Returns the exponent: values are samples x 2^exponent. */
static int frame_in(const int16_t *samples) {
    static int32_t x[2 * HALF];
    int32_t sum = 0, peak = 1, before = 0;
    for (int i = 0; i < FEATURES_WINDOW; i++) sum += samples[i];
    const int32_t offset = (int32_t)(((int64_t)sum * 4096) / FEATURES_WINDOW);
    for (int i = 0; i < FEATURES_WINDOW; i++) {
        const int32_t centred = samples[i] * 4096 - offset;
        if (i == 0) before = centred;
        x[i] = scaled((int32_t)(centred - ((before * PRE_EMPHASIS) >> 31)), window[i]);
        before = centred;
        const int32_t size = x[i] < 0 ? -x[i] : x[i];
        if (size > peak) peak = size;
    }
    int exponent = 0;
    while (peak < 1 << (LOUDEST - 1)) {
        peak *= 2;
        exponent++;
    }
    for (int i = 0; i < HALF; i++) {
        re[i] = 2 * i < FEATURES_WINDOW ? x[2 * i] * (1 << exponent) : 0;
        im[i] = 2 * i + 1 < FEATURES_WINDOW ? x[2 * i + 1] * (1 << exponent) : 0;
    }
    return 12 + exponent;
}

/* Entries i and j become their sum and difference, halved; j's is (r, q) already. */
static void cross(int i, int j, int32_t r, int32_t q) {
    const int32_t a = re[i] >> 1, b = im[i] >> 1;
    re[i] = a + r, im[i] = b + q;
    re[j] = a - r, im[j] = b - q;
}

/* Complex transform of 256 points in place, halved at each of its 8 stages, so that nothing overflows. The first two
 * stages turn by nothing and by a quarter, which needs no product. */
static void transform(void) {
    for (int i = 0, j = 0; i < HALF; i++) {
        if (i < j) {
            int32_t t = re[i];
            re[i] = re[j], re[j] = t;
            t = im[i], im[i] = im[j], im[j] = t;
        }
        int bit = HALF >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
    }
    for (int i = 0; i < HALF; i += 2) cross(i, i + 1, re[i + 1] >> 1, im[i + 1] >> 1);
    for (int i = 0; i < HALF; i += 4) {
        cross(i, i + 2, re[i + 2] >> 1, im[i + 2] >> 1);
        cross(i + 1, i + 3, im[i + 3] >> 1, -(re[i + 3] >> 1));
    }
    for (int half = 4, step = HALF / 4; half < HALF; half *= 2, step /= 2) {
        for (int k = 0; k < half; k++) {
            const int32_t c = cosine[k * step], s = sine[k * step]; /* exp(-2 pi i k step / 512) = c - i s */
            for (int i = k; i < HALF; i += 2 * half) {
                const int j = i + half;
                cross(i, j, high(re[j], c) + high(im[j], s), high(im[j], c) - high(re[j], s));
            }
        }
    }
}

/* Power of line k of the 512-point transform of the real samples, from the 256-point one of their pairs. */
static uint64_t power(int k) {
    const int m = (HALF - k) & (HALF - 1);
    const int32_t er = (re[k] >> 1) + (re[m] >> 1), ei = (im[k] >> 1) - (im[m] >> 1);
    const int32_t or_ = (im[k] >> 1) + (im[m] >> 1), oi = (re[m] >> 1) - (re[k] >> 1);
    const int32_t c = cosine[k], s = sine[k];
    const int32_t r = er + 2 * (high(or_, c) + high(oi, s)), q = ei + 2 * (high(oi, c) - high(or_, s));
    return (uint64_t)((int64_t)r * r) + (uint64_t)((int64_t)q * q);
}

/* log2 in 2^-20, of a number that is not zero: a table of 256 with straight lines between. */
static int32_t log_2(uint64_t value) {
    int whole = 63;
    while (!(value >> 63)) {
        value <<= 1;
        whole--;
    }
    const uint32_t at = (uint32_t)(value >> 55) & 0xff, part = (uint32_t)(value >> 39) & 0xffff;
    const int32_t low = log_table[at], step = log_table[at + 1] - low;
    return (whole << FRACTION) + low + (int32_t)((step * (int64_t)part) >> 16);
}

void features_frame(const int16_t *samples, int8_t *features) {
    static uint64_t lines[HALF];
    const int exponent = frame_in(samples);
    transform();
    for (int k = 0; k < HALF; k++) lines[k] = power(k) >> 16;
    heard++;
    const int32_t memory = PRIOR + heard < MEMORY ? PRIOR + heard : MEMORY;
    const uint16_t *weight = mel_weights;
    for (int bin = 0; bin < FEATURES_BINS; bin++) {
        uint64_t sum = 0;
        for (int k = mel_first[bin]; k < mel_end[bin]; k++) sum += lines[k] * *weight++;
        int32_t energy = FLOOR;
        if (sum) { /* energy = sum 2^(16 - 15) (256 / 2^exponent)^2 */
            const int32_t log = log_2(sum) + ((1 + 2 * (LOG_HALF - exponent)) * (1 << FRACTION));
            energy = (int32_t)((log * LN2) >> 31);
            if (energy < FLOOR) energy = FLOOR;
        }
        mean[bin] += (energy - mean[bin]) / memory;
        int64_t x = ((int64_t)(energy - mean[bin]) * per_deviation[bin] + (INT64_C(1) << (FRACTION + 15))) >>
                    (FRACTION + 16);
        if (x > 127) x = 127;
        if (x < -127) x = -127;
        features[bin] = (int8_t)x;
    }
}
