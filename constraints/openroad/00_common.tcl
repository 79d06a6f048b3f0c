# What every step uses. Each step is a process of its own: it reads the database that the step before it left, and leaves
# its own; the settings come from a file that hw.flow.layout writes (see `hw.flow.lib.layout_settings` for their meaning).

# A line that hw.flow.lib.layout_report reads.
proc figure {name value} { puts "FIGURE $name $value" }

# Liberty of every corner; the first corner is the typical one.
proc read_corners {} {
  global corners liberties
  define_corners {*}$corners
  foreach corner $corners {
    foreach path [dict get $liberties $corner] { read_liberty -corner $corner $path }
  }
}

# Wires as the platform has calibrated them against extraction; from the LEF's own values where it has no file.
proc estimate_wires {} {
  global wire_rc wire_layer clock_wire_layer
  if {$wire_rc ne ""} {
    source $wire_rc
  } else {
    set_wire_rc -signal -layer $wire_layer
    set_wire_rc -clock -layer $clock_wire_layer
  }
}

# The database that `step` left, timed; `clock_tree` says whether the clock has its tree.
proc resume {step clock_tree} {
  global out_dir sdc dont_use
  read_corners
  read_db [file join $out_dir $step.odb]
  uplevel #0 [list source $sdc]
  if {$clock_tree} { set_propagated_clock [all_clocks] }
  estimate_wires
  foreach pattern $dont_use { set_dont_use [get_lib_cells */$pattern] }
}

# Supply for the cells that a step made: a cell made after the last `global_connect` has none.
proc connect_power {} {
  global_connect
  set missing 0
  foreach inst [[ord::get_db_block] getInsts] {
    foreach pin [$inst getITerms] {
      if {[$pin getSigType] in {POWER GROUND} && [$pin getNet] eq "NULL"} { incr missing }
    }
  }
  figure unpowered_pins $missing
}

# Area of cells, macros and core in um2; filler counts as none.
proc areas {} {
  set dbu [[ord::get_db_tech] getDbUnitsPerMicron]
  set cells 0.0
  set macros 0.0
  foreach inst [[ord::get_db_block] getInsts] {
    set master [$inst getMaster]
    set area [expr {double([$master getWidth]) * [$master getHeight] / $dbu / $dbu}]
    set type [$master getType]
    if {$type eq "BLOCK"} {
      set macros [expr {$macros + $area}]
    } elseif {$type ne "CORE_SPACER"} {
      set cells [expr {$cells + $area}]
    }
  }
  set core [[ord::get_db_block] getCoreArea]
  return [list $cells $macros [expr {double([$core dx]) * [$core dy] / $dbu / $dbu}]]
}

# Share of the core beside macros that cells fill.
proc filled {} {
  lassign [areas] cells macros core
  return [expr {$cells / ($core - $macros)}]
}

# How many nets violate a limit at a corner; `kind` is -max_slew or -max_capacitance.
proc count_violators {kind corner} {
  global out_dir
  set file [file join $out_dir violators.rpt]
  report_check_types $kind -violators -corner $corner > $file
  set stream [open $file]
  set count [regexp -all {\(VIOLATED\)} [read $stream]]
  close $stream
  return $count
}

# Slack of setup and hold over all corners, and at each the nets whose edge is too slow or whose load is too large.
proc figure_timing {} {
  global corners
  foreach corner $corners {
    foreach {name kind} {slew -max_slew capacitance -max_capacitance} {
      figure $corner.${name}_violations [count_violators $kind $corner]
    }
  }
  foreach {name kind} {setup max hold min} {
    figure ${name}_slack_ns [sta::format_time [sta::worst_slack_cmd $kind] 4]
    figure ${name}_tns_ns [sta::format_time [sta::total_negative_slack_cmd $kind] 4]
  }
}

# The end of every step: figures of the area, the database, and a DEF that a person or another tool can read.
proc leave {step} {
  global out_dir
  set dbu [[ord::get_db_tech] getDbUnitsPerMicron]
  set rect [[ord::get_db_block] getDieArea]
  figure die_um2 [expr {double([$rect dx]) * [$rect dy] / $dbu / $dbu}]
  lassign [areas] cells macros core
  figure cell_um2 $cells
  figure macro_um2 $macros
  figure utilisation_percent [expr {100 * ($cells + $macros) / $core}]
  figure cells [llength [[ord::get_db_block] getInsts]]
  write_db [file join $out_dir $step.odb]
  write_def [file join $out_dir $step.def]
  puts "END $step"
}
