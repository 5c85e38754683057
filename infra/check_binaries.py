"""Checks the built functions as Lambda would load them, and prints their sizes.

usage: check_binaries.py arm64|x86_64 FOLDER...

Each folder must contain an executable `bootstrap` for the processor, which needs no newer C library than that of Amazon
Linux 2023 and is within Lambda's limit. Only Python's standard library is needed.
"""

import os
import re
import struct
import sys

# ELF's numbers of the processors.
MACHINES = {"arm64": 183, "x86_64": 62}
# The C library of provided.al2023.
GLIBC_MAX = (2, 34)
# Lambda's limit of an unpacked function, in bytes.
SIZE_MAX = 250 * 1024 * 1024

SHT_STRTAB = 3


class Unfit(Exception):
    """The reason why Lambda could not run a file."""


def machine(binary):
    """Returns ELF's number of the processor of a 64-bit little-endian executable."""
    if len(binary) < 64 or binary[:6] != b"\x7fELF\x02\x01":
        raise Unfit("is not a 64-bit little-endian ELF file")
    return struct.unpack_from("<H", binary, 18)[0]


def section_names(binary):
    """Returns (name, type, offset, size) of each section."""
    (table,) = struct.unpack_from("<Q", binary, 40)
    size, count, names = struct.unpack_from("<HHH", binary, 58)
    headers = [struct.unpack_from("<IIQQQQ", binary, table + index * size) for index in range(count)]
    offset = headers[names][4]
    for name, kind, _, _, start, length in headers:
        text = binary[offset + name : binary.index(b"\0", offset + name)]
        yield text.decode(), kind, start, length


def glibc(binary):
    """Returns the newest version of the C library that the dynamic symbols name."""
    for name, kind, start, length in section_names(binary):
        if name == ".dynstr" and kind == SHT_STRTAB:
            versions = re.findall(rb"\0GLIBC_(\d+)\.(\d+)", binary[start : start + length])
            return max(((int(major), int(minor)) for major, minor in versions), default=(0, 0))
    raise Unfit("has no dynamic symbols")


def check(folder, architecture):
    """Returns the size of a function's executable, and the newest version of the C library that it needs."""
    path = os.path.join(folder, "bootstrap")
    if not os.path.isfile(path):
        raise Unfit("is missing: run infra/build")
    if not os.access(path, os.X_OK):
        raise Unfit("is not executable")
    with open(path, "rb") as file:
        binary = file.read()
    if machine(binary) != MACHINES[architecture]:
        raise Unfit(f"is not for {architecture}")
    version = glibc(binary)
    if version > GLIBC_MAX:
        raise Unfit(f"needs glibc {version[0]}.{version[1]}, and Amazon Linux 2023 has {GLIBC_MAX[0]}.{GLIBC_MAX[1]}")
    if len(binary) > SIZE_MAX:
        raise Unfit(f"has {len(binary)} bytes, more than Lambda unpacks")
    return len(binary), version


def main():
    architecture, folders = sys.argv[1], sys.argv[2:]
    unfit, total = 0, 0
    print(f"{'function':28} {'MB':>6}  glibc   ({architecture})")
    for folder in folders:
        name = os.path.basename(folder)
        try:
            size, version = check(folder, architecture)
        except Unfit as reason:
            unfit += 1
            print(f"{name:28} {reason}")
            continue
        total += size
        print(f"{name:28} {size / 1e6:6.1f}  {version[0]}.{version[1]}")
    print(f"{len(folders) - unfit} of {len(folders)} functions are fit, {total / 1e6:.1f} MB")
    sys.exit(1 if unfit else 0)


if __name__ == "__main__":
    main()
