/* What stands around the core: hw/soc/system.py. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#define ACCELERATOR 0x80000000u
#define BOARD 0x90000000u
#define BOARD_SERIAL (*(volatile uint32_t *)(BOARD + 0)) /* write a character; reads 1 while busy */
#define BOARD_CYCLES (*(volatile uint32_t *)(BOARD + 4))
#define BOARD_FINISH (*(volatile uint32_t *)(BOARD + 8))
#define BOARD_FAULT (*(volatile uint32_t *)(BOARD + 12)) /* address of the first refused access | 1; a write clears */

void print(const char *text);
void print_number(int64_t value);
void print_hex(uint32_t value);
void finish(uint32_t code) __attribute__((noreturn));
void trapped(uint32_t cause, uint32_t at, uint32_t value) __attribute__((noreturn));

#endif
