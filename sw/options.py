"""What the commands of `sw` have in common: options, their checks, and how a run begins."""

import argparse
import logging

import torch

PHONES = ("../shared/data/phones", "../shared/data/librispeech_251spk")
KEYWORDS = "../shared/data/keywords"
NOISE = "../shared/data/noise"
SPEECH = "../shared/data/librispeech_251spk"


MOST_DIGITS = 18  # what generators of random numbers take as a seed, and more than anything can count


def whole(text, least=1):
    """A whole number from `least`, of at most 18 digits, for argparse."""
    if not text.isdecimal() or len(text) > MOST_DIGITS or int(text) < least:
        shown = text if len(text) <= 40 else text[:37] + "..."
        most = f", of at most {MOST_DIGITS} digits" if len(text) > MOST_DIGITS else ""
        raise argparse.ArgumentTypeError(f"{shown!r}: wanted a whole number from {least}{most}")
    return int(text)


def from_zero(text):
    """A whole number from 0, for argparse."""
    return whole(text, 0)


def add_run(parser, seed=True):
    """How a command runs: seed, threads, progress bars."""
    if seed:
        parser.add_argument("--seed", type=from_zero, default=0, help="of everything that is random")
    parser.add_argument("--threads", type=whole, default=1, help="threads of one process")
    parser.add_argument("--quiet", action="store_true", help="no progress bars, no warnings")


def add_json(parser):
    """Where figures are kept that are printed anyway."""
    parser.add_argument("--json", help="write the figures to this file too")


def add_phones(parser, noise=True):
    """Labelled speech to train and score phone recognisers on, and its fold."""
    parser.add_argument("--data", nargs="+", default=list(PHONES),
                        help="folders: with manifest.csv, TIMIT, or LibriSpeech with alignments")
    if noise:
        parser.add_argument("--noise", default=NOISE, help="folder of noise with manifest.csv; '' for none")
    parser.add_argument("--fold", type=from_zero, default=0, help="which fold of hand-labelled speakers is held out")
    parser.add_argument("--folds", type=whole, default=3, help="how many folds there are")


def add_keywords(parser, what="Speech Commands (v1 or v2), or a folder with manifest.csv"):
    """Clips to train and score keyword spotters on, and noise for them."""
    parser.add_argument("--data", default=KEYWORDS, help=what)
    parser.add_argument("--noise", default=NOISE, help="folder of noise with manifest.csv; '' for none")


def begin(args):
    """Threads and warnings as the options say."""
    torch.set_num_threads(args.threads)
    logging.basicConfig(format="%(message)s", level=logging.ERROR if args.quiet else logging.WARNING)
