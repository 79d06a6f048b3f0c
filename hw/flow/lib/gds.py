"""DEF to GDS by the `klayout` wheel: routing and placement from the DEF, each cell's inside from the library's GDS."""

from hw.flow.lib.errors import FlowError

VIA = "VIA_"  # cells that the DEF reader itself draws


def reader():
    """The `klayout.db` module; raises `FlowError` naming the command that installs it."""
    try:
        import klayout.db
    except ImportError:
        raise FlowError("the klayout wheel is missing: run `pip install klayout`") from None
    return klayout.db


def write(source, lefs, libraries, layer_map, target, top):
    """Merge a DEF with the GDS of its cells; returns the names of cells that no GDS draws (there should be none)."""
    db = reader()
    options = db.LoadLayoutOptions()
    rules = options.lefdef_config
    rules.map_file = str(layer_map)
    rules.lef_files = [str(p) for p in lefs]
    rules.read_lef_with_def = False
    rules.dbu = 0.001
    rules.via_cellname_prefix = VIA
    rules.macro_resolution_mode = 2  # cells stay references: their inside comes from the GDS
    layout = db.Layout()
    layout.read(str(source), options)
    if not layout.has_cell(top):
        raise FlowError(f"{source}: holds no design {top!r}")
    wanted = {cell.name for cell in layout.each_cell() if cell.name != top and not cell.name.startswith(VIA)}
    for cell in layout.each_cell():
        if cell.name in wanted:
            cell.clear()
    drawn = set()
    for path in libraries:
        cells = db.Layout()
        cells.read(str(path))
        for name in sorted(wanted - drawn):
            if cells.has_cell(name):
                layout.cell(name).copy_tree(cells.cell(name))
                drawn.add(name)
    kept = db.SaveLayoutOptions()
    kept.write_context_info = False
    layout.cell(top).write(str(target), kept)
    return sorted(name for name in wanted - drawn)
