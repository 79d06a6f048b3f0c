# Reset: trap vector, stack, zeroed variables, main; a trap prints its cause and ends the program.
    .section .start, "ax"
    .globl start
start:
    la   t0, trap
    csrw mtvec, t0
    la   sp, PARCEL
    csrwi mie, 8             # the software interrupt: an access that was refused
    csrwi mstatus, 8
    la   t0, bss_start
    la   t1, bss_end
1:  bgeu t0, t1, 2f
    sw   zero, 0(t0)
    addi t0, t0, 4
    j    1b
2:  call main
    j    finish              # with main's result in a0

    .balign 4
trap:
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    call trapped
