"""What tells one generated machine from another. Plain Python, no Amaranth: images of weights carry it too."""

import hashlib
import json

LATER = ("watchdog", "parity")  # fields that a machine without them had not heard of: off, its hash is what it was


def config_hash(config):
    """First 32 bits of the SHA-256 over the configuration's plain values: what the register `config_hash` reads."""
    values = {name: value for name, value in config.to_dict().items() if value or name not in LATER}
    text = json.dumps(values, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
