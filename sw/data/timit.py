"""TIMIT as the LDC ships it: `TRAIN|TEST/DRn/SPEAKER/sentence.{WAV,PHN}`, either case, SPHERE or RIFF audio.

The sa sentences are marked: every speaker reads them, so they are left out of training and scoring alike.
Splits: `train`; `test` = the core test set (24 speakers); `dev` = the 50 speakers usually held out of the rest.
"""

from sw.data.utterance import DataError, Utterance, must_be_folder

CORE_TEST = frozenset(
    "mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 mbpm0 mklt0 fnlp0 mcmj0 mjdh0 fmgd0 "
    "mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0".split())
DEV = frozenset(
    "faks0 mdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0 fedw0 mgjf0 mglb0 mrtk0 "
    "mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0 fmah0 fdrw0 mrcs0 mrjm4 fcal1 mmwh0 "
    "fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0 mrws1".split())


def load(folder):
    """Read a TIMIT folder (the one that holds TRAIN and TEST, or its parent) as a list of `Utterance`."""
    folder = must_be_folder(folder, "TIMIT, with TRAIN and TEST inside")
    roots = {p.name.lower(): p for p in folder.iterdir() if p.is_dir()}
    if "train" not in roots and "timit" in roots:
        return load(roots["timit"])
    if not {"train", "test"} & roots.keys():
        raise DataError(f"{folder}: not a TIMIT folder: neither TRAIN nor TEST inside")
    utterances = []
    for part in ("train", "test"):
        for labels in sorted(p for p in roots.get(part, folder / "-").glob("*/*/*") if p.suffix.lower() == ".phn"):
            speaker, sentence = labels.parent.name.lower(), labels.stem.split(".")[0].lower()
            split = "test" if speaker in CORE_TEST else "dev" if speaker in DEV else "unused"
            utterances.append(Utterance(_audio_of(labels), labels, speaker, "timit",
                                        "train" if part == "train" else split, hand=True, sa=sentence.startswith("sa")))
    if not utterances:
        raise DataError(f"{folder}: no DRn/SPEAKER/*.PHN under TRAIN or TEST")
    return utterances


def _audio_of(labels):
    """The recording beside a label file: X.WAV, X.wav, X.WAV.wav, X.flac ..."""
    stem = labels.name[:-len(labels.suffix)].lower()
    for file in sorted(labels.parent.iterdir()):
        name = file.name.lower()
        if name.split(".")[0] == stem.split(".")[0] and name.endswith((".wav", ".flac", ".sph", ".nist")):
            return file
    raise DataError(f"{labels}: no recording beside this label file")
