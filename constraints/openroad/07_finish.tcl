# Filler, extraction, and the files that timing, power, LVS and the mask take.
resume 06_detailed_route 1
filler_placement $fillers
connect_power
if {$rcx_rules ne ""} {
  define_process_corner -ext_model_index 0 X
  extract_parasitics -ext_model_file $rcx_rules
  write_spef [file join $out_dir routed.spef]
  read_spef [file join $out_dir routed.spef]
}
report_clock_skew
figure_timing
foreach net {VDD VSS} voltage [list $supply 0.0] {
  set_pdnsim_net_voltage -net $net -voltage $voltage
  if {[catch {analyze_power_grid -net $net -outfile [file join $out_dir ir_$net.rpt]} message]} {
    puts "no IR drop of $net: $message"
  }
}
write_verilog [file join $out_dir routed.v]
write_verilog -include_pwr_gnd [file join $out_dir powered.v]
if {$cdl_masters ne ""} { write_cdl -include_fillers -masters $cdl_masters [file join $out_dir routed.cdl] }
leave 07_finish
