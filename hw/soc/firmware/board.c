#include "board.h"

static void print_character(char c) {
    while (BOARD_SERIAL) {
    }
    BOARD_SERIAL = (uint8_t)c;
}

void print(const char *text) {
    while (*text) print_character(*text++);
}

void print_number(int64_t value) {
    char digits[20];
    int count = 0;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (value < 0) print_character('-');
    do digits[count++] = (char)('0' + left % 10);
    while (left /= 10);
    while (count) print_character(digits[--count]);
}

void print_hex(uint32_t value) {
    print("0x");
    for (int shift = 28; shift >= 0; shift -= 4) print_character("0123456789abcdef"[value >> shift & 0xf]);
}

void finish(uint32_t code) {
    while (BOARD_SERIAL) {
    }
    BOARD_FINISH = code;
    for (;;) {
    }
}

void trapped(uint32_t cause, uint32_t at, uint32_t value) {
    const uint32_t fault = BOARD_FAULT;
    if (fault) {
        print("error: the bus refused an access to ");
        print_hex(fault & ~1u);
    } else {
        print("error: trap of cause ");
        print_hex(cause);
        print(", value ");
        print_hex(value);
    }
    print(" near ");
    print_hex(at);
    print("\n");
    finish(fault ? 101 : 100);
}

/* The compiler may call these for loops of ours. */
void *memset(void *to, int value, unsigned long count) {
    for (unsigned long i = 0; i < count; i++) ((volatile uint8_t *)to)[i] = (uint8_t)value;
    return to;
}

void *memcpy(void *to, const void *from, unsigned long count) {
    for (unsigned long i = 0; i < count; i++) ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}
