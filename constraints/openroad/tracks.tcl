# Routing tracks from pitch and offset of the technology LEF.
foreach layer [[ord::get_db_tech] getLayers] {
  if {[$layer getType] ne "ROUTING"} { continue }
  set dbu [[ord::get_db_tech] getDbUnitsPerMicron]
  foreach name {pitch_x pitch_y offset_x offset_y} method {getPitchX getPitchY getOffsetX getOffsetY} {
    set $name [expr {double([$layer $method]) / $dbu}]
  }
  if {$pitch_x <= 0} { continue }
  make_tracks [$layer getName] -x_offset $offset_x -x_pitch $pitch_x -y_offset $offset_y -y_pitch $pitch_y
}
