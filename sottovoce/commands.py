"""The commands by name: which module holds each, and the line that `sottovoce --help` prints for it.

A command module has a docstring (its first line says what it does, indented lines that begin with `sottovoce` are
examples), `add_arguments(parser)` and `run(args)`, which returns the exit status (None is 0). It is imported only when
its command is run.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """`module` to import, "" where MODEL, the first argument, decides it; `help` in one line."""

    module: str
    help: str


GROUPS = {
    "recognise": {
        "demo": Command("cosim.demo", "a recording: features, the trained RSNN on gates and on the golden model"),
        "listen": Command("sw.listen", "words or phones in a recording, or from the microphone"),
        "serve": Command("cosim.serve.serve", "a local page that listens: spikes, phones or words as they happen"),
        "evaluate": Command("", "score a model on labelled speech"),
    },
    "hardware": {
        "describe": Command("hw.describe", "sizes, cycles, memory and area of a configuration, before it is built"),
        "verilog": Command("cosim.verilog", "Verilog and C header of a configuration, memory images of a network"),
    },
    "your own network": {
        "import": Command("sw.networks.import_nir", "a NIR graph of another library: configuration, integers, report"),
        "export": Command("sw.networks.export_nir", "a trained model as a NIR graph"),
        "library-networks": Command("sw.networks.libraries", "train networks in other libraries, to import them"),
    },
    "proof": {
        "cosim": Command("cosim.run", "cocotb benches: emitted Verilog against the golden model"),
        "conformance": Command("cosim.conformance", "whole utterances in every mode, RTL against golden"),
        "networks": Command("cosim.networks", "many configurations, random and named, and networks of one's own"),
        "keyword-conformance": Command("cosim.keywords", "keyword models on the RTL, bit for bit"),
        "soc": Command("cosim.soc", "keywords on a RISC-V with the accelerator on its bus"),
        "serve-check": Command("cosim.serve.check", "the page that listens, in headless Chromium, and a soak"),
        "bus-test": Command("cosim.system", "random software on AXI and Wishbone: hangs, wrong logits"),
        "activity": Command("cosim.activity", "cycles a frame at the published activity, by phase"),
        "mutants": Command("cosim.trust.mutants", "a thousand faults in the hardware, and what notices them"),
        "coverage": Command("cosim.trust.coverage", "which bins of the plan, lines, branches and toggles runs met"),
        "proofs": Command("cosim.trust.proofs", "what holds for all inputs: k-induction and SAT, block by block"),
        "guard-price": Command("cosim.trust.price", "what watchdog and parity cost: area, leakage, energy a frame"),
        "soak": Command("cosim.trust.soak", "an hour of speech through the Verilated design, beside the golden model"),
        "faults": Command("cosim.trust.faults", "keyword accuracy under flipped bits, by place, layer and bit"),
        "rates": Command("cosim.rates", "speed of the four simulators"),
    },
    "train": {
        "train": Command("", "train a model, or resume"),
        "synthetic": Command("sw.data.synthetic", "a synthetic corpus with exact phone times"),
        "download": Command("sw.data.download", "public speech corpora"),
        "optimisers": Command("sw.phones.ablate", "optimisers and surrogates compared on short trainings"),
        "phone-ideas": Command("sw.phones.ideas", "what makes the phone recogniser better, idea by idea"),
        "step-time": Command("sw.phones.step_time", "time of a training step beside other libraries"),
        "training-report": Command("sw.phones.phone_report", "score the phone recognisers' runs: docs/training.md"),
        "keyword-report": Command("sw.keywords.keyword_report", "score the keyword runs: docs/keywords.md"),
        "study": Command("sw.keywords.studies", "a study of keyword spotting"),
    },
    "attention replaced by pulses": {
        "lpa-encoder": Command("sw.lpa.pretrain", "train the small Wav2Vec2 that attention is replaced in"),
        "lpa-sweep": Command("sw.lpa.sweep", "how hard each layer's attention is to replace"),
        "lpa-train": Command("sw.lpa.replace", "replace attention by pulses in some layers"),
        "lpa-scaling": Command("sw.lpa.scaling", "latency and memory over 1 to 120 s"),
        "lpa-report": Command("sw.lpa.lpa_report", "collect the runs' figures and plots"),
    },
    "silicon": {
        "synth": Command("hw.flow.synth", "map a configuration to a library: area, flip-flops, depth"),
        "sta": Command("hw.flow.sta", "timing of the mapped netlist (needs OpenSTA)"),
        "gates": Command("cosim.gates.netlist_run", "the mapped netlist beside the RTL, bit for bit"),
        "gate-activity": Command("hw.flow.gate_activity", "activity of the netlist over real frames"),
        "power": Command("hw.flow.power", "energy a frame by block"),
        "frame-energy": Command("cosim.gates.frame_energy", "power over whole recordings, before layout and after"),
        "energy": Command("cosim.gates.energy", "ways to the same answers on less energy, published beside them"),
        "after-layout": Command("cosim.gates.after_layout", "what layout costs: sum of blocks, whole, energy table"),
        "mechanisms": Command("cosim.gates.mechanisms", "cycles and row reads of every mechanism set"),
        "ablation": Command("hw.flow.ablation", "what each mechanism costs and saves"),
        "memory-options": Command("hw.flow.memory_options", "weight buffers as macros, flip-flops, latches, ROM"),
        "layout": Command("hw.flow.layout", "floorplan to GDS of a block or the whole, checked (needs OpenROAD)"),
        "fpga": Command("hw.flow.fpga", "routed on an ECP5: clock, utilisation, bitstream for an open board"),
        "core-energy": Command("hw.flow.core_energy", "energy a cycle of the RISC-V core under its firmware"),
        "explore": Command("cosim.explore.explore", "sweep knobs: error, energy, area, latency, and the front of them"),
        "frames": Command("cosim.explore.frames", "frames skipped, or in one step, by a rule: error and energy"),
        "physical": Command("hw.flow.collect", "collect the flow's reports into one JSON"),
    },
    "for people": {
        "report": Command("cosim.report.report", "every figure on one page, and a frame of the RTL cycle by cycle"),
    },
    "this machine": {
        "doors": Command("sottovoce.doors", "bad inputs at every door: each refused in one line, nothing left behind"),
        "walk": Command("cosim.walk", "the way of a new user, from clone to report, each step timed"),
        "doctor": Command("sottovoce.doctor", "what is installed, what is missing and what that prevents"),
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}
