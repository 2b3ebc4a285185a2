#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Pictures and recordings are well-formed, and show the map that there is."""

import collections
import copy
import json
import re
import signal
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
    """A field of struct hmap: the text to the right of its name."""
    at = {(text.get('x'), text.get('y')): text.text for text in svg.iter(SVG + 'text')}
    y, = [y for (x, y), text in at.items() if x == '32' and text == name]
    return at['192', y].split()[0]


def cells(svg):
    """How many cells there are of each class."""
    count = collections.Counter()
    for path in svg.iter(SVG + 'path'):
        title = path.find(SVG + 'title')
        if title is not None:
            count[path.get('class')] += int(title.text)
    return count


def new_map():
    return hmap.create('m', key='u64', elem='u64')


def picture(m):
    svg = ET.fromstring(done(hmapctl('picture', 'm')))
    equal(svg.tag, SVG + 'svg')
    equal(int(field(svg, 'count')), len(m))
    return svg


def test_small():
    """Each entry has a slot that is drawn as used."""
    m = new_map()
    svg = picture(m)
    equal('no array yet' in texts(svg), True)
    equal(cells(svg).total(), 0)
    for n in range(1, 21):
        m[n] = n
        svg = picture(m)
        used = [p for p in svg.iter(SVG + 'path') if p.get('class') == 'used']
        equal(len(used), n)
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
    # A fifth of the buckets has an overflow bucket, so most groups have one.
    equal(cells(svg)['c2'] < 4096 / 3, True)
    equal('->' in texts(svg), True)
    equal(f'buckets: 2^{b}, {2 ** b // 4096} a cell' in texts(svg), True)


def recording(m, frames):
    """Record while there are inserts: the file, and the count in each frame."""
    with subprocess.Popen(['hmapctl', 'record', 'm', '--interval', '1',
                           '--frames', str(frames), '-o', '/tmp/recording'],
                          stderr=subprocess.PIPE, text=True) as record:
        n = 0
        while record.poll() is None:
            m[n % 2000] = n     # to stay small
            n += 1
        equal(record.stderr.read(), '')
        equal(record.returncode, 0)
    with open('/tmp/recording', encoding='utf-8') as file:
        counts = [int(re.search(r'\ncount +(\d+)', json.loads(line)['header'])[1])
                  for line in file]
    equal(len(counts), frames)
    equal(counts, sorted(counts))
    equal(counts[-1] > counts[0], True)
    return '/tmp/recording', counts


def at_frame(film, is_shown):
    """A film with what is shown of it at one moment."""
    svg = copy.deepcopy(film)
    for group in svg.findall(SVG + 'g'):
        if not is_shown(group):
            svg.remove(group)
    return svg


def check_frames(frames, counts):
    for svg, count in zip(frames, counts, strict=True):
        equal(int(field(svg, 'count')), count)
        number = [int(t) for t in texts(svg) if t.isdigit()]
        if len(number) == 2 ** int(field(svg, 'B')):
            equal(sum(number), count)


def test_names():
    """A name has no meaning in XML."""
    new_map()
    for name in '<&>"\'', ']]>', '&lt;', '-' * 63:
        hmap.create(name, key='u64', elem='u64')
        svg = ET.fromstring(done(hmapctl('picture', '--', name)))
        title, = [t.text for t in svg.iter(SVG + 'text') if t.get('class') == 'title']
        equal(title, name if len(name) <= 40 else name[:40] + '...')
        hmap.unlink(name)


def test_recording():
    """A page has all frames, and each is the picture of one."""
    path, counts = recording(new_map(), 8)
    page = done(hmapctl('picture', '--html', path))
    film = ET.fromstring(re.search(r'<svg.*</svg>', page, re.DOTALL)[0])
    equal(len(re.search(r"data-ms='([^']*)'", page)[1].split()), 8)

    def is_shown(group, frame):
        turns = [int(turn) for turn in group.get('data-turns').split()]
        return len([turn for turn in turns if turn <= frame]) % 2

    check_frames([at_frame(film, lambda group, n=n: is_shown(group, n))
                  for n in range(8)], counts)


def test_animation():
    """So has a picture that moves, and where it does not, it shows the last."""
    path, counts = recording(new_map(), 6)
    film = ET.fromstring(done(hmapctl('picture', '--animate', path)))
    rules = {name: [(float(at), opacity == '1') for at, opacity in
                    re.findall(r'([\d.]+)%\{opacity:(\d)\}', rule)]
             for style in film.iter(SVG + 'style')
             for name, rule in re.findall(r'@keyframes (\w+)\{(.*?\})\}',
                                          style.text)}

    def is_shown(group, percent):
        rule = rules[re.search('k[0-9]+', group.get('style'))[0]]
        equal(rule[0][0], 0.0)
        return [shown for at, shown in rule if at <= percent][-1]

    # It rests for as long as 8 frames take.
    check_frames([at_frame(film, lambda group, n=n: is_shown(group, (n + .5) / .14))
                  for n in range(6)], counts)
    still = at_frame(film, lambda group: 'opacity:1' in group.get('style'))
    check_frames([still], counts[-1:])


def test_wrong_recordings():
    new_map()
    for text in '', '{}\n', '[]\n', 'x\n', '{"header": "", "cells": "0"}\n':
        for form in '--html', '--animate':
            result = hmapctl('picture', form, '-', input=text)
            equal(result.returncode, 2)
            equal('frame' in result.stderr, True)
    equal(hmapctl('picture', '--html', '--animate', '-', input='').returncode, 2)


def test_hostile_recording():
    """What is written in a recording becomes no element, and no control character."""
    new_map()
    line = json.dumps({'ms': 1, 'log2': 0, 'oldlog2': 0, 'cells': '11', 'oldcells': '',
                       'header': 'name </svg><script>\x1b[m\n\nstruct hmap\nB <g>\n',
                       'opened': ' \nold\nold \n0 <a> ]]> \x01 \u20ac\n'})
    page = done(hmapctl('picture', '--html', '-', input=line))
    equal(page.count('<script>'), 1)
    svg = ET.fromstring(done(hmapctl('picture', '--animate', '-', input=line)))
    equal({e.tag.removeprefix(SVG) for e in svg.iter()},
          {'svg', 'style', 'marker', 'g', 'path', 'text', 'title'})
    equal('</svg><script>?[m' in texts(svg), True)


def test_signal():
    """A recording that is interrupted is whole."""
    m = new_map()
    with subprocess.Popen(['hmapctl', 'record', 'm'], text=True,
                          stdout=subprocess.PIPE) as record:
        json.loads(record.stdout.readline())
        record.terminate()
        equal(record.stdout.read(), '')
        equal(record.wait(ktap.TEST_SECONDS), 0)


def test_signal_later():
    """A session in which something was recorded can be ended as any other."""
    new_map()
    with subprocess.Popen(['hmapctl'], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as session:
        session.stdin.write('record m --frames 1 -o /dev/null\ncount m\n')
        session.stdin.flush()
        equal(session.stdout.readline(), '0\n')
        session.terminate()
        equal(session.wait(ktap.TEST_SECONDS), -signal.SIGTERM)


if __name__ == '__main__':
    ktap.need_debugfs()
    sys.exit(ktap.main(globals(), lambda: hmap.unlink('m')))
