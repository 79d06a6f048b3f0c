# Clock tree, then setup and hold repaired with the clock's real arrival at every corner.
resume 03_place 0
if {[llength [get_ports -quiet clk]]} {
  repair_clock_inverters
  clock_tree_synthesis -root_buf $clock_root_buffer -buf_list $clock_buffers -sink_clustering_enable \
    -balance_levels
  set_propagated_clock [all_clocks]
  estimate_parasitics -placement
  repair_clock_nets
  detailed_placement
}
estimate_parasitics -placement
# a net that a repair made may be slow itself: twice round
foreach round {1 2} {
  repair_timing -setup
  repair_timing -hold -hold_margin $hold_margin -allow_setup_violations
  repair_design -slew_margin $repair_margin -cap_margin $repair_margin
  detailed_placement
  estimate_parasitics -placement
}
connect_power
check_placement -verbose
report_clock_skew
figure_timing
leave 04_clock
