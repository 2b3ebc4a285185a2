#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Pictures and recordings are well-formed, and show the map that there is."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import hmap
import ktap
from ktap import equal

SVG = '{http://www.w3.org/2000/svg}'


def hmapctl(*args, **kwargs):
    return subprocess.run(['hmapctl', *args], capture_output=True, text=True,
                          timeout=ktap.TEST_SECONDS, check=False, **kwargs)


def done(result):
    if result.returncode or result.stderr:
        raise AssertionError(f'{result.returncode}: {result.stderr}')
    return result.stdout


def texts(svg):
    return [text.text or '' for text in svg.iter(SVG + 'text')]


def field(svg, name):
    """A field of struct hmap."""
    lines = [t for t in texts(svg) if re.match(name + ' +', t)]
    equal(len(lines), 1)
    return lines[0].split()[1]


def cells(svg):
    """How many cells there are of each class."""
    return {path.get('class'): int(path.find(SVG + 'title').text)
            for path in svg.iter(SVG + 'path')
            if path.find(SVG + 'title') is not None}


def new_map():
    return hmap.create('m', key='u64', elem='u64')


def picture(m):
    svg = ET.fromstring(done(hmapctl('picture', 'm')))
    equal(svg.tag, SVG + 'svg')
    equal(int(field(svg, 'count')), len(m))
    return svg


def test_small():
    """Each entry has a slot that is drawn as used, in three rows."""
    m = new_map()
    svg = picture(m)
    equal('no array yet' in texts(svg), True)
    equal(cells(svg), {})
    for n in range(1, 21):
        m[n] = n
        svg = picture(m)
        used = [r for r in svg.iter(SVG + 'rect') if r.get('class') == 'used']
        equal(len(used), 3 * n)
        equal(texts(svg).count('elem'), n)
    equal(sum(cells(svg).values()), 2 ** int(field(svg, 'B')))
    del m[7]
    equal(texts(picture(m)).count('key'), 19)


def test_large():
    """Cells stand for groups of buckets, and there are as many of them."""
    m = new_map()
    m.update({n: n for n in range(100000)})
    svg = picture(m)
    b = int(field(svg, 'B'))
    equal(b > 12, True)
    equal(sum(cells(svg).values()) % 4096, 0)
    equal(f'buckets: 2^{b}, {2 ** b // 4096} a cell' in texts(svg), True)


def test_recording():
    """A page has a frame for each line, and each frame is a picture."""
    m = new_map()
    with subprocess.Popen(['hmapctl', 'record', 'm', '--interval', '1',
                           '--frames', '8', '-o', '/tmp/recording'],
                          stderr=subprocess.PIPE, text=True) as record:
        n = 0
        while record.poll() is None:
            m[n] = n
            n += 1
        equal(record.stderr.read(), '')
        equal(record.returncode, 0)
    with open('/tmp/recording', encoding='utf-8') as file:
        counts = [int(re.search(r'\ncount +(\d+)', json.loads(line)['header'])[1])
                  for line in file]
    equal(len(counts), 8)
    equal(counts, sorted(counts))
    equal(counts[-1] > counts[0], True)

    done(hmapctl('picture', '--html', '/tmp/recording', '-o', '/tmp/page'))
    with open('/tmp/page', encoding='utf-8') as file:
        page = file.read()
    frames = [ET.fromstring(svg) for svg in
              re.findall(r"<div class='frame'[^>]*>\s*(<svg.*?</svg>)", page,
                         re.DOTALL)]
    equal([int(field(svg, 'count')) for svg in frames], counts)


def test_wrong_recordings():
    new_map()
    for text in '', '{}\n', '[]\n', 'x\n', '{"header": "", "cells": "0"}\n':
        result = hmapctl('picture', '--html', '-', input=text)
        equal(result.returncode, 2)
        equal('frame' in result.stderr, True)


def test_signal():
    """A recording that is interrupted is whole."""
    m = new_map()
    with subprocess.Popen(['hmapctl', 'record', 'm'], text=True,
                          stdout=subprocess.PIPE) as record:
        json.loads(record.stdout.readline())
        record.terminate()
        equal(record.stdout.read(), '')
        equal(record.wait(ktap.TEST_SECONDS), 0)


if __name__ == '__main__':
    sys.exit(ktap.main(globals(), lambda: hmap.unlink('m')))
