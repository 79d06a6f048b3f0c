# Power grid: rails on the first layer, a ring, straps on the two top layers, which carry no signal, and macros joined
# from above. The straps of a small block stand closer, so that each of its rails meets two pairs of them at least.
resume 01_floorplan 0
add_global_connection -net VDD -pin_pattern {^VDD.*$} -power
add_global_connection -net VSS -pin_pattern {^VSS.*$} -ground
connect_power
set_voltage_domain -name CORE -power VDD -ground VSS
lassign $strap_layers lower upper
define_pdn_grid -name core -voltage_domains CORE -pins $strap_layers
add_pdn_ring -grid core -layers $strap_layers -widths $ring_width -spacings $ring_spacing -core_offsets $ring_offset
add_pdn_stripe -grid core -layer $rail_layer -width $rail_width -followpins -extend_to_core_ring
foreach layer $strap_layers pitch [list $strap_pitch_x $strap_pitch_y] {
  add_pdn_stripe -grid core -layer $layer -width $strap_width -pitch $pitch -offset [expr {$pitch / 4}] \
    -extend_to_core_ring
}
add_pdn_connect -grid core -layers [list $rail_layer $lower]
add_pdn_connect -grid core -layers [list $lower $upper]
if {[llength $macro_names]} {
  # no straps of the macros' own, which nothing would join to the ring: the core's pass over, close enough for each pin
  define_pdn_grid -name macros -voltage_domains CORE -macro -default -grid_over_pg_pins
  add_pdn_connect -grid macros -layers [list $macro_pin_layer $upper]
}
pdngen
foreach net {VDD VSS} {
  figure ${net}_connected [expr {![catch {check_power_grid -net $net} message]}]
}
leave 02_power_grid
