#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""hmap.py against the device: its maps are what dicts are, and shared."""

import errno
import os
import random
import signal
import sys
import traceback

import hmap

WORKERS = 3
ROUNDS = 1500           # of each
TEST_SECONDS = 100      # a test that takes longer hangs


def equal(value, expected):
    if value != expected or type(value) is not type(expected):
        raise AssertionError(f'{value!r}, not {expected!r}')


def raises(error, call, *args, number=None, has=''):
    """call(*args) raises it, with that errno, and has that in its text."""
    try:
        value = call(*args)
    except error as caught:
        if number and caught.errno != number:
            raise
        if has not in str(caught):
            raise
        return
    raise AssertionError(f'{value!r}, where {error.__name__} was to be raised')


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
            ('string', 'var:300', 'ä', b'', 'ä'.encode(), b''),
            ('string', 'var:65536', b'', bytes(65536), b'', bytes(65536)),
            ('string', 'none', 'k' * 4096, None, b'k' * 4096, None)):
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
        raises(OverflowError, m.__getitem__, key)
        raises(OverflowError, m.__setitem__, 1, key)
    for key in (b'12345678', '1', 1.0, None):
        raises(TypeError, m.__getitem__, key)
        raises(TypeError, m.__setitem__, 1, key)
    m = hmap.create(key='bytes:3', elem='var:2')
    raises(ValueError, m.__setitem__, b'ab', b'')
    raises(ValueError, m.__setitem__, b'abcd', b'')
    raises(TypeError, m.__setitem__, 'abc', b'')
    raises(ValueError, m.__setitem__, b'abc', b'xyz', has='at most 2')
    raises(TypeError, m.__setitem__, b'abc', 'xy')
    raises(ValueError, m.update, [(b'abc', b'x'), (b'ab', b'y')])
    raises(ValueError, m.get_many, [b'ab', b'abcd'])
    raises(OSError, m.add, b'abc', number=errno.EOPNOTSUPP)
    equal(len(m), 0)
    m = hmap.create(key='string', elem='u64')
    raises(ValueError, m.__setitem__, 'k' * 4097, 1)
    for key, elem in (('u16', 'u64'), ('bytes:', 'u64'), ('u64', 'string'),
                      ('u64', 'bytes:-1')):
        raises(ValueError, lambda: hmap.create(key=key, elem=elem))
    raises(OSError, lambda: hmap.create(key='bytes:513', elem='u64'),
           number=errno.EINVAL)


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
    raises(KeyError, m.__getitem__, 1, has='1')
    raises(KeyError, m.__delitem__, 1)
    raises(KeyError, m.pop, 1)
    raises(KeyError, m.replace, 1, 2, 3)
    m[1] = 1
    m.clear()
    equal(list(m), [])


def test_batches():
    d = {f'key {i}'.encode(): os.urandom(i) for i in range(1000)}
    m = hmap.create(key='string', elem='var:1000')
    m.update(d)
    equal(dict(m.items()), d)
    m.update([('a', b'b')], c=b'd')
    equal(m.get_many(['a', 'b', 'c']), {'a': b'b', 'c': b'd'})
    equal(m.get_many([]), {})
    m.update({b'none': b''} | dict.fromkeys(d, b'x' * 1000))
    equal(m.get_many([b'key 1', b'?', *d]), dict.fromkeys(d, b'x' * 1000))
    equal(m.delete_many([b'?', 'a', *d, 'a']), 1001)
    equal(sorted(m), [b'c', b'none'])
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
    outer = iter(m)
    next(outer)
    equal(len(list(m)), 5000)
    raises(RuntimeError, next, outer)
    outer = iter(m)
    next(outer)
    m.close()
    raises(RuntimeError, next, outer)
    raises(ValueError, m.__getitem__, 1)


def test_limits():
    m = hmap.create(key='u64', elem='u64', max_entries=3)
    m.update({1: 1, 2: 2, 3: 3})
    for grow in (lambda: m.__setitem__(4, 4), lambda: m.update({3: 0, 4: 4}),
                 lambda: m.setdefault(4, 4), lambda: m.add(4)):
        raises(OSError, grow, number=errno.ENOSPC, has='as many entries')
    equal(sorted(m.items()), [(1, 1), (2, 2), (3, 0)])
    raises(OSError, lambda: hmap.create(key='u64', elem='u64', max_entries=1,
                                        hint=2), number=errno.ENOSPC)


# === Names ===

def test_names():
    with hmap.create('name', key='u64', elem='u64', mode=0o640) as m:
        m[1] = 2
    raises(FileExistsError, lambda: hmap.create('name', key='u64', elem='u64'),
           has="there is a map of that name: 'name'")
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
    equal([(i.name, i.count) for i in hmap.maps()], [(b'name', 1)])
    raises(ValueError, hmap.open, 'name', 'w')
    hmap.unlink('name')
    raises(FileNotFoundError, hmap.open, 'name', has="'name'")
    raises(FileNotFoundError, hmap.unlink, 'name')
    raises(OSError, hmap.open, 'a/b', number=errno.EINVAL)
    raises(OSError, hmap.open, 'n' * 64, number=errno.EINVAL)
    raises(ValueError, hmap.open, 'na\0me')
    equal(list(hmap.maps()), [])


def test_another_user():
    hmap.create('mine', key='u64', elem='u64')
    hmap.create('read by all', key='u64', elem='u64', mode=0o644)[1] = 2
    os.chmod('/dev/hmap', 0o666)

    def work():
        os.setresuid(1000, 1000, 1000)
        raises(PermissionError, hmap.open, 'mine', has='the mode of the map')
        raises(PermissionError, hmap.open, 'read by all', 'r+')
        raises(PermissionError, hmap.unlink, 'mine', has='only its owner')
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


# === The tests ===

def run(test):
    """Whether it passed, in a process of its own."""
    pid = os.fork()
    if pid:
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            print('# killed:', signal.strsignal(os.WTERMSIG(status)))
        return status == 0
    signal.alarm(TEST_SECONDS)
    try:
        test()
    except BaseException:
        for line in traceback.format_exc().splitlines():
            print('#', line)
        sys.stdout.flush()
        os._exit(1)
    os._exit(0)


def main():
    tests = {name[5:]: test for name, test in globals().items()
             if name.startswith('test_')}
    failed = 0
    print('KTAP version 1', f'1..{len(tests)}', sep='\n', flush=True)
    for number, (name, test) in enumerate(tests.items(), 1):
        passed = run(test)
        failed += not passed
        print('ok' if passed else 'not ok', number, name, flush=True)
        for info in hmap.maps():
            hmap.unlink(info.name)
        os.chmod('/dev/hmap', 0o600)
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
