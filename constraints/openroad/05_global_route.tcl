# Which way each net takes, and diodes where a net would gather charge while it is made.
resume 04_clock 1
set_routing_layers -signal $signal_layers -clock $signal_layers
set_global_routing_layer_adjustment $signal_layers $route_adjustment
set diode_pin_name [lindex [split $diode /] 1]
set diode_master [[ord::get_db] findMaster [lindex [split $diode /] 0]]
# nets that the detailed router of an earlier round left with a violation: a diode at each of their gates
set block [ord::get_db_block]
set added 0
foreach name $antenna_nets {
  set net [$block findNet $name]
  if {$net eq "NULL"} { continue }
  foreach pin [$net getITerms] {
    set inst [$pin getInst]
    if {[$pin isOutputSignal] || [[$inst getMaster] getType] eq "CORE_ANTENNACELL"} { continue }
    set cell [odb::dbInst_create $block $diode_master "antenna_fix_$added"]
    [$cell findITerm $diode_pin_name] connect $net
    $cell setOrient [$inst getOrient]
    $cell setLocation [[$inst getBBox] xMin] [[$inst getBBox] yMin]
    $cell setPlacementStatus PLACED
    incr added
  }
}
if {$added} { detailed_placement }
figure diodes_of_earlier_rounds $added
# congestion left over does not stop the run: it is reported
global_route -guide_file [file join $out_dir route.guide] -congestion_iterations $route_rounds -allow_congestion \
  -verbose -congestion_report_file [file join $out_dir congestion.rpt]
repair_antennas [lindex [split $diode /] 0] -iterations 5
connect_power
check_placement -verbose
estimate_parasitics -global_routing
figure_timing
leave 05_global_route
