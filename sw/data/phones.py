"""Phone sets: TIMIT's 61 symbols, the 48 and 39 classes, CMU's 39, and the 40 that the models are trained on.

Source of 61 -> 48 -> 39: Lee and Hon, "Speaker-independent phone recognition using hidden Markov models", 1989.
The 40 trained phones are the 39 classes with `cl` (closures of stops) kept apart from `sil` (pauses): both fold to
`sil` for scoring, but a closure lies inside a word and a pause between words, and the decoder's bigram can use that.
"""

# 61 -> 48, where the symbol changes; the glottal stop `q` is left out
TO_48 = {"ax-h": "ax", "axr": "er", "em": "m", "nx": "n", "eng": "ng", "hv": "hh", "ux": "uw", "pcl": "cl", "tcl": "cl",
         "kcl": "cl", "bcl": "vcl", "dcl": "vcl", "gcl": "vcl", "h#": "sil", "pau": "sil"}
# 48 -> 39
TO_39 = {"ao": "aa", "ax": "ah", "ix": "ih", "el": "l", "en": "n", "zh": "sh", "cl": "sil", "vcl": "sil", "epi": "sil"}
TIMIT_61 = ("aa ae ah ao aw ax ax-h axr ay b bcl ch d dcl dh dx eh el em en eng epi er ey f g gcl h# hh hv ih ix iy jh "
            "k kcl l m n ng nx ow oy p pau pcl q r s sh t tcl th uh uw ux v w y z zh").split()
CMU = ("aa ae ah ao aw ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh").split()
CLASSES_39 = ("aa ae ah aw ay b ch d dh dx eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh sil t th uh uw v w y z"
              ).split()
PHONES = (*(p for p in CLASSES_39 if p != "sil"), "cl", "sil")  # the 40 trained phones; silence last
INDEX = {phone: i for i, phone in enumerate(PHONES)}
STOPS = frozenset("b d g p t k ch jh".split())  # sounds that begin with a closure

# Broad classes for phones in context: the manner of a neighbour
BROAD = {"closed": "b d g p t k ch jh dx cl sil".split(), "fricative": "dh f hh s sh th v z".split(),
         "sonorant": "l m n ng r w y".split(), "vowel": "aa ae ah aw ay eh er ey ih iy ow oy uh uw".split()}
BROAD_OF = [next(i for i, members in enumerate(BROAD.values()) if phone in members) for phone in PHONES]


class PhoneError(ValueError):
    """A symbol in none of the phone sets; the message quotes it."""


def to_40(symbol):
    """TIMIT or CMU symbol -> trained phone, or None for the glottal stop (its time goes to its neighbours)."""
    name = symbol.lower().rstrip("012")  # CMU stress marks
    if name not in TIMIT_61 and name not in CMU and name not in INDEX:
        raise PhoneError(f"unknown phone {symbol!r}: wanted one of TIMIT's 61 symbols or CMU's 39")
    if name == "q":
        return None
    name = TO_48.get(name, name)
    if name in ("cl", "vcl"):
        return "cl"
    return TO_39.get(name, name)


def to_39(phone):
    """Trained phone -> one of the 39 scored classes."""
    return "sil" if phone == "cl" else phone
