"""A synthetic corpus with exact phone times, for training with no data at hand.

    sottovoce synthetic --out build/synthetic

Sentences from a small grammar, said by espeak-ng in many voices, as FLAC, `.phn` and `manifest.csv` like any other
folder of labelled speech. It is synthetic in name (`corpus`, speakers, folder) and in sound: figures made with it must
say so.
"""

import csv
import io
import random
import tempfile
from pathlib import Path

import soundfile
from tqdm import tqdm

from hw import store
from sw import options
from sw.data import espeak
from sw.data.audio import RATE
from sw.data.utterance import DataError

VARIANTS = ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5")
NOUNS = ("army bath bear bird boat book bottle box bridge butter cage camera castle chair cheese chicken "
         "child church cloud coat coffee corner cousin cup daughter dinner dog door dream egg engine father "
         "feather field fire fish flower fork fox friend garage garden girl glove goat hammer harbour horse "
         "hour judge juice jungle key kitchen knife lady leather letter lion machine march measure mirror "
         "money mother mountain mouth museum neighbour noise ocean orange page paper pepper picture pillow "
         "pocket potato queen question rabbit razor river road school shadow ship shoulder sister snake song "
         "spoon spring square stone storm street sugar sweater teacher theatre thief thunder ticket town toy "
         "treasure uncle valley vase vehicle village violin voice watch water window winter wolf yard zebra").split()
VERBS = ("asked bought broke brought called carried caught chose counted covered danced_with drew enjoyed "
         "faced fed followed found gave_away guarded heard helped joined kept led left looked_for loved "
         "measured met needed noticed opened painted passed pulled pushed reached remembered saw shook showed "
         "sold thought_of threw touched trusted used visited waited_for washed watched wished_for wrote_about").split()
ADJECTIVES = ("angry beautiful big blue bright busy cheap clean clever cold dark dirty dry early easy empty "
              "fresh green happy heavy huge large lazy little long loud narrow new noisy old perfect pretty "
              "proud quick quiet red rich rough sharp short silver slow smooth soft strange sweet tall thick "
              "thin tiny tired ugly usual very warm wide wild yellow young").split()
PLACES = ("above the", "across the", "after the", "along the", "around the", "before the", "behind the", "beside the",
          "between the", "in the", "near the", "over the", "through the", "towards the", "under the", "without a")
JOINS = ("and", "but", "because", "while", "though", "so")
TIMES = ("this morning", "yesterday", "every other year", "at nine", "just now", "on Thursday", "in July", "too often")


def sentence(rng):
    """A random English sentence: it need not be sense, it must be speech."""
    def noun():
        adjective = rng.choice(ADJECTIVES) + " " if rng.random() < 0.6 else ""
        return f"{rng.choice(('the', 'a', 'his', 'her', 'their', 'our', 'my', 'your'))} {adjective}{rng.choice(NOUNS)}"

    def clause():
        words = f"{noun()} {rng.choice(VERBS).replace('_', ' ')} {noun()}"
        return words + (f" {rng.choice(PLACES)} {rng.choice(NOUNS)}" if rng.random() < 0.5 else "")

    kind = rng.random()
    if kind < 0.5:
        return clause() + "."
    if kind < 0.75:
        return f"{clause()}, {rng.choice(JOINS)} {clause()}."
    return f"{rng.choice(TIMES)}, {clause()}."


def make(folder, utterances=400, speakers=26, seed=0, quiet=False):
    """Write a corpus of `utterances` by `speakers` voices into `folder`; returns its total duration in seconds.

    Every eighth speaker is `dev`. One seed gives the same sentences by the same voices, but espeak-ng lets its voices
    waver by chance: samples and times differ a little from call to call, so a corpus is kept, not remade. A run that
    is cut off leaves nothing under that name. Raises `DataError` if the folder is there.
    """
    folder = Path(folder)
    if folder.exists():
        raise DataError(f"{folder}: is there already; name another folder or remove it")
    if utterances < 1 or speakers < 1:
        raise DataError(f"utterances={utterances}, speakers={speakers}: wanted 1 or more")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as work:
        part = Path(work) / "new"
        part.mkdir()
        seconds = _fill(part, utterances, speakers, seed, quiet)
        part.rename(folder)
    return seconds


def _fill(part, utterances, speakers, seed, quiet):
    """Write all files of a corpus into an empty folder; returns its duration in seconds."""
    rng = random.Random(seed)
    voices = [{"voice": f"en-us+{VARIANTS[i % len(VARIANTS)]}", "speed": rng.randint(130, 210),
               "pitch": rng.randint(25, 75), "spread": rng.randint(30, 80)} for i in range(speakers)]
    rows, seconds = [], 0.0
    for i in tqdm(range(utterances), desc="synthetic speech", unit="utt", disable=quiet):
        which = i % speakers
        text = sentence(rng)
        wave, segments = espeak.speak(text, **voices[which])
        name = f"synthetic{which:02}_{i:05}"
        coded = io.BytesIO()
        soundfile.write(coded, wave.clip(-1, 1), RATE, subtype="PCM_16", format="FLAC")
        store.write_atomically(part / f"{name}.flac", coded.getvalue())  # which words what a full disk does
        lines = "".join(f"{s.start} {s.end} {s.phone}\n" for s in segments)
        store.write_atomically(part / f"{name}.phn", lines.encode())
        rows.append([f"{name}.flac", "synthetic", f"synthetic{which:02}", "dev" if which % 8 == 7 else "train",
                     f"{name}.phn", "synthetic", text])
        seconds += len(wave) / RATE
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([["path", "corpus", "speaker", "split", "phones", "alignment", "transcript"], *rows])
    store.write_atomically(part / "manifest.csv", text.getvalue().encode())
    return seconds


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--out", default="build/synthetic", help="folder to make")
    parser.add_argument("--utterances", type=options.whole, default=400, help="utterances to make")
    parser.add_argument("--speakers", type=options.whole, default=26, help="voices")
    parser.add_argument("--seed", type=options.from_zero, default=0, help="of voices and sentences")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args):
    """Make the corpus."""
    seconds = make(args.out, args.utterances, args.speakers, args.seed, args.quiet)
    print(f"{args.out}: {args.utterances} synthetic utterances, {seconds / 60:.1f} min; train with --data {args.out}")
    return 0
