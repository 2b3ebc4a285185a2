# SPDX-License-Identifier: GPL-2.0
"""Maps of /dev/hmap as dicts that processes share.

    import hmap

    with hmap.create('symbols', key='string', elem='u64') as m:
        m['vfs_read'] = 0xffffffff81200000

    with hmap.open('symbols') as m:
        print(hex(m['vfs_read']), len(m), 'vfs_write' in m)

Types are written as for hmapctl, and come as

    key   u32, u64      int
          bytes:N       bytes
          string        bytes, for which a str, in UTF-8, may be given
    elem  u32, u64      int
          bytes:N       bytes
          var:N         bytes, up to N
          none          None: the map is a set

To the kernel all elems are bytes, so open() takes those of four and of eight
bytes for integers unless it is asked for elem=bytes.

A key that is not there is a KeyError; a key or an elem of a wrong type, length
or range is a TypeError, ValueError or OverflowError.  What else can go wrong is
an OSError, whose errno is what <hmap.h> says.
"""

import ctypes
import errno
import functools
import io
import itertools
import operator
import os
import sys
from collections.abc import ItemsView, Mapping, MutableMapping, ValuesView

__all__ = ['Map', 'create', 'open', 'unlink', 'maps']

NAME_LEN = 64
STRING_LEN = 4096
ELEM_LEN = 65536
BATCH = 256             # entries in a batch
GUESS = 256             # bytes in an elem, where they vary
VAR_ELEM = 1
ANY, NOEXIST = range(2)
U32, U64, BYTES, STRING = range(4)
KEYS = {'u32': (U32, 4), 'u64': (U64, 8), 'string': (STRING, 0)}
ELEMS = {'none': 0, 'u32': 4, 'u64': 8}
MODES = {'r': os.O_RDONLY, 'r+': os.O_RDWR}


# === The library ===

def _fields(kind, names):
    return [(name, kind) for name in names.split()]


class Create(ctypes.Structure):
    """struct hmap_create of <linux/hmap.h>"""
    _fields_ = [
        *_fields(ctypes.c_uint32,
                 'key_kind key_size elem_size flags mode reserved'),
        *_fields(ctypes.c_uint64, 'hint max_entries max_bytes'),
        ('name', ctypes.c_char * NAME_LEN),
    ]


class Info(ctypes.Structure):
    """struct hmap_info of <linux/hmap.h>: what there is to know of a map"""
    _fields_ = [
        *_fields(ctypes.c_uint64,
                 'after id count bytes max_entries max_bytes growths '
                 'same_size_growths nevacuate'),
        *_fields(ctypes.c_uint32,
                 'key_kind key_size elem_size create_flags mode uid '
                 'log2_buckets noverflow state reserved'),
        ('name', ctypes.c_char * NAME_LEN),
        *_fields(ctypes.c_uint64, 'owner_bytes owner_max_bytes'),
    ]


class Item(ctypes.Structure):
    """struct hmap_item of <hmap.h>"""
    _fields_ = [
        *_fields(ctypes.c_void_p, 'key elem'),
        *_fields(ctypes.c_uint32, 'key_len elem_len'),
    ]


MAP_REASONS = {
    errno.EACCES: "the map was not opened for that, but for mode 'r'",
    errno.ENOMEM: 'out of memory, or the map, or all maps of its owner, would '
                  'use more than they may',
    errno.ENOSPC: 'the map holds as many entries as it may',
    errno.EOPNOTSUPP: 'the elems are not integers',
}
NAME_REASONS = {
    errno.EACCES: 'the mode of the map, or of /dev/hmap, does not allow that',
    errno.EDQUOT: 'you own as many maps as the hmap module allows a user',
    errno.EEXIST: 'there is a map of that name',
    errno.EINVAL: 'that is no name, or a size or mode is out of range',
    errno.ENODEV: 'there is no /dev/hmap: is the hmap module loaded?',
    errno.ENOENT: 'there is no map of that name',
    errno.ENOMEM: 'out of memory, or the hint needs more than the map, or all '
                  'maps of yours, may use',
    errno.ENOSPC: 'the hmap module allows no more maps, or none with such '
                  'limits',
    errno.EPERM: 'only its owner, or who has CAP_FOWNER, may unlink a map',
}


def _error(number, reasons, what=None):
    return OSError(number, reasons.get(number) or os.strerror(number), what)


def _check(result, _, args):
    """Raises an error where the library returns one."""
    if result not in (-1, None):
        return result
    subject = args[0]
    if isinstance(subject, int):
        raise _error(ctypes.get_errno(), MAP_REASONS)
    name = os.fsdecode(subject) if isinstance(subject, bytes) else None
    raise _error(ctypes.get_errno(), NAME_REASONS, name)


_lib = ctypes.CDLL('libhmap.so.1', use_errno=True)
for _name in ('create', 'open', 'unlink', 'next_map', 'info', 'clear',
              'insert', 'lookup', 'delete', 'xchg', 'cmpxchg', 'fetch_add',
              'take', 'insert_batch', 'lookup_batch', 'delete_batch',
              'walk_begin', 'walk_next'):
    getattr(_lib, 'hmap_' + _name).errcheck = _check
_lib.hmap_walk_begin.restype = ctypes.c_void_p
_lib.hmap_walk_next.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_lib.hmap_walk_end.argtypes = [ctypes.c_void_p]


# === Keys and elems ===

class Type:
    """What the keys, or the elems, of a map are, and are as bytes."""

    def __init__(self, size, integer=False, text=False, var=False):
        self.size = size            # the most, for var
        self.integer = integer
        self.text = text
        self.var = var

    def encode(self, value):
        if self.integer:
            return operator.index(value).to_bytes(self.size, sys.byteorder)
        if not self.size and value is None:
            return b''
        if self.text and isinstance(value, str):
            value = value.encode()
        data = memoryview(value).tobytes()
        if len(data) > self.size or not self.var and len(data) < self.size:
            raise ValueError(f'{len(data)} bytes, where the map takes '
                             f'{"at most " * self.var}{self.size}')
        return data

    def decode(self, data):
        if self.integer:
            return int.from_bytes(data, sys.byteorder)
        return data if self.size else None

    def column(self, values):
        """All in a row, and their lengths where the library wants them."""
        items = [self.encode(value) for value in values]
        lengths = (ctypes.c_uint32 * len(items))(*map(len, items))
        return b''.join(items), lengths if self.var else None


def _sized(text, kind):
    """The N of kind:N"""
    name, _, size = text.partition(':')
    if name != kind or not size.isdecimal():
        raise ValueError(f"'{text}' is not a type")
    return int(size)


def _batches(items):
    items = iter(items)
    while batch := list(itertools.islice(items, BATCH)):
        yield batch


def _refuse(keys, results, fine=0):
    for key, result in zip(keys, results):
        if result not in (0, fine):
            raise _error(-result, MAP_REASONS, key)


def _keyed(method):
    """For a method on a key that must be there."""
    @functools.wraps(method)
    def keyed(self, key, *args):
        try:
            return method(self, key, *args)
        except FileNotFoundError:
            raise KeyError(key) from None
    return keyed


# === Maps ===

class Items(ItemsView):
    def __iter__(self):
        return self._mapping._walk()


class Values(ValuesView):
    def __iter__(self):
        return (elem for _, elem in self._mapping._walk())


class Map(MutableMapping):
    """The map of a file descriptor, which it then owns.

    What dict does in one step, this does in one step, too, but for popitem()
    and update().  Changes by others show at once.  An iteration gives each
    entry that is there all the while once, and those that come and go meanwhile
    or not; a map has one at a time, and ends it when another begins.
    """

    def __init__(self, fd, elem=None):
        self._file = io.FileIO(fd, 'r+')
        self._walking = None
        info = self.info()
        self._key = Type(info.key_size or STRING_LEN,
                         integer=info.key_kind in (U32, U64),
                         text=info.key_kind == STRING,
                         var=info.key_kind == STRING)
        var = bool(info.create_flags & VAR_ELEM)
        self._elem = Type(info.elem_size, var=var, integer=not var and
                          info.elem_size in (4, 8) and elem is not bytes)

    def fileno(self):
        return self._file.fileno()

    def close(self):
        self._walking = None
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def info(self):
        info = Info()
        _lib.hmap_info(self.fileno(), ctypes.byref(info))
        return info

    def __len__(self):
        return self.info().count

    # --- One entry ---

    def _read(self, read):
        """The elem that read() puts in a buffer, however long it is."""
        room = self._elem.size
        if self._elem.var:
            room = min(room, GUESS)
        while True:
            elem = ctypes.create_string_buffer(room)
            length = ctypes.c_uint32(room)
            try:
                read(elem, ctypes.byref(length))
                return self._elem.decode(elem.raw[:length.value])
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise
                room = length.value

    @_keyed
    def __getitem__(self, key):
        key = self._key.encode(key)
        return self._read(lambda elem, length: _lib.hmap_lookup(
            self.fileno(), key, len(key), elem, length))

    def __setitem__(self, key, elem):
        key, elem = self._key.encode(key), self._elem.encode(elem)
        _lib.hmap_insert(self.fileno(), key, len(key), elem, len(elem), ANY)

    @_keyed
    def __delitem__(self, key):
        key = self._key.encode(key)
        _lib.hmap_delete(self.fileno(), key, len(key))

    @_keyed
    def _take(self, key):
        key = self._key.encode(key)
        return self._read(lambda old, length: _lib.hmap_take(
            self.fileno(), key, len(key), old, length))

    def pop(self, key, *default):
        try:
            return self._take(key)
        except KeyError:
            if not default:
                raise
            return default[0]

    def popitem(self):
        for key in self:
            try:
                return key, self._take(key)
            except KeyError:
                pass        # another was faster
        raise KeyError('the map is empty')

    def setdefault(self, key, default=None):
        key, elem = self._key.encode(key), self._elem.encode(default)
        there = False

        def insert(old, length):
            nonlocal there
            try:
                _lib.hmap_xchg(self.fileno(), key, len(key), elem, len(elem),
                               old, length, NOEXIST)
            except FileExistsError:
                there = True

        old = self._read(insert)
        return old if there else default

    @_keyed
    def replace(self, key, expected, elem):
        """Store elem if what is there is expected; whether it was."""
        key = self._key.encode(key)
        expected, elem = map(self._elem.encode, (expected, elem))
        try:
            _lib.hmap_cmpxchg(self.fileno(), key, len(key), expected,
                              len(expected), elem, len(elem), None, None)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            return False
        return True

    def add(self, key, n=1):
        """Add n to what is there, or to 0; returns what it was before.

        Wraps round: adding -1 takes one away.
        """
        key, size = self._key.encode(key), self._elem.size
        n = (n % (1 << 8 * size)).to_bytes(size, sys.byteorder)
        old = ctypes.create_string_buffer(size)
        _lib.hmap_fetch_add(self.fileno(), key, len(key), n, old, size, ANY)
        return int.from_bytes(old.raw, sys.byteorder)

    # --- Many entries ---

    def clear(self):
        _lib.hmap_clear(self.fileno())

    def update(self, other=(), /, **more):
        """As for dict.  An OSError names the first key that did not work."""
        if isinstance(other, Mapping):
            other = other.items()
        for pairs in _batches(itertools.chain(other, more.items())):
            keys, elems = zip(*pairs)
            results = (ctypes.c_int32 * len(keys))()
            _lib.hmap_insert_batch(
                self.fileno(), *self._key.column(keys),
                *self._elem.column(elems), results,
                ctypes.byref(ctypes.c_uint32(len(keys))), ANY)
            _refuse(keys, results)

    def get_many(self, keys):
        """A dict of those keys that are there, and their elems."""
        found = {}
        for batch in _batches(keys):
            while batch:
                batch = batch[self._lookup(batch, found):]
        return found

    def _lookup(self, keys, found):
        """Look up as many as there is room for; returns how many."""
        var, size = self._elem.var, self._elem.size
        room = ELEM_LEN if var else len(keys) * size
        elems = ctypes.create_string_buffer(room)
        lengths = (ctypes.c_uint32 * len(keys))(*[size] * len(keys))
        results = (ctypes.c_int32 * len(keys))()
        count = ctypes.c_uint32(len(keys))
        try:
            _lib.hmap_lookup_batch(
                self.fileno(), *self._key.column(keys), elems,
                lengths if var else None, ctypes.c_uint64(room if var else 0),
                results, ctypes.byref(count))
        except OSError as error:
            if error.errno != errno.EMSGSIZE or not count.value:
                raise

        _refuse(keys, results, -errno.ENOENT)
        at = 0
        for key, result, length in zip(keys[:count.value], results, lengths):
            if not result:
                found[key] = self._elem.decode(elems[at:at + length])
            at += length
        return count.value

    def delete_many(self, keys):
        """Delete those keys that are there; returns how many were."""
        deleted = 0
        for batch in _batches(keys):
            results = (ctypes.c_int32 * len(batch))()
            _lib.hmap_delete_batch(
                self.fileno(), *self._key.column(batch), results,
                ctypes.byref(ctypes.c_uint32(len(batch))))
            _refuse(batch, results, -errno.ENOENT)
            deleted += list(results).count(0)
        return deleted

    # --- All entries ---

    def _walk(self):
        walk = _lib.hmap_walk_begin(self.fileno())
        self._walking = begun = object()
        item = Item()
        try:
            while _lib.hmap_walk_next(walk, ctypes.byref(item)):
                yield (self._key.decode(
                           ctypes.string_at(item.key, item.key_len)),
                       self._elem.decode(
                           ctypes.string_at(item.elem, item.elem_len)))
                if self._walking is not begun:
                    raise RuntimeError('the map was closed, or another '
                                       'iteration over it was begun')
        finally:
            _lib.hmap_walk_end(walk)

    def __iter__(self):
        return (key for key, _ in self._walk())

    def items(self):
        return Items(self)

    def values(self):
        return Values(self)


def _fs_name(name):
    name = os.fsencode(name)
    if b'\0' in name:
        raise ValueError('a NUL in the name of a map')
    return name


def create(name=None, *, key, elem, hint=0, max_entries=0, max_bytes=0,
           mode=0o600):
    """Make a map; without a name it goes with its last file descriptor."""
    kind, key_size = KEYS.get(key) or (BYTES, _sized(key, 'bytes'))
    var = elem.startswith('var:')
    if elem in ELEMS:
        elem_size = ELEMS[elem]
    else:
        elem_size = _sized(elem, 'var' if var else 'bytes')
    how = Create(key_kind=kind, key_size=key_size, elem_size=elem_size,
                 flags=VAR_ELEM * var, mode=mode, hint=hint,
                 max_entries=max_entries, max_bytes=max_bytes)
    fd = _lib.hmap_create(_fs_name(name) if name is not None else None,
                          ctypes.byref(how))
    return Map(fd, int if elem in ELEMS else bytes)


def open(name, mode='r', elem=None):
    """Open the map of that name to read ('r'), or to change it, too ('r+')."""
    if mode not in MODES:
        raise ValueError("mode is neither 'r' nor 'r+'")
    return Map(_lib.hmap_open(_fs_name(name), MODES[mode]), elem)


def unlink(name):
    """Take a map's name away; the map goes when the last has closed it."""
    _lib.hmap_unlink(_fs_name(name))


def maps():
    """Info of each map that has a name, as far as there is one."""
    info = Info()
    while _lib.hmap_next_map(ctypes.byref(info)):
        yield Info.from_buffer_copy(info)
