"""What tells one generated machine from another. Plain Python, no Amaranth: images of weights carry it too."""

import hashlib
import json


def config_hash(config):
    """First 32 bits of the SHA-256 over the configuration's plain values: what the register `config_hash` reads."""
    text = json.dumps(config.to_dict(), sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
