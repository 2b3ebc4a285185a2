#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A symbol table that one process fills and others read.

    symbols.py load [FILE]      /proc/kallsyms, or a file like it
    symbols.py NAME...          print their addresses
    symbols.py unload
"""

import sys

import hmap


def load(path='/proc/kallsyms'):
    symbols = hmap.create('symbols', key='string', elem='u64', mode=0o644)
    with symbols, open(path) as lines:
        fields = (line.split() for line in lines)
        symbols.update((name, int(address, 16))
                       for address, _, name, *_ in fields)
        print(len(symbols), 'symbols')


def show(names):
    with hmap.open('symbols') as symbols:
        found = symbols.get_many(names)
    for name in names:
        print(f'{found[name]:016x} {name}' if name in found else f'no {name}')
    return len(found) < len(set(names))


def main(args):
    if not args:
        return __doc__
    if args[0] == 'load':
        return load(*args[1:])
    if args == ['unload']:
        return hmap.unlink('symbols')
    return show(args)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
