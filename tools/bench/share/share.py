#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What m[key] costs in Python: in a map that is mapped, in one that is not, and in
a dict.

usage: share.py WHERE MILLISECONDS SIZE,...
        prints a line of values, separated by commas, for each measurement
"""

import random
import sys
import time

import hmap

CHUNK = 4096


def nanoseconds(table, keys, limit):
    """Of a lookup; every elem is checked once."""
    for key in keys:
        if table[key] != key ^ 1:
            raise ValueError(f'{key}: {table[key]}')
    at = lookups = 0
    start = time.perf_counter_ns()
    while time.perf_counter_ns() - start < limit:
        some = keys[at:at + CHUNK]
        for key in some:
            table[key]
        lookups += len(some)
        at = at + CHUNK if at + CHUNK < len(keys) else 0
    return (time.perf_counter_ns() - start) / lookups


def main():
    where, milliseconds, sizes = sys.argv[1:]
    for size in map(int, sizes.split(',')):
        keys = [i * 0x9e3779b97f4a7c15 % 2**64 for i in range(size)]
        entries = {key: key ^ 1 for key in keys}
        random.Random(size).shuffle(keys)
        tables = {'python_dict': entries}
        for name, mapped in ('python_view', True), ('python_ioctl', False):
            tables[name] = hmap.create(key='u64', elem='u64', hint=size,
                                       mapped=mapped)
            tables[name].update(entries)
        for name, table in tables.items():
            ns = nanoseconds(table, keys, int(milliseconds) * 10**6)
            print(f'{name},u64,{size},1,0,{ns:.1f},{where}', flush=True)


if __name__ == '__main__':
    main()
