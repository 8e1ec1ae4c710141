"""Files of vectors: how make_sac_vectors.py and make_family_vectors.py write them and compare them with what is there."""

import argparse
import json
import pathlib
import struct

import numpy as np
import torch


def to_bytes(arrays, metadata):
    """The safetensors format: length, JSON, raw float32."""
    header, data = {"__metadata__": metadata}, b""
    for name in sorted(arrays):
        raw = arrays[name].detach().to(torch.float32).numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(arrays[name].shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}  # fmt: skip
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def from_bytes(content):
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    data = content[8 + length :]
    del header["__metadata__"]
    return {name: np.frombuffer(data[entry["data_offsets"][0] : entry["data_offsets"][1]], "<f4")
            for name, entry in header.items()}  # fmt: skip


def worst_difference(path, content):
    """Largest |a - b| / max(|a|) over the arrays of the committed file and of the new one."""
    old, new = from_bytes(path.read_bytes()), from_bytes(content)
    if old.keys() != new.keys():
        raise SystemExit(f"{path}: holds other arrays; make it again")
    scale = {name: max(np.abs(values).max(initial=0.0), 1e-30) for name, values in old.items()}
    return max(np.abs(old[n] - new[n]).max(initial=0.0) / scale[n] for n in old)


def write_or_check(prefix, cases, defaults, make, numbers):
    """The command line of both scripts; returns the exit status. `numbers` go into every file's metadata."""
    parser = argparse.ArgumentParser(description=f"vectors of {prefix}, from PyTorch")
    parser.add_argument("--check", action="store_true", help="compare with the files that are there")
    arguments = parser.parse_args()
    failed = False
    for number, (name, own) in enumerate(cases.items()):
        settings = defaults | own
        metadata = {k: json.dumps(v).strip('"') for k, v in (numbers | settings).items()}
        metadata["versions"] = f"torch {torch.__version__}, numpy {np.__version__}"
        content = to_bytes(make(number, settings), metadata)
        path = pathlib.Path(__file__).parent / f"{prefix}_{name}.safetensors"
        if arguments.check:
            difference = worst_difference(path, content)
            failed |= not difference < 1e-6
            print(f"{path.name}: largest relative difference {difference:.1e}")
        else:
            path.write_bytes(content)
            print(f"{path.name}: {len(content)} bytes")
    return 1 if failed else 0
