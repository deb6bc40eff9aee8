"""Which architecture goes through which exporter."""

from architectures import KINDS

GOLDENS = []


def plan(kinds=()):
    """Names of all files, or of those of the named architectures."""
    return [f"{kind}-{exporter}" for kind in kinds or KINDS for exporter in exporters_of(kind)]


# Turns that are taken in order, so that every architecture meets a different part of what exporters can do.
EVERY = ["ts17", "dy20"]
OLD = ["ts11", "ts13", "ts14", "ts20", "ts17sdpa"]
NEW = ["dy18", "dy23", "dy24", "dy20eager", "dy20raw"]
FUSED = ["ortfused", "ortsaved", "ortfusedsdpa", "ortbasic"]
KEPT = ["ts17train", "ts14nofold", "ts13inputs", "ts17fixed", "ts17external", "dy20fixed", "dy20external"]
SMALL = ["slim", "half", "int8", "slimdy", "halfall", "uint8", "nbits", "stored8", "ortfused16"]


def exporters_of(kind):
    turn = list(KINDS).index(kind)
    picked = [OLD[turn % 5], NEW[turn % 5], NEW[(turn + 2) % 5], FUSED[turn % 4], KEPT[turn % 7], SMALL[turn % 9], SMALL[(turn * 2 + 4) % 9]]
    return list(dict.fromkeys([*EVERY, *picked]))
