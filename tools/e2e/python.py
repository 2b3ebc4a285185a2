#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The module hmap: its maps are what dicts are, and shared."""

import errno
import json
import os
import random
import signal
import sys

import hmap
import ktap
from ktap import equal

WORKERS = 3
ROUNDS = 1500           # of each


def raises(error, call, *args, number=None, has=''):
    """call(*args) raises it, with that errno, and has that in its text."""
    try:
        value = call(*args)
    except error as caught:
        if number and caught.errno != number:
            raise
        if str(has) not in str(caught):
            raise
        return
    raise AssertionError(f'{value!r}, where {error.__name__} was to be raised')


def not_there(m, key):
    equal(key in m, False)
    equal(m.get(key), None)
    equal(m.get(key, 1), 1)
    equal(m.pop(key, 2), 2)


def in_workers(work, *args):
    """work(*args) in processes of their own; sums up what they return."""
    ends = []
    for _ in range(WORKERS):
        from_worker, to_parent = os.pipe()
        if not os.fork():
            os.write(to_parent, str(work(*args)).encode())
            os._exit(0)
        os.close(to_parent)
        ends.append(from_worker)
    answers = [os.read(end, 100) for end in ends]
    for _ in ends:
        equal(os.wait()[1], 0)
    return sum(map(int, answers))


def u64_map():
    return hmap.create(key='u64', elem='u64')


# === One process ===

def test_types():
    """An entry of each kind, and what comes back."""
    for key, elem, k, e, k2, e2 in (
            ('u32', 'u32', 7, 2 ** 32 - 1, 7, 2 ** 32 - 1),
            ('u64', 'u64', 2 ** 64 - 1, 2 ** 63, 2 ** 64 - 1, 2 ** 63),
            ('bytes:3', 'bytes:8', b'a\0b', bytes(8), b'a\0b', bytes(8)),
            ('bytes:8', 'bytes:4', bytearray(8), b'abcd', bytes(8), b'abcd'),
            ('string', 'var:300', 'ä', b'', 'ä', b''),
            ('string', 'u64', '\udcff', 1, '\udcff', 1),
            ('bytes-string', 'u64', b'\xff', 1, b'\xff', 1),
            ('string', 'var:65536', '', bytes(65536), '', bytes(65536)),
            ('string', 'none', 'k' * 4096, None, 'k' * 4096, None)):
        with hmap.create(key=key, elem=elem) as m:
            m[k] = e
            equal(m[k], e2)
            equal(list(m), [k2])
            equal(list(m.values()), [e2])
            equal(list(m.items()), [(k2, e2)])
            equal(m.get_many([k2]), {k2: e2})
            equal(m.pop(k), e2)
            equal(len(m), 0)


def test_wrong_types():
    m = u64_map()
    for key in (-1, 2 ** 64):
        raises(OverflowError, m.__getitem__, key, has=key)
        raises(OverflowError, m.__setitem__, 1, key, has=key)
        not_there(m, key)
    for key in (b'12345678', '1', 1.0, None):
        name = type(key).__name__
        raises(TypeError, m.__getitem__, key, has=f'be int, not {name}')
        raises(TypeError, m.__setitem__, 1, key, has='elem must be int')
        not_there(m, key)
    for n in (-2 ** 64, 2 ** 64):
        raises(OverflowError, m.add, 1, n, has=n)
    raises(TypeError, m.add, 1, 1.0)
    raises(TypeError, m.pop, 1, 2, 3)
    m = hmap.create(key='bytes:3', elem='var:2')
    raises(ValueError, m.__setitem__, b'ab', b'')
    raises(ValueError, m.__setitem__, b'abcd', b'')
    raises(TypeError, m.__setitem__, 'abc', b'', has='key must be bytes')
    raises(ValueError, m.__setitem__, b'abc', b'xyz', has='at most 2')
    raises(TypeError, m.__setitem__, b'abc', 'xy', has='elem must be bytes')
    raises(ValueError, m.update, [(b'abc', b'x'), (b'ab', b'y')])
    raises(ValueError, m.get_many, [b'ab', b'abcd'])
    not_there(m, b'ab')
    raises(OSError, m.add, b'abc', number=errno.EOPNOTSUPP)
    equal(len(m), 0)
    m = hmap.create(key='string', elem='none')
    raises(ValueError, m.__setitem__, 'k' * 4097, None)
    raises(TypeError, m.__setitem__, 'k', b'', has='elem must be None')
    raises(TypeError, m.__setitem__, b'k', None, has='key must be str')
    m['k'] = None
    equal(('k' in m, b'k' in m), (True, False))
    m = hmap.create(key='bytes-string', elem='none')
    raises(TypeError, m.__setitem__, 'k', None, has='key must be bytes')
    for key, elem in (('u16', 'u64'), ('bytes:', 'u64'), ('u64', 'string'),
                      ('u64', 'bytes:-1'), ('u64', 'bytes:0'),
                      ('bytes:\u0663', 'u64')):
        raises(ValueError, lambda: hmap.create(key=key, elem=elem))


def test_out_of_range():
    """What C would cut to fit is refused, and named."""
    for types in ({'key': 'u64', 'elem': 'bytes:4294967304'},
                  {'key': 'u64', 'elem': 'var:4294967304'},
                  {'key': 'bytes:4294967304', 'elem': 'u64'}):
        raises(OverflowError, lambda: hmap.create(**types), has=4294967304)
    m = u64_map()
    for name, bits in (('mode', 32), ('uid', 32), ('gid', 32), ('hint', 64),
                       ('max_entries', 64), ('max_bytes', 64)):
        for value in (-1, 2 ** bits, 2 ** bits + 1):
            if name not in ('uid', 'gid'):
                raises(OverflowError, lambda: hmap.create(
                    key='u64', elem='u64', **{name: value}), has=value)
            if name != 'hint':
                raises(OverflowError, lambda: m.set(**{name: value}), has=value)
        raises(TypeError, lambda: hmap.create(key='u64', elem='u64',
                                              **{name: 1.0}))


def test_is_a_dict():
    """The same to it and to a dict, thousands of times."""
    rng = random.Random(1)
    m, d = u64_map(), {}
    for _ in range(3000):
        key, elem = rng.randrange(50), rng.randrange(2 ** 64)
        change = rng.randrange(8)
        if change < 3:
            m[key] = d[key] = elem
        elif change == 3:
            equal(m.setdefault(key, elem), d.setdefault(key, elem))
        elif change == 4:
            equal(m.pop(key, None), d.pop(key, None))
        elif change == 5 and key in d:
            del m[key], d[key]
        elif change == 6 and key in d:
            expected = rng.choice((d[key], elem))
            equal(m.replace(key, expected, 1), d[key] == expected)
            d[key] = 1 if d[key] == expected else d[key]
        elif change == 7:
            equal(m.add(key, -elem), d.get(key, 0))
            d[key] = (d.get(key, 0) - elem) % 2 ** 64
        equal(m.get(key), d.get(key))
        equal(key in m, key in d)
        equal(len(m), len(d))
    equal(dict(m.items()), d)
    equal(m.get_many(range(100)), d)
    equal(sorted(m), sorted(d))
    equal(m == d, True)
    while d:
        key, elem = m.popitem()
        equal(elem, d.pop(key))
    raises(KeyError, m.popitem)
    m[1] = 1
    equal(m.popitem(), (1, 1))
    raises(KeyError, m.__getitem__, 1, has='1')
    raises(KeyError, m.__delitem__, 1)
    raises(KeyError, m.pop, 1)
    raises(KeyError, m.replace, 1, 2, 3)
    equal(m.pop(1, default=None), None)
    equal(m.get(1, 2), 2)
    m[1] = 1
    m.clear()
    equal(list(m), [])


def test_becomes_a_dict():
    """In each of the ways that there are to make it one."""
    d = {'ssh': 22, 'domain': 53, 'ä': 1}
    m = hmap.create(key='string', elem='u64')
    for start in ({}, d):
        m.update(start)
        other = dict.fromkeys(range(3)) | {'ssh': 0}
        merged = dict(other)
        merged |= m
        for value, expected in (
                (dict(m), start), ({**m}, start), (m.copy(), start),
                (m | other, start | other), (other | m, other | start),
                (merged, other | start), (dict(m, x=1), start | {'x': 1}),
                (dict(m.items()), start), (dict(zip(m.keys(), [0] * 3)),
                                           dict.fromkeys(start, 0)),
                ((lambda **kw: kw)(**m), start),
                (json.loads(json.dumps(dict(m))), start)):
            equal(value, expected)
        equal((m == start, m == hmap.open(m), m == other, m == 1, m != start),
              (True, True, False, False, False))
    equal(dict(m)['ssh'], 22)
    m |= {'go': 9000}
    equal(m['go'], 9000)
    raises(TypeError, lambda: m | 1)
    raises(TypeError, lambda: 1 | m)


def test_dict_of_what_changes():
    """dict(m) is one walk, and looks up no key that might be gone."""
    class Watched(hmap.Map):
        def _lookup(self, key):
            raise AssertionError('a lookup')

    m = u64_map()
    m.update((i, i) for i in range(1000))
    equal(dict(Watched(os.dup(m.fileno()))), {i: i for i in range(1000)})
    # But what a program asks for itself is what is there now.
    for key in list(m.keys()):
        del m[key]
        raises(KeyError, m.__getitem__, key)
    for key in m.keys() if m.update({1: 1}) is None else ():
        m[key] = 2
        equal(m[key], 2)
    # A map that is cleared on the way
    clears = 3

    class Cleared(hmap.Map):
        def _walk(self):
            nonlocal clears
            walk = super()._walk()
            yield next(walk)
            if clears:
                clears -= 1
                self.clear()
                self.update(dict.fromkeys(range(5000), 7))
            yield from walk

    m = Cleared(os.dup(m.fileno()))
    m.update((i, i) for i in range(5000))
    equal(dict(m), dict.fromkeys(range(5000), 7))
    equal(clears, 0)
    clears = 1000
    raises(RuntimeError, dict, m, has='cleared')
    equal(clears > 900, True)


def test_dict_while_another_deletes():
    m = u64_map()
    m.update((i, i) for i in range(2000))
    writer = os.fork()
    if not writer:
        while True:
            for i in range(1000, 2000):
                m.pop(i, None)
                m[i] = i
    for _ in range(30):
        d = dict(m)
        equal([i for i in range(1000) if d.pop(i, None) != i], [])
        equal([i for i in d if i != d[i]], [])
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)


def test_repr():
    m = hmap.create('named', key='string', elem='u64')
    equal(repr(m), "<hmap.Map 'named', string to u64, 0 entries: {}>")
    m['ssh'] = 22
    equal(repr(m), "<hmap.Map 'named', string to u64, 1 entries: {'ssh': 22}>")
    m.update((str(i), i) for i in range(9))
    equal(repr(m).endswith(', ...}>'), True)
    info = m.info()     # by the next one the old array may have been freed
    text = repr(info)
    for part in ("name='named'", "key='string'", "elem='u64'", 'mode=0o600',
                 'count=10,', f'bytes={info.bytes},'):
        equal(part in text, True)
    m.close()
    equal(repr(m), '<hmap.Map, closed>')
    m = hmap.create(key='bytes:3', elem='var:9')
    m[b'abc'] = b''
    equal(repr(m), f"<hmap.Map id:{m.info().id}, bytes:3 to var:9, 1 entries: "
                   "{b'abc': b''}>")
    equal(type(hmap.__version__), str)


def test_is_not_slow():
    """No walk for each popitem(), and no elem for `in`."""
    walks = 0

    class Counted(hmap.Map):
        def _walk(self):
            nonlocal walks
            walks += 1
            return super()._walk()

    other = hmap.create(key='u64', elem='var:65536')
    other.update((i, bytes(i)) for i in range(3000))
    m = Counted(os.dup(other.fileno()))
    m._read = None
    equal(all(i in m for i in range(3000)), True)
    equal(3000 in m, False)
    del m._read
    equal(sorted(m.popitem() for _ in range(3000)),
          [(i, bytes(i)) for i in range(3000)])
    raises(KeyError, m.popitem)
    equal(walks, 2)
    # What comes or goes behind its back
    m.update({1: b'', 2: b'', 3: b''})
    key, _ = m.popitem()
    other.clear()
    m[4] = b'four'
    equal(m.popitem(), (4, b'four'))
    raises(KeyError, m.popitem)


def test_batches():
    d = {f'key {i}': os.urandom(i) for i in range(1000)}
    m = hmap.create(key='string', elem='var:1000')
    m.update(d)
    equal(dict(m.items()), d)
    m.update([('a', b'b')], c=b'd')
    equal(m.get_many(['a', 'b', 'c']), {'a': b'b', 'c': b'd'})
    equal(m.get_many([]), {})
    m.update({'none': b''} | dict.fromkeys(d, b'x' * 1000))
    equal(m.get_many(['key 1', '?', *d]), dict.fromkeys(d, b'x' * 1000))
    equal(m.delete_many(['?', 'a', *d, 'a']), 1001)
    equal(sorted(m), ['c', 'none'])
    m.update(())
    equal(len(m), 2)


def test_iteration():
    m = u64_map()
    m.update((i, i) for i in range(5000))
    for key in m:
        m.add(key)
        m[key + 100000] = 0
        del m[key + 100000]
    equal(dict(m.items()), {i: i + 1 for i in range(5000)})
    m.close()
    raises(ValueError, m.__getitem__, 1)


def test_nested_iterations():
    m = u64_map()
    m.update((i, i) for i in range(300))
    seen = [(i, j) for i in m for j in m.values()]
    equal(sorted(seen), [(i, j) for i in range(300) for j in range(300)])
    # Side by side, one begun when another is half way
    walks = [iter(m) for _ in range(20)]
    seen = [[next(walk) for walk in walks[:i + 1]] for i in range(20)]
    for i, walk in enumerate(walks):
        own = [row[i] for row in seen if i < len(row)]
        equal(sorted(own + list(walk)), list(range(300)))


def test_iteration_after_fork():
    """Each process goes on from where it was, and misses nothing."""
    m = u64_map()
    m.update((i, 1) for i in range(20000))
    walk = iter(m)
    before = [next(walk) for _ in range(5000)]

    def work():
        equal(sorted(before + list(walk)), list(range(20000)))
        return 1

    equal(in_workers(work), WORKERS)
    equal(work(), 1)


def test_iteration_ends():
    for end, what in ((lambda: m.clear(), 'cleared'),
                      (lambda: m.close(), 'closed')):
        m = u64_map()
        m.update((i, i) for i in range(20000))
        walk = iter(m)
        next(walk)
        end()
        raises(RuntimeError, list, walk, has=f'{what} during iteration')


def test_signals():
    """Handlers run; nothing is lost, done twice or ended by them."""
    handled = 0

    def handler(*_):
        nonlocal handled
        handled += 1

    d = {i: bytes(100) for i in range(20000)}
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    m = hmap.create(key='u64', elem='var:100')
    m.update(d)
    equal(dict(m.items()), d)
    equal(m.get_many(d), d)
    equal(m.delete_many(d), len(d))
    # A walk over many empty buckets is interrupted with nothing to return.
    equal(list(hmap.create(key='u64', elem='u64', hint=2000000)), [])
    signal.setitimer(signal.ITIMER_REAL, 0)
    equal(len(m), 0)
    equal(handled > 10, True)


def test_limits():
    m = hmap.create(key='u64', elem='u64', max_entries=3)
    m.update({1: 1, 2: 2, 3: 3})
    for grow in (lambda: m.__setitem__(4, 4), lambda: m.update({3: 0, 4: 4}),
                 lambda: m.setdefault(4, 4), lambda: m.add(4)):
        raises(OSError, grow, number=errno.ENOSPC, has='(max_entries 3)')
    equal(sorted(m.items()), [(1, 1), (2, 2), (3, 0)])
    raises(OSError, lambda: hmap.create(key='u64', elem='u64', max_entries=1,
                                        hint=2), number=errno.ENOSPC,
           has='max_maps 1024')
    m = hmap.create(key='u64', elem='bytes:128', max_bytes=100000)
    raises(OSError, m.update, ((i, bytes(128)) for i in range(10000)),
           number=errno.ENOSPC, has='max_bytes 100000')


def test_open_again():
    m = u64_map()
    again = hmap.open(m, 'r+')
    again[1] = 2
    m.close()
    with hmap.open(again) as reader:
        equal(reader[1], 2)
        raises(PermissionError, reader.__setitem__, 1, 1)
        equal(reader.info().access, 1)
    equal(again.pop(1), 2)


def test_mapped():
    for key, keys in (('u64', range(1000)), ('u32', range(1000)),
                      ('string:20', list(map(str, range(1000)))),
                      ('bytes:3', [b'%03d' % i for i in range(1000)])):
        with hmap.create(key=key, elem='u64', mapped=True) as m:
            equal(m.info().key, key)
            raises(KeyError, m.__getitem__, keys[0])
            m.update((key, i) for i, key in enumerate(keys))
            with hmap.open(m) as reader:
                equal([reader[key] for key in keys], list(range(1000)))
                equal(reader.get(keys[5]), 5)
                equal(keys[7] in reader, True)
                m.clear()
                raises(KeyError, reader.__getitem__, keys[5])
                equal(reader.get(keys[5], 'none'), 'none')
                equal(keys[7] in reader, False)
                for wrong in 1.5, None, -1, 'x' * 21, b'1234':
                    equal(wrong in reader, False)
                raises(TypeError, reader.__getitem__, 1.5)
            raises(ValueError, reader.__getitem__, keys[5])
    m = hmap.create(key='u64', elem='bytes:5', mapped=True)
    m[2 ** 64 - 1] = b'12345'
    equal(m[2 ** 64 - 1], b'12345')
    raises(OverflowError, m.__getitem__, 2 ** 64)
    raises(OSError, lambda: hmap.create(key='u64', elem='var:5', mapped=True),
           number=errno.EINVAL)


def test_view_is_built():
    """What the tests of mapped maps are about"""
    equal(hmap.View is not None, True)


def test_set():
    m = u64_map()
    m.set(mode=0o640, uid=1, gid=2, max_entries=1, name='name')
    info = hmap.open('name').info()
    equal((info.mode, info.uid, info.gid, info.max_entries, info.name),
          (0o640, 1, 2, 1, 'name'))
    m[1] = 1
    raises(OSError, m.__setitem__, 2, 2, number=errno.ENOSPC)
    m.set(max_entries=0)
    m[2] = 2
    hmap.create('other', key='u64', elem='u64')
    raises(FileExistsError, lambda: m.set(mode=0o666, name='other'),
           has='of the new name')
    equal(m.info().mode, 0o640)
    raises(OSError, lambda: m.set(mode=0o1000), number=errno.EINVAL)
    raises(OSError, lambda: m.set(name='a/b'), number=errno.EINVAL)
    raises(TypeError, lambda: m.set(count=1))


# === Names ===

def test_names():
    with hmap.create('name', key='u64', elem='u64', mode=0o640) as m:
        m[1] = 2
    raises(FileExistsError, lambda: hmap.create('name', key='u64', elem='u64'),
           has="there is a map of that name: 'name'")
    with hmap.create('name', key='u64', elem='u64', exist_ok=True) as m:
        equal(m[1], 2)
    raises(FileExistsError, lambda: hmap.create('name', key='u64', elem='u32',
                                                exist_ok=True))
    with hmap.open('name') as m:
        equal(m[1], 2)
        equal(m.info().mode, 0o640)
        for change in (lambda: m.__setitem__(1, 1), lambda: m.pop(1), m.clear,
                       lambda: m.__delitem__(1), lambda: m.update({1: 1})):
            raises(PermissionError, change, has="mode 'r'")
        equal(m[1], 2)
    with hmap.open('name', 'r+') as m:
        m[1] = 3
    with hmap.open('name', elem=bytes) as m:
        equal(m[1], (3).to_bytes(8, sys.byteorder))
    hmap.create('text', key='string', elem='u64')['ssh'] = 22
    equal(dict(hmap.open('text')), {'ssh': 22})
    equal(dict(hmap.open('text', key=bytes)), {b'ssh': 22})
    hmap.unlink('text')
    equal([(i.name, i.count) for i in hmap.maps()], [('name', 1)])
    raises(ValueError, hmap.open, 'name', 'w')
    hmap.unlink('name')
    raises(FileNotFoundError, hmap.open, 'name', has="'name'")
    raises(FileNotFoundError, hmap.unlink, 'name')
    raises(OSError, hmap.open, 'a/b', number=errno.EINVAL)
    raises(OSError, hmap.open, 'n' * 64, number=errno.EINVAL)
    raises(ValueError, hmap.open, 'na\0me')
    equal(list(hmap.maps()), [])


def test_another_user():
    hmap.create('mine', key='u64', elem='u64')[1] = 2
    hmap.create('read by all', key='u64', elem='u64', mode=0o644)[1] = 2
    os.chmod('/dev/hmap', 0o666)

    def work():
        os.setresuid(1000, 1000, 1000)
        raises(PermissionError, hmap.open, 'mine', has='the mode of the map')
        raises(PermissionError, hmap.open, 'read by all', 'r+')
        raises(PermissionError, hmap.unlink, 'mine', has='only its owner')
        raises(PermissionError, lambda: hmap.open('read by all').set(mode=0),
               has='only its owner')
        told = {info.name: info.count for info in hmap.maps()}
        equal(told, {'mine': 0, 'read by all': 1})
        return hmap.open('read by all')[1]

    equal(in_workers(work), WORKERS * 2)


# === Many processes ===

def test_all_is_counted():
    m = hmap.create(key='string', elem='u64')

    def work():
        olds = 0
        for _ in range(ROUNDS):
            olds += m.add('added to')
            while True:
                seen = m.setdefault('replaced', 0)
                if m.replace('replaced', seen, seen + 1):
                    break
        return olds

    olds = in_workers(work)
    total = ROUNDS * WORKERS
    equal(m['added to'], total)
    equal(m['replaced'], total)
    # Each number on the way there was told to one of them.
    equal(olds, total * (total - 1) // 2)


def test_nothing_is_lost():
    """What all add to is taken away by one at a time, whole."""
    m = u64_map()

    def work():
        taken = 0
        for _ in range(ROUNDS):
            m.add(0)
            taken += m.pop(0, 0)
        return taken

    equal(in_workers(work), ROUNDS * WORKERS)
    equal(len(m), 0)


def test_one_makes_it():
    """Of many that insert a key, all get to know the elem of the first."""
    m = u64_map()

    def work():
        pid = os.getpid()
        return sum(m.setdefault(i, pid) == pid for i in range(ROUNDS))

    equal(in_workers(work), ROUNDS)
    equal(len(m), ROUNDS)


def test_walk_while_another_writes():
    m = hmap.create('walked', key='u64', elem='u64')
    m.update((i, i) for i in range(500))
    writer = os.fork()
    if not writer:
        for i in range(500, 2 ** 63):
            m[i] = i
            if i % 3 == 0:
                del m[i]
    with hmap.open('walked') as own:
        before = own.info().growths
        while own.info().growths < before + 3:
            items = list(own.items())
            equal(sorted(i for i, _ in items if i < 500), list(range(500)))
            equal(len(items), len(set(items)))
            equal([i for i, elem in items if i != elem], [])
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)


def forget_maps():
    for info in hmap.maps():
        hmap.unlink(info.name)
    os.chmod('/dev/hmap', 0o600)


if __name__ == '__main__':
    sys.exit(ktap.main(globals(), forget_maps))
