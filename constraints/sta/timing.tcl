# Setup and hold of a mapped or routed netlist. Set before: liberties, netlist, top, sdc, clock_period, driving_cell,
# load_pf, spefs (instance and file in turn; none before layout). Works with OpenSTA 2.0 (Debian's package) and 3.1.
foreach path $liberties { read_liberty $path }
read_verilog $netlist
link_design $top
source $sdc
foreach {path file} $spefs {
  if {$path eq ""} { read_spef $file } else { read_spef -path $path $file }
}
# the clock's own arrival, where it has a tree
if {[llength $spefs]} { set_propagated_clock [all_clocks] }
puts "SETUP [sta::format_time [sta::worst_slack_cmd max] 6]"
puts "HOLD [sta::format_time [sta::worst_slack_cmd min] 6]"
puts "PATH setup"
report_checks -path_delay max -format full_clock
puts "PATH hold"
report_checks -path_delay min -format full_clock
foreach kind {max_slew max_capacitance} {
  puts "LIMIT $kind"
  if {[catch {report_check_types -$kind -violators}]} {
    # OpenSTA 2.0 calls slew transition and has no check of loads
    if {$kind eq "max_slew"} { report_check_types -max_transition -all_violators } else { puts "UNCHECKED" }
  }
}
puts "END"
