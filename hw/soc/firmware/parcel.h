/* What the loader leaves in memory for the program (cosim/rtl/soc.py makes it): a trained network and a recording. */
#ifndef PARCEL_H
#define PARCEL_H

#include <stdint.h>

enum { PARCEL_MAGIC = 0x4c435250, /* "PRCL" in memory order */
       KIND_FEATURES = 0,         /* int8 frames, ready */
       KIND_SOUND = 1 };          /* int16 samples at 16 kHz */

typedef struct {
    uint32_t magic;
    uint32_t kind;
    uint32_t image, image_words; /* address of the weights (hw/driver/image.py), and how many words */
    uint32_t labels, classes;    /* address of the words, each ended by a zero byte, and how many */
    uint32_t data;               /* address of the recording */
    uint32_t seconds;            /* pieces of one second each, answered one by one */
    uint32_t frames;             /* of a second */
} parcel_t;

extern const parcel_t PARCEL;

#endif
