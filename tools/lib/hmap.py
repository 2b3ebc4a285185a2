# SPDX-License-Identifier: GPL-2.0
"""Maps of /dev/hmap as dicts that processes share.

    import hmap

    with hmap.create('symbols', key='string', elem='u64') as m:
        m['vfs_read'] = 0xffffffff81200000

    with hmap.open('symbols') as m:
        print(hex(m['vfs_read']), len(m), 'vfs_write' in m)

Types are named as in hmapctl, and their values in Python are

    key   u32, u64      int
          bytes:N       bytes
          string        bytes, for which a str, in UTF-8, may be given
    elem  u32, u64      int
          bytes:N       bytes
          var:N         bytes, up to N
          none          None: the map is a set

The kernel does not know what elems mean, so open() takes those of four and of
eight bytes for integers, unless it is called with elem=bytes.

A key that does not exist raises KeyError.  A key or an elem of a wrong type,
length or range raises TypeError, ValueError or OverflowError; but as with dict,
to `in`, get(), and pop() with a default such a key just does not exist.
Anything else raises OSError, with errno as documented in <hmap.h>.
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
VAR_ELEM, OR_OPEN = 1, 2
ANY, NOEXIST = range(2)
SET = ('mode', 'uid', 'gid', 'max_entries', 'max_bytes', 'name')
U32, U64, BYTES, STRING = range(4)
KEYS = {'u32': (U32, 4), 'u64': (U64, 8), 'string': (STRING, 0)}
ELEMS = {'none': 0, 'u32': 4, 'u64': 8}
MODES = {'r': os.O_RDONLY, 'r+': os.O_RDWR}
NO_DEFAULT = object()


# === The library ===

def _fields(kind, names):
    return [(name, kind) for name in names.split()]


class Argument(ctypes.Structure):
    """A structure whose fields must hold the values they are given."""

    def __init__(self, **values):
        super().__init__(**values)
        for name, value in values.items():
            if getattr(self, name) != value:
                raise OverflowError(f'{name} is out of range: {value}')


class Create(Argument):
    """struct hmap_create of <linux/hmap.h>"""
    _fields_ = [
        *_fields(ctypes.c_uint32,
                 'key_kind key_size elem_size flags mode created'),
        *_fields(ctypes.c_uint64, 'hint max_entries max_bytes id'),
        ('name', ctypes.c_char * NAME_LEN),
    ]


class Set(Argument):
    """struct hmap_set of <linux/hmap.h>"""
    _fields_ = [
        *_fields(ctypes.c_uint32, 'flags mode uid gid'),
        *_fields(ctypes.c_uint64, 'max_entries max_bytes'),
        ('name', ctypes.c_char * NAME_LEN),
    ]


class Info(ctypes.Structure):
    """struct hmap_info of <linux/hmap.h>: properties and statistics of a map"""
    _fields_ = [
        *_fields(ctypes.c_uint64,
                 'after id epoch count bytes max_entries max_bytes owner_bytes '
                 'owner_max_bytes growths same_size_growths nevacuate lookups '
                 'inserts deletes'),
        *_fields(ctypes.c_uint32,
                 'key_kind key_size elem_size create_flags mode uid gid access '
                 'log2_buckets noverflow state holders'),
        ('name', ctypes.c_char * NAME_LEN),
    ]


class Item(ctypes.Structure):
    """struct hmap_item of <hmap.h>"""
    _fields_ = [
        *_fields(ctypes.c_void_p, 'key elem'),
        *_fields(ctypes.c_uint32, 'key_len elem_len'),
    ]


MAP_REASONS = {
    errno.EACCES: "the map was not opened for that, but for mode 'r'",
    errno.EDQUOT: 'the maps of the user who made it have reached the memory '
                  'limit of the hmap module',
    errno.ENOMEM: 'out of memory, or at the limit of the memory cgroup',
    errno.ENOSPC: 'the map has reached its max_entries or max_bytes',
    errno.EOPNOTSUPP: 'the elems are not integers',
}
NAME_REASONS = {
    errno.EACCES: 'the mode of the map, or of /dev/hmap, does not allow that',
    errno.EDQUOT: 'you have made as many maps as the hmap module allows a '
                  'user, or the hint needs more memory than they may use',
    errno.EEXIST: 'there is a map of that name',
    errno.EINVAL: 'the name is invalid, or a size or mode is out of range',
    errno.ENODEV: 'there is no /dev/hmap: is the hmap module loaded?',
    errno.ENOENT: 'there is no map of that name',
    errno.ENOMEM: 'out of memory, or at the limit of the memory cgroup',
    errno.ENOSPC: 'the hmap module allows no more maps, or none with such '
                  'limits, or the hint is over them',
    errno.EPERM: 'only its owner, or who has CAP_FOWNER, may unlink a map',
}
SET_REASONS = {
    errno.EEXIST: 'there is a map of the new name',
    errno.EINVAL: 'the name is invalid, or the mode, uid or gid out of range',
    errno.ENOSPC: 'the hmap module does not allow such limits',
    errno.EPERM: 'only its owner, or who has CAP_FOWNER, may set that; to give '
                 'a map away takes CAP_CHOWN',
}


def _error(number, reasons, what=None):
    return OSError(number, reasons.get(number) or os.strerror(number), what)


def _raising(reasons, again=True):
    """An errcheck for ctypes that raises an OSError."""
    def check(result, function, args):
        if result not in (-1, None):
            return result
        number = ctypes.get_errno()
        if number == errno.EINTR and again:
            return function(*args)
        name = os.fsdecode(args[0]) if isinstance(args[0], bytes) else None
        raise _error(number, reasons, name)
    return check


_lib = ctypes.CDLL('libhmap.so.1', use_errno=True)
for _check, _names in (
        (_raising(NAME_REASONS), 'create open reopen unlink next_map'),
        (_raising(SET_REASONS), 'set'),
        (_raising(MAP_REASONS), 'info clear insert lookup delete xchg cmpxchg '
                                'fetch_add take walk_begin walk_next'),
        (_raising(MAP_REASONS, again=False),
         'insert_batch lookup_batch delete_batch')):
    for _name in _names.split():
        getattr(_lib, 'hmap_' + _name).errcheck = _check
_lib.hmap_walk_begin.restype = ctypes.c_void_p
_lib.hmap_walk_next.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_lib.hmap_walk_end.argtypes = [ctypes.c_void_p]


# === Keys and elems ===

def _integer(number, least, size):
    """A number as bytes, modulo their range."""
    limit = 1 << 8 * size
    if not least <= number < limit:
        raise OverflowError(f'{number} is not from {least} to {limit - 1}')
    return (number % limit).to_bytes(size, sys.byteorder)


class Type:
    """The type of the keys, or of the elems, of a map."""

    def __init__(self, size, integer=False, text=False, var=False):
        self.size = size            # if var, the maximum
        self.integer = integer
        self.text = text
        self.var = var

    def encode(self, value):
        if self.integer:
            return _integer(operator.index(value), 0, self.size)
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
        """The values packed, and their lengths, as the library takes them."""
        items = [self.encode(value) for value in values]
        lengths = (ctypes.c_uint32 * len(items))(*map(len, items))
        return b''.join(items), lengths if self.var else None


def _sized(text, kind):
    """The N of kind:N"""
    name, _, size = text.partition(':')
    number = int(size) if size.isascii() and size.isdecimal() else 0
    if name != kind or not number:
        raise ValueError(f"'{text}' is not a type")
    return number


def _batches(items):
    items = iter(items)
    while batch := list(itertools.islice(items, BATCH)):
        yield batch


def _refuse(keys, results, fine=0):
    for key, result in zip(keys, results):
        if result not in (0, fine):
            raise _error(-result, MAP_REASONS, key)


def _keyed(method):
    """For a method on a key that must exist."""
    @functools.wraps(method)
    def keyed(self, key, *args):
        try:
            return method(self, key, *args)
        except FileNotFoundError:
            raise KeyError(key) from None
    return keyed


# === Maps ===

class Cleared(RuntimeError):
    """The map was cleared during an iteration."""


class Items(ItemsView):
    def __iter__(self):
        m = self._mapping
        return ((m._key_of(item), m._elem_of(item)) for item in m._walk())


class Values(ValuesView):
    def __iter__(self):
        return map(self._mapping._elem_of, self._mapping._walk())


class Map(MutableMapping):
    """The map of a file descriptor, which it then owns.

    All operations that are atomic for dict are atomic, except for popitem() and
    update().  Changes by others are visible at once.

    An iteration yields each entry that exists from its start to its end once;
    entries that are inserted or deleted meanwhile may or may not be yielded.
    There can be several at a time, and after a fork each process continues its
    own.  If the map is cleared, or becomes empty and is filled again, they
    raise RuntimeError.
    """

    def __init__(self, fd, elem=None):
        self._file = io.FileIO(fd, 'r+')
        self._popping = None        # the walk of popitem()
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
        self._popping = None
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def info(self):
        info = Info()
        _lib.hmap_info(self.fileno(), ctypes.byref(info))
        return info

    def set(self, *, mode=None, uid=None, gid=None, max_entries=None,
            max_bytes=None, name=None):
        """Change mode, owner, limits or name."""
        name = _fs_name(name) if name is not None else None
        values = zip(SET, (mode, uid, gid, max_entries, max_bytes, name))
        values = {field: value for field, value in values if value is not None}
        flags = sum(1 << SET.index(field) for field in values)
        _lib.hmap_set(self.fileno(), ctypes.byref(Set(flags=flags, **values)))

    def __len__(self):
        return self.info().count

    # --- One entry ---

    def _read(self, read):
        """Call read() with a buffer that is large enough for the elem."""
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

    def _find(self, key):
        """The key as bytes, or None if it cannot be a key of this map."""
        try:
            return self._key.encode(key)
        except (TypeError, ValueError, OverflowError):
            return None

    def _get(self, key):
        return self._read(lambda elem, length: _lib.hmap_lookup(
            self.fileno(), key, len(key), elem, length))

    def _take(self, key):
        return self._read(lambda old, length: _lib.hmap_take(
            self.fileno(), key, len(key), old, length))

    @_keyed
    def __getitem__(self, key):
        return self._get(self._key.encode(key))

    def get(self, key, default=None):
        key = self._find(key)
        try:
            return default if key is None else self._get(key)
        except FileNotFoundError:
            return default

    def __contains__(self, key):
        key = self._find(key)
        if key is None:
            return False
        # With no room for an elem that varies, EMSGSIZE means it exists.
        room = 0 if self._elem.var else self._elem.size
        try:
            _lib.hmap_lookup(self.fileno(), key, len(key),
                             ctypes.create_string_buffer(room),
                             ctypes.byref(ctypes.c_uint32(room)))
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
        return True

    def __setitem__(self, key, elem):
        key, elem = self._key.encode(key), self._elem.encode(elem)
        _lib.hmap_insert(self.fileno(), key, len(key), elem, len(elem), ANY)

    @_keyed
    def __delitem__(self, key):
        key = self._key.encode(key)
        _lib.hmap_delete(self.fileno(), key, len(key))

    @_keyed
    def _pop(self, key):
        return self._take(self._key.encode(key))

    def pop(self, key, default=NO_DEFAULT):
        if default is NO_DEFAULT:
            return self._pop(key)
        key = self._find(key)
        try:
            return default if key is None else self._take(key)
        except FileNotFoundError:
            return default

    def popitem(self):
        # Continue the walk of the last call, but in one thread at a time.
        walk, self._popping = self._popping, None
        while True:
            new = walk is None
            walk = walk or self._walk()
            try:
                for item in walk:
                    key = ctypes.string_at(item.key, item.key_len)
                    try:
                        elem = self._take(key)
                    except FileNotFoundError:
                        continue        # someone else took it
                    self._popping = walk
                    return self._key.decode(key), elem
                if new:
                    raise KeyError('the map is empty')
            except Cleared:
                pass
            walk = None

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
        """Replace the elem if it equals expected; returns whether it did."""
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
        """Add n to the elem, or to 0 if there is none; returns the old value.

        The sum wraps around, so n may be negative.
        """
        key, size = self._key.encode(key), self._elem.size
        n = _integer(operator.index(n), 1 - (1 << 8 * size), size)
        old = ctypes.create_string_buffer(size)
        _lib.hmap_fetch_add(self.fileno(), key, len(key), n, old, size, ANY)
        return int.from_bytes(old.raw, sys.byteorder)

    # --- Many entries ---

    def clear(self):
        _lib.hmap_clear(self.fileno())

    def _batch(self, call, keys, *args, flags=(), fine=0):
        """Process keys until interrupted; returns how many, and the results."""
        results = (ctypes.c_int32 * len(keys))()
        count = ctypes.c_uint32(len(keys))
        try:
            call(self.fileno(), *self._key.column(keys), *args, results,
                 ctypes.byref(count), *flags)
        except InterruptedError:
            pass
        except OSError as error:
            if error.errno != errno.EMSGSIZE or not count.value:
                raise
        _refuse(keys[:count.value], results, fine)
        return count.value, results

    def update(self, other=(), /, **more):
        """Like dict.update().  An OSError names the first key that failed."""
        if isinstance(other, Mapping):
            other = other.items()
        for pairs in _batches(itertools.chain(other, more.items())):
            while pairs:
                keys, elems = zip(*pairs)
                done, _ = self._batch(_lib.hmap_insert_batch, keys,
                                      *self._elem.column(elems), flags=(ANY,))
                pairs = pairs[done:]

    def get_many(self, keys):
        """A dict of those keys that exist, and their elems."""
        found = {}
        for batch in _batches(keys):
            while batch:
                batch = batch[self._lookup(batch, found):]
        return found

    def _lookup(self, keys, found):
        """Look up as many as the buffer has room for; returns how many."""
        var, size = self._elem.var, self._elem.size
        room = ELEM_LEN if var else len(keys) * size
        elems = ctypes.create_string_buffer(room)
        lengths = (ctypes.c_uint32 * len(keys))(*[size] * len(keys))
        done, results = self._batch(
            _lib.hmap_lookup_batch, keys, elems, lengths if var else None,
            ctypes.c_uint64(room if var else 0), fine=-errno.ENOENT)
        at = 0
        for key, result, length in zip(keys[:done], results, lengths):
            if not result:
                found[key] = self._elem.decode(elems[at:at + length])
            at += length
        return done

    def delete_many(self, keys):
        """Delete those keys that exist; returns how many did."""
        deleted = 0
        for batch in _batches(keys):
            while batch:
                done, results = self._batch(_lib.hmap_delete_batch, batch,
                                            fine=-errno.ENOENT)
                deleted += results[:done].count(0)
                batch = batch[done:]
        return deleted

    # --- All entries ---

    def _walk(self):
        walk = _lib.hmap_walk_begin(self.fileno())
        item = Item()
        try:
            while _lib.hmap_walk_next(walk, ctypes.byref(item)):
                yield item
                if self._file.closed:
                    raise RuntimeError('the map was closed during iteration')
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            raise Cleared('the map was cleared during iteration') from None
        finally:
            _lib.hmap_walk_end(walk)

    def _key_of(self, item):
        return self._key.decode(ctypes.string_at(item.key, item.key_len))

    def _elem_of(self, item):
        return self._elem.decode(ctypes.string_at(item.elem, item.elem_len))

    def __iter__(self):
        return map(self._key_of, self._walk())

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
           mode=0o600, exist_ok=False):
    """Make a map; without a name it is freed with its last file descriptor.

    With exist_ok, open the map of that name if there already is one with these
    types.
    """
    kind, key_size = KEYS.get(key) or (BYTES, _sized(key, 'bytes'))
    var = elem.startswith('var:')
    if elem in ELEMS:
        elem_size = ELEMS[elem]
    else:
        elem_size = _sized(elem, 'var' if var else 'bytes')
    how = Create(key_kind=kind, key_size=key_size, elem_size=elem_size,
                 flags=VAR_ELEM * var | OR_OPEN * bool(exist_ok), mode=mode,
                 hint=hint, max_entries=max_entries, max_bytes=max_bytes)
    fd = _lib.hmap_create(_fs_name(name) if name is not None else None,
                          ctypes.byref(how))
    return Map(fd, int if elem in ELEMS else bytes)


def open(name, mode='r', elem=None):
    """Open the map of that name for reading ('r'), or also for writing ('r+').

    The name may be another Map, to open its map once more.
    """
    if mode not in MODES:
        raise ValueError("mode is neither 'r' nor 'r+'")
    if isinstance(name, Map):
        return Map(_lib.hmap_reopen(name.fileno(), MODES[mode]), elem)
    return Map(_lib.hmap_open(_fs_name(name), MODES[mode]), elem)


def unlink(name):
    """Remove a map's name; the map is freed when it is not open any more."""
    _lib.hmap_unlink(_fs_name(name))


def maps():
    """Yield the Info of each map that has a name.

    For maps that you may not open, it has only name, id, mode and owner.
    """
    info = Info()
    while _lib.hmap_next_map(ctypes.byref(info)):
        yield Info.from_buffer_copy(info)
