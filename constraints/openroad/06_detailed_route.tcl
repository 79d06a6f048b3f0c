# Wires. Hours for a large block: what the router says of each of its rounds stands in the log as it comes.
resume 05_global_route 1
set_thread_count $threads
detailed_route -output_drc [file join $out_dir route_drc.rpt] -output_maze [file join $out_dir maze.log] \
  -bottom_routing_layer [lindex [split $signal_layers -] 0] -top_routing_layer [lindex [split $signal_layers -] 1] \
  -droute_end_iter $detail_rounds -verbose 1
figure route_violations [detailed_route_num_drvs]
figure antennas [check_antennas -report_file [file join $out_dir antennas.rpt]]
leave 06_detailed_route
