# Power grid: rails on the first layer, straps on two upper ones, macros joined from above. Set before: rail_layer,
# rail_width, strap_layers (lower upper), strap_width, strap_pitch, macro_names.
add_global_connection -net VDD -pin_pattern {^VDD.*$} -power
add_global_connection -net VSS -pin_pattern {^VSS.*$} -ground
global_connect
set_voltage_domain -name CORE -power VDD -ground VSS
lassign $strap_layers lower upper
define_pdn_grid -name core
add_pdn_stripe -grid core -layer $rail_layer -width $rail_width -followpins
add_pdn_stripe -grid core -layer $lower -width $strap_width -pitch $strap_pitch -offset [expr {$strap_pitch / 2}]
add_pdn_stripe -grid core -layer $upper -width $strap_width -pitch $strap_pitch -offset [expr {$strap_pitch / 2}]
add_pdn_connect -grid core -layers [list $rail_layer $lower]
add_pdn_connect -grid core -layers [list $lower $upper]
if {[llength $macro_names]} {
  define_pdn_grid -name macros -macro -halo [list $macro_halo $macro_halo $macro_halo $macro_halo] -grid_over_boundary -default
  add_pdn_connect -grid macros -layers [list $macro_pin_layer $upper]
}
pdngen
