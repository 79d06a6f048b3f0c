# Power of every leaf instance under recorded activity. Set before: liberties, netlist, top, sdc, clock_period,
# driving_cell, load_pf, saif, scope, spefs (as timing.tcl). Needs OpenSTA 3 (read_saif, JSON).
foreach path $liberties { read_liberty $path }
read_verilog $netlist
link_design $top
source $sdc
foreach {path file} $spefs {
  if {$path eq ""} { read_spef $file } else { read_spef -path $path $file }
}
read_saif -scope $scope $saif
puts "ANNOTATION"
report_activity_annotation
puts "POWER"
report_power -instances [get_cells -hierarchical *] -format json -digits 6
puts "END"
