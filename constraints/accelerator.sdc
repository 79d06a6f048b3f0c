# Clock and port timing. The flow sets before it reads this file:
#   clock_period   ns
#   driving_cell, load_pf   what surrounds the ports; from the library
# a block without registers is timed against a clock that has no port
if {[llength [get_ports -quiet clk]]} {
  create_clock -name clk -period $clock_period [get_ports clk]
} else {
  create_clock -name clk -period $clock_period
}
# jitter and the skew that the clock tree will have; skew alone matters for hold
set_clock_uncertainty -setup [expr {$clock_period > 1000 ? 1.0 : 0.05 * $clock_period}] [get_clocks clk]
set_clock_uncertainty -hold 0.1 [get_clocks clk]
set_clock_transition 0.1 [get_clocks clk]

set data_inputs {}
foreach port [all_inputs] {
  if {[get_property $port full_name] ne "clk"} { lappend data_inputs $port }
}
# a third of the period belongs to the neighbours
set_input_delay [expr {0.3 * $clock_period}] -clock clk $data_inputs
set_output_delay [expr {0.3 * $clock_period}] -clock clk [all_outputs]
set_driving_cell -lib_cell $driving_cell $data_inputs
set_load $load_pf [all_outputs]
# The reset is synchronous: an ordinary input. Its release is timed like any other.
# The mode stands still while a frame runs. It is written on the load port, which is open between frames only
# (hw/load_port.py); a frame begins with the slots of its features and a slot of `combine`, which do not look at it, so
# that two edges at least lie between its change and the first slot that does (hw/sequencer.py).
set static_registers [get_cells -quiet -hierarchical *mode_register_*_reg]
if {[llength $static_registers]} {
  set_multicycle_path 2 -setup -from $static_registers
  set_multicycle_path 1 -hold -from $static_registers
}
