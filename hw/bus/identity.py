"""What tells one generated machine from another. Plain Python, no Amaranth: images of weights carry it too."""

import hashlib
import json

# fields that came later, as they are where they are not used: a machine without them keeps the hash that it had
LATER = {"watchdog": False, "parity": False, "step_difference": False, "readout": "logits", "readout_outputs": 0}


def config_hash(config):
    """First 32 bits of the SHA-256 over the configuration's plain values: what the register `config_hash` reads."""
    values = {name: value for name, value in config.to_dict().items() if name not in LATER or value != LATER[name]}
    text = json.dumps(values, sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
