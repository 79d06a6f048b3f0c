"""A library of six cells as Liberty text, so that the flow is tested without any PDK."""


def _cell(name, area, pins, extra=""):
    return f"  cell ({name}) {{ area : {area}; cell_leakage_power : 2; {extra} {pins} }}\n"


def _in(name, more=""):
    return f"pin ({name}) {{ direction : input; capacitance : 0.002; {more} }}"


TABLES = " ".join(
    f'{kind} (t) {{ index_1 ("0.01, 0.1"); index_2 ("0.001, 0.1"); values ("0.10, 0.50", "0.15, 0.60"); }}'
    for kind in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
)


def _out(name, function, *inputs):
    arcs = " ".join(f"timing () {{ related_pin : \"{i}\"; timing_sense : non_unate; {TABLES} }}" for i in inputs)
    return f'pin ({name}) {{ direction : output; function : "{function}"; max_capacitance : 0.5; {arcs} }}'


LIBERTY = (
    'library (toy) { time_unit : "1ns"; voltage_unit : "1V"; leakage_power_unit : "1nW"; nom_voltage : 1.0;\n'
    '  time_unit : "1ns"; capacitive_load_unit (1, pf); delay_model : table_lookup;\n'
    '  lu_table_template (t) { variable_1 : input_net_transition; variable_2 : total_output_net_capacitance; '
    'index_1 ("0.01, 0.1"); index_2 ("0.001, 0.1"); }\n'
    + _cell("INV", 1, _in("A") + _out("Y", "!A", "A")) + _cell("BUF", 2, _in("A") + _out("Y", "A", "A"))
    + _cell("NAND", 1.5, _in("A") + _in("B") + _out("Y", "!(A&B)", "A", "B"))
    + _cell("XOR", 3, _in("A") + _in("B") + _out("Y", "A^B", "A", "B"))
    + _cell("HIGH", 1, _out("Y", "1")) + _cell("LOW", 1, _out("Y", "0"))
    + _cell("DFF", 6, _in("D") + _in("CK", "clock : true;") + _out("Q", "IQ"),
            'ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; }')
    + _cell("LATCH", 4, _in("D") + _in("G") + _out("Q", "IQ"), 'latch (IQ, IQN) { enable : "G"; data_in : "D"; }')
    + "}\n")
