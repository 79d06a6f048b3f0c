# Routing tracks from the pitch of the technology LEF.
foreach layer [[ord::get_db_tech] getLayers] {
  if {[$layer getType] ne "ROUTING"} { continue }
  set dbu [[ord::get_db_tech] getDbUnitsPerMicron]
  set pitch_x [expr {double([$layer getPitchX]) / $dbu}]
  set pitch_y [expr {double([$layer getPitchY]) / $dbu}]
  if {$pitch_x <= 0} { continue }
  make_tracks [$layer getName] -x_offset 0 -x_pitch $pitch_x -y_offset 0 -y_pitch $pitch_y
}
