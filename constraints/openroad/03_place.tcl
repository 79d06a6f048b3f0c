# Pins and cells, spread where wires would crowd, and nets repaired that are too slow or too long.
resume 02_power_grid 0
set_routing_layers -signal $signal_layers -clock $signal_layers
set_global_routing_layer_adjustment $signal_layers $route_adjustment
# a tie cell for every constant pin: one net of a thousand pins would keep the router for ever
foreach tie [list $tie_high $tie_low] { repair_tie_fanout */$tie }
if {$buffer_ports} { buffer_ports }
# tie cells and buffers have come to what synthesis left
set density [expr {min(0.95, max($density, [filled] + 0.05))}]
figure density $density
global_placement -skip_io -density $density -max_phi_coef $max_phi_coef
set edges [expr {[llength $macro_names] ? "-exclude top:* -exclude bottom:*" : ""}]
place_pins -hor_layers $pin_hor_layer -ver_layers $pin_ver_layer {*}$edges
if {$routability} {
  global_placement -routability_driven -density $density -max_phi_coef $max_phi_coef
} else {
  global_placement -density $density -max_phi_coef $max_phi_coef
}
estimate_parasitics -placement
repair_design -slew_margin $repair_margin -cap_margin $repair_margin
detailed_placement
connect_power
check_placement -verbose
estimate_parasitics -placement
figure_timing
leave 03_place
