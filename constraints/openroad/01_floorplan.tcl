# Die, rows, tracks, and the macros where hw.flow.lib.floorplan has put them.
read_corners
foreach path $lefs { read_lef $path }
read_verilog $netlist
link_design $top
source $sdc
initialize_floorplan -site $site -die_area $die_area -core_area $core_area
source [file join $script_dir tracks.tcl]
set dbu [[ord::get_db_tech] getDbUnitsPerMicron]
foreach macro $macro_names place $macro_places {
  lassign $place x y orient
  set inst [[ord::get_db_block] findInst $macro]
  if {$inst eq "NULL"} { puts "ERROR macro $macro is not in the netlist"; exit 1 }
  $inst setOrient $orient
  $inst setLocation [expr {int(round($x * $dbu))}] [expr {int(round($y * $dbu))}]
  $inst setPlacementStatus FIRM
}
# no cell between a macro's edge and the nets that leave its pins
if {[llength $macro_names]} { cut_rows -halo_width_x $macro_halo -halo_width_y $macro_halo }
leave 01_floorplan
