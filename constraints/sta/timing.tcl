# Setup and hold of a mapped netlist. Set before: liberties, netlist, top, sdc, clock_period, driving_cell, load_pf.
# Works with OpenSTA 2.0 (Debian's package) and 3.1.
foreach path $liberties { read_liberty $path }
read_verilog $netlist
link_design $top
source $sdc
puts "SETUP [sta::format_time [sta::worst_slack_cmd max] 6]"
puts "HOLD [sta::format_time [sta::worst_slack_cmd min] 6]"
puts "PATH setup"
report_checks -path_delay max -format full_clock
puts "PATH hold"
report_checks -path_delay min -format full_clock
puts "END"
