# One block from netlist to global route on the `openroad` found on PATH; written for the command set of 2022 and later.
# The settings come from a file that hw.flow.openroad writes: see `settings` there for what each means.
foreach path $lefs { read_lef $path }
foreach path $liberties { read_liberty $path }
read_verilog $netlist
link_design $top
source $sdc

puts "STEP floorplan"
if {[llength $macro_names]} {
  initialize_floorplan -site $site -die_area $die_area -core_area $core_area
} else {
  initialize_floorplan -site $site -utilization $utilisation -aspect_ratio 1.0 -core_space 10
}
source [file join $script_dir tracks.tcl]
set dbu [[ord::get_db_tech] getDbUnitsPerMicron]
foreach macro $macro_names place $macro_places {
  lassign $place x y orient
  set inst [[ord::get_db_block] findInst $macro]
  if {$inst eq "NULL"} { puts "ERROR macro $macro is not in the netlist"; exit 1 }
  $inst setOrient $orient
  $inst setLocation [expr {int($x * $dbu)}] [expr {int($y * $dbu)}]
  $inst setPlacementStatus FIRM
}
# behind the macros at the top a pin's net would have to go round them all
if {[llength $macro_names]} {
  place_pins -hor_layers $pin_hor_layer -ver_layers $pin_ver_layer -exclude top:*
} else {
  place_pins -hor_layers $pin_hor_layer -ver_layers $pin_ver_layer
}
source [file join $script_dir power_grid.tcl]

puts "STEP placement"
set_wire_rc -signal -layer $wire_layer
set_wire_rc -clock -layer $clock_wire_layer
# a tie cell for every constant pin: one net of a thousand pins would keep the router for ever
foreach tie [list $tie_high $tie_low] { repair_tie_fanout */$tie }
buffer_ports
global_placement -density $density
estimate_parasitics -placement
repair_design
detailed_placement
report_design_area

puts "STEP clock_tree"
repair_clock_inverters
clock_tree_synthesis -root_buf $clock_buffer -buf_list $clock_buffer -sink_clustering_enable
set_propagated_clock [all_clocks]
estimate_parasitics -placement
repair_clock_nets
detailed_placement
estimate_parasitics -placement
repair_timing -setup
repair_timing -hold
detailed_placement
check_placement -verbose

puts "STEP global_route"
set_routing_layers -signal $signal_layers -clock $clock_layers
set_global_routing_layer_adjustment $signal_layers $route_adjustment
# congestion left over does not stop the run: it is reported
global_route -guide_file $out_dir/route.guide -congestion_iterations $route_rounds -allow_congestion -verbose \
  -congestion_report_file $out_dir/congestion.rpt
estimate_parasitics -global_routing

puts "STEP reports"
report_worst_slack -max
report_worst_slack -min
report_tns
report_clock_skew
report_checks -path_delay max -format full_clock
report_design_area
report_power
write_def $out_dir/placed.def
write_verilog $out_dir/placed.v
puts "END"
