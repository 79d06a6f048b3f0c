"""Keywords on a RISC-V with the accelerator on its bus: firmware, a recording, the words over a serial line.

    sottovoce soc recording.wav                    a line a second of the recording, beside the Python model's
    sottovoce soc --front-end firmware yes.wav     features in fixed point on the processor, too (minutes a second)
    sottovoce soc --data FOLDER --clips 10         labelled clips of a folder with a manifest
    sottovoce soc yes.wav --front-end firmware --trace build/core.trace     what the core's buses carry, for core-energy
"""

import itertools
from pathlib import Path

import numpy as np
import torch

from cosim import results
from cosim.errors import CosimError
from cosim.rtl import front_end
from cosim.rtl.soc import Soc
from hw import store
from hw.interface import MODES
from sw import options
from sw.data import audio, speech_commands
from sw.features import causal
from sw.keywords import spotter, waves

MODEL = "rsnn-keywords"
TRACED = 330_000  # cycles: the weights' load and two frames of features


def seconds(wave):
    """Float (samples,) -> int16 (seconds, 16000): a short recording centred in its second, a long one cut into seconds,
    the last filled up with silence."""
    if len(wave) <= audio.RATE:
        wave = waves.one_second(wave)
    wave = np.pad(wave, (0, -len(wave) % audio.RATE))
    return np.round(np.clip(wave, -1, 1) * 32767).astype(np.int16).reshape(-1, audio.RATE)


def answers(model, samples):
    """The Python model's word for each second, and its features int8 (seconds, frames, 40)."""
    heard = torch.from_numpy(samples).float() / 32768
    x = model.normaliser(torch.from_numpy(np.stack([causal.log_mel(w.numpy()).T for w in heard])))
    logits = model.network(x.float())
    return [model.labels[i] for i in logits.argmax(1)], x.transpose(1, 2).to(torch.int8).numpy()


def clips(folder, count):
    """Held-out clips of a folder, the first of each word in turn: (label, int16 (16000,)) each."""
    known = speech_commands.load(folder)
    held = sorted((c for c in known if c.split in speech_commands.sets_of(known, "held")), key=lambda c: str(c.path))
    by_word = {}
    for clip in held:
        if clip.label not in (speech_commands.UNKNOWN, speech_commands.SILENCE):
            by_word.setdefault(clip.label, []).append(clip)
    rounds = [clip for turn in itertools.zip_longest(*by_word.values()) for clip in turn if clip][:count]
    if len(rounds) < count:
        raise CosimError(f"{folder}: {len(rounds)} held-out clips of words, {count} wanted")
    return [(clip.label, seconds(waves.read(clip)[0])[0]) for clip in rounds]


def front_end_error(model, recordings):
    """Of the firmware's features against the float front-end's, over int16 recordings."""
    return front_end.error(front_end.FrontEnd(causal.normalisation_of(model)), recordings)


def energies(cycles, folder=Path(store.__file__).parents[1] / "docs" / "results"):
    """nJ of a frame, front-end and accelerator apart; nothing where their figures are not published.

    The core's energy a cycle is `sottovoce core-energy`'s, times this run's cycles; the accelerator's is that of
    `sottovoce power --config keywords`, in the mode and on the frames of that report.
    """
    core = store.read_json(folder / "system.json").get("core")
    chip = next((row for row in store.read_json(folder / "physical.json").get("rows", ())
                 if (row["config"], row["library"], row["variant"]) == ("keywords", "ihp-sg13g2", "default")), None)
    if not core or not chip:
        return {}
    spent = cycles["cycles of the front-end"] / cycles["frames"]
    return {"front-end, dynamic": round(spent * core["pj_a_cycle"]["total"] * 1e-3, 1),
            "front-end, leakage in 10 ms": round(sum(core["leakage_uw"].values()) * 10, 1),
            "accelerator, dynamic": round(chip["energy_by_kind_nj"]["dynamic_nj"], 1),
            "accelerator, leakage in 10 ms": round(chip["energy_by_kind_nj"]["leakage_nj"], 1),
            "accelerator, cycles a frame of that report": chip["cycles_per_frame"]}


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("recording", nargs="?", type=Path, help="WAV or FLAC")
    parser.add_argument("--data", type=Path, help="folder with a manifest, in place of a recording")
    parser.add_argument("--clips", type=options.whole, default=10, help="clips of the folder (default: %(default)s)")
    parser.add_argument("--front-end", choices=("python", "firmware"), default="python",
                        help="who computes the features (default: %(default)s)")
    parser.add_argument("--mode", choices=list(MODES), default="t2_union",
                        help="how the accelerator runs (default: %(default)s)")
    parser.add_argument("--trace", type=Path,
                        help=f"file for what the core's buses carry in its first {TRACED:,} cycles")
    store.add_publish(parser)


def run(args):
    """Print what the firmware says; 1 if the Python model says anything else."""
    if bool(args.recording) == bool(args.data):
        raise CosimError("give a recording, or a folder with --data")
    model = spotter.load(MODEL)
    if args.data:
        labels, samples = zip(*clips(args.data, args.clips), strict=True)
        samples = np.array(samples)
    else:
        samples, labels = seconds(audio.read(args.recording)), ()
    wanted, features = answers(model, samples)
    sound = args.front_end == "firmware"
    trace = {"trace": store.writable(args.trace), "traced": TRACED} if args.trace else {}
    said = Soc(model.network.integers).run(samples if sound else features, sound=sound, mode=args.mode, **trace)
    for index, (word, other) in enumerate(itertools.zip_longest(said.words, wanted)):
        note = "" if word == other else f"   the Python model: {other}"
        print(f"{index:>4} s  {word}{note}" if not labels else f"{labels[index]:<8} {word}{note}")
    equal = sum(a == b for a, b in zip(said.words, wanted, strict=False))
    frames = said.cycles["frames"]
    print(f"{equal} of {len(wanted)} as the Python model says")
    for name, value in said.cycles.items():
        a_frame = f"   {value / frames:>10,.1f} a frame" if name.startswith("cycles") else ""
        print(f"{name:<28} {value:>12,}{a_frame}")
    energy = energies(said.cycles) if sound else {}
    for name, value in energy.items():
        print(f"{name:<44} {value:>12,.1f}{'' if 'cycles' in name else ' nJ a frame'}")
    off = front_end_error(model.network.integers, samples) if sound else {}
    if off:
        print(f"features on the processor: {off['differ']} of {off['features']:,} differ from the float front-end's, "
              f"by {off['largest_lsb']} at most")
    if args.data:
        keep(args, said, wanted, equal, {"nj_a_frame": energy, "front_end_error": off})
    return 0 if equal == len(wanted) == len(said.words) and not said.cycles["errors"] else 1


def keep(args, said, wanted, equal, more):
    """Figures of clips into system.json; the two front-ends side by side."""
    rows = store.read_json(store.results("system.json", args.publish)).get("soc", [])
    row = {"front_end": args.front_end, "mode": args.mode, "soc_words": said.words, "python_words": wanted,
           "soc_words_equal": equal, "clips": len(wanted), "soc_cycles": said.cycles}
    row |= {name: values for name, values in more.items() if values}
    rows = [r for r in rows if r["front_end"] != args.front_end] + [row]
    path = results.update({"soc": rows}, f"soc, front-end in {args.front_end}", {
        "command": args.command, "config": "keywords", "data": args.data, "note": (
            "VexRiscv (rv32im) with the accelerator on Wishbone, Verilated; words by serial line; the accelerator's "
            "cycles are its own counters', the front-end's the processor's")}, args.publish, "system.json")
    print(f"figures: {path}")
