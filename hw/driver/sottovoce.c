#include "sottovoce.h"

#define REG(name) offsetof(sottovoce_t, name)
#define MEMBERS(array) (sizeof(((sottovoce_t *)0)->array) / sizeof(uint32_t))
#define LOAD_WORDS MEMBERS(load_data)
#define IMAGE_MAGIC 0x4d495653u /* "SVIM" in memory order */
#define IMAGE_CHECK 4
#define IMAGE_HEADER 5

static uint32_t get(const sv_device *dev, size_t offset) { return sv_io_read(dev->base + offset); }
static void put(const sv_device *dev, size_t offset, uint32_t value) { sv_io_write(dev->base + offset, value); }

static int is_busy(const sv_device *dev) { return (get(dev, REG(status)) & SOTTOVOCE__STATUS__BUSY_bm) != 0; }

static sv_result outcome(const sv_device *dev) {
    return get(dev, REG(status)) & SOTTOVOCE__STATUS__ERROR_bm ? SV_REFUSED : SV_OK;
}

/* A setting is refused while a frame is in flight; better not to ask. */
static sv_result set(const sv_device *dev, size_t offset, uint32_t value) {
    if (is_busy(dev)) return SV_BUSY;
    put(dev, offset, value);
    return outcome(dev);
}

sv_result sv_open(sv_device *dev, uintptr_t base) {
    dev->base = base;
    if (get(dev, REG(id)) != SOTTOVOCE__ID__MAGIC_reset) return SV_NO_DEVICE;
    if (get(dev, REG(version)) >> SOTTOVOCE__VERSION__MAJOR_NUMBER_bp != SOTTOVOCE__VERSION__MAJOR_NUMBER_reset)
        return SV_NO_DEVICE;
    if (get(dev, REG(config_hash)) != SOTTOVOCE__CONFIG_HASH__HASH_reset) return SV_WRONG_CONFIG;
    sv_reset(dev);
    put(dev, REG(irq_enable), 0);
    put(dev, REG(irq_status), 0xf);
    (void)sv_errors(dev, NULL);
    return SV_OK;
}

void sv_reset(sv_device *dev) { put(dev, REG(control), SOTTOVOCE__CONTROL__RESET_bm); }

sv_result sv_load(sv_device *dev, uint32_t buffer, uint32_t row, const uint32_t *words, size_t count) {
    if (is_busy(dev)) return SV_BUSY;
    put(dev, REG(load_buffer), buffer);
    put(dev, REG(load_row), row);
    put(dev, REG(load_slice), 0);
    for (size_t i = 0; i < count; i++) put(dev, REG(load_data) + 4 * (i % LOAD_WORDS), words[i]);
    return outcome(dev);
}

/* FNV-1a, a word at a time, over all words but the check word itself. */
static uint32_t check_word(const uint32_t *image, size_t words) {
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < words; i++)
        if (i != IMAGE_CHECK) value = (value ^ image[i]) * 16777619u;
    return value;
}

/* magic, configuration, mode, layers, check word, a threshold a layer; then buffer, row, words, data ... until the end. */
sv_result sv_load_image(sv_device *dev, const uint32_t *image, size_t words) {
    const size_t layers = MEMBERS(threshold);
    size_t at = IMAGE_HEADER + layers;
    if (words < at || image[0] != IMAGE_MAGIC || image[3] != layers) return SV_BAD_IMAGE;
    if (image[1] != SOTTOVOCE__CONFIG_HASH__HASH_reset) return SV_WRONG_CONFIG;
    if (image[IMAGE_CHECK] != check_word(image, words)) return SV_BAD_IMAGE;
    while (at < words) {
        if (words - at < 3 || image[at + 2] > words - at - 3) return SV_BAD_IMAGE;
        const sv_result result = sv_load(dev, image[at], image[at + 1], &image[at + 3], image[at + 2]);
        if (result) return result;
        at += 3 + image[at + 2];
    }
    for (uint32_t layer = 0; layer < layers; layer++) {
        const uint32_t threshold = image[IMAGE_HEADER + layer];
        if (threshold == 0) continue; /* its neurons have thresholds of their own */
        const sv_result result = sv_set_threshold(dev, layer, threshold);
        if (result) return result;
    }
    const sv_result result = sv_set_mode(dev, image[2]);
    if (result) return result;
    return set(dev, REG(control), SOTTOVOCE__CONTROL__CLEAR_STATE_bm | SOTTOVOCE__CONTROL__CLEAR_COUNTERS_bm);
}

sv_result sv_set_mode(sv_device *dev, uint32_t mode) { return set(dev, REG(mode), mode); }

sv_result sv_set_threshold(sv_device *dev, uint32_t layer, uint32_t value) {
    if (layer >= MEMBERS(threshold)) return SV_NO_LAYER;
    return set(dev, REG(threshold) + 4 * (size_t)layer, value);
}

sv_result sv_clear(sv_device *dev) { return set(dev, REG(control), SOTTOVOCE__CONTROL__CLEAR_STATE_bm); }

sv_result sv_clear_counters(sv_device *dev) { return set(dev, REG(control), SOTTOVOCE__CONTROL__CLEAR_COUNTERS_bm); }

sv_result sv_push(sv_device *dev, const int8_t *features) {
    uint32_t left = SV_PATIENCE;
    while (!(get(dev, REG(status)) & SOTTOVOCE__STATUS__FEATURE_READY_bm))
        if (--left == 0) return SV_TIMEOUT;
    for (int i = 0; i < SV_FEATURES; i += 4) {
        uint32_t word = 0;
        for (int j = 0; j < 4 && i + j < SV_FEATURES; j++) word |= (uint32_t)(uint8_t)features[i + j] << 8 * j;
        put(dev, REG(features), word);
    }
    return SV_OK;
}

sv_result sv_pull(sv_device *dev, int32_t *logits) {
    uint32_t left = SV_PATIENCE;
    for (int got = 0; got < SV_OUTPUTS;) {
        uint32_t ready = get(dev, REG(status)) >> SOTTOVOCE__STATUS__RESULTS_bp;
        if (ready == 0 && --left == 0) return SV_TIMEOUT;
        for (; ready; ready--) logits[got++] = (int32_t)get(dev, REG(result));
    }
    return SV_OK;
}

#ifdef SOTTOVOCE__FRAMES__COUNT_bm
sv_result sv_read_counts(sv_device *dev, sv_counts *counts) {
    counts->frames = get(dev, REG(frames));
    for (int i = 0; i < (int)MEMBERS(cycles); i++) counts->cycles[i] = get(dev, REG(cycles) + 4 * (size_t)i);
    for (int i = 0; i < (int)MEMBERS(row_reads); i++) counts->row_reads[i] = get(dev, REG(row_reads) + 4 * (size_t)i);
    return outcome(dev);
}
#endif

uint32_t sv_errors(sv_device *dev, uint32_t *count) {
    const uint32_t bits = get(dev, REG(errors));
    put(dev, REG(errors), bits);
    if (count) *count = get(dev, REG(error_count));
    put(dev, REG(error_count), 0);
    return bits;
}
