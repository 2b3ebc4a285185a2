# SPDX-License-Identifier: GPL-2.0
"""Maps of /dev/hmap as dicts that processes share.

    import hmap

    with hmap.create('symbols', key='string', elem='u64') as m:
        m['vfs_read'] = 0xffffffff81200000

    with hmap.open('symbols') as m:
        print(hex(m['vfs_read']), len(m), 'vfs_write' in m)

Types are named as in hmapctl, and their values in Python are

    key   u32, u64      int
          string        str, in UTF-8; as with the names of files, bytes that
                        are not UTF-8 become lone surrogates, and bytes again
          bytes-string  bytes, of a map whose type is string
          bytes:N       bytes
    elem  u32, u64      int
          bytes:N       bytes
          var:N         bytes, up to N
          none          None: the map is a set

The kernel knows neither what elems mean nor whether strings are text, so open()
takes elems of four and of eight bytes for integers and strings for str, unless
it is called with elem=bytes or key=bytes.

A key that does not exist raises KeyError.  A key or an elem of a wrong type,
length or range raises TypeError, ValueError or OverflowError; but as with dict,
to `in`, get(), and pop() with a default such a key just does not exist.
Anything else raises OSError, with errno as documented in <hmap.h>.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import io
import itertools
import operator
import os
import reprlib
import sys
from collections.abc import (Callable, Iterable, Iterator, ItemsView, KeysView,
                             Mapping, MutableMapping, Sequence, ValuesView)
from typing import TYPE_CHECKING, Any, TypeVar, cast

# A part in C, for mapped maps; without it they are as other maps.
try:
    from ._view import View
except ImportError:
    View = None         # type: ignore[assignment, misc]

__all__ = ['Info', 'Map', 'create', 'open', 'unlink', 'maps']
__version__ = '0.1'

NAME_LEN = 64
STRING_LEN = 4096
ELEM_LEN = 65536
BATCH = 256             # entries in a batch
GUESS = 256             # bytes in an elem, where they vary
SHOWN = 3               # entries in a repr()
TRIES = 10              # to copy a map that is cleared again and again
VAR_ELEM, OR_OPEN, MAPPED = 1, 2, 4
ANY, NOEXIST = range(2)
READ = 1
SET = ('mode', 'uid', 'gid', 'max_entries', 'max_bytes', 'name')
U32, U64, BYTES, STRING = range(4)
KEYS = {'u32': (U32, 4), 'u64': (U64, 8), 'string': (STRING, 0),
        'bytes-string': (STRING, 0)}
ELEMS = {'none': 0, 'u32': 4, 'u64': 8}
KEY_TYPES: dict[int, type] = {U32: int, U64: int, STRING: str}
ELEM_TYPES: dict[int, type] = {0: type(None), 4: int, 8: int}
MODES = {'r': os.O_RDONLY, 'r+': os.O_RDWR}
PARAMETERS = '/sys/module/hmap/parameters/'
NO_DEFAULT: Any = object()

K = TypeVar('K')
E = TypeVar('E')


# === The library ===

def _fields(kind: Any, names: str) -> list[tuple[str, Any]]:
    return [(name, kind) for name in names.split()]


class Argument(ctypes.Structure):
    """A structure whose fields must hold the values they are given."""

    def __init__(self, **values: Any) -> None:
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
    """Properties and statistics of a map: struct hmap_info of <linux/hmap.h>

    with name, and the types key and elem, as str.
    """
    _fields_ = [
        *_fields(ctypes.c_uint64,
                 'after id epoch count bytes max_entries max_bytes owner_bytes '
                 'owner_max_bytes growths same_size_growths nevacuate '
                 'lookups inserts deletes'),
        *_fields(ctypes.c_uint32,
                 'key_kind key_size elem_size create_flags mode uid gid access '
                 'log2_buckets noverflow state holders'),
        ('_name', ctypes.c_char * NAME_LEN),
    ]

    if TYPE_CHECKING:
        def __getattr__(self, field: str) -> int: ...

    @property
    def name(self) -> str:
        return os.fsdecode(cast(bytes, self._name))

    @property
    def key(self) -> str:
        if self.key_kind in (U32, U64):
            return 'u32' if self.key_kind == U32 else 'u64'
        name = 'string' if self.key_kind == STRING else 'bytes'
        return f'{name}:{self.key_size}' if self.key_size else name

    @property
    def elem(self) -> str:
        if self.create_flags & VAR_ELEM:
            return f'var:{self.elem_size}'
        sizes = {size: name for name, size in ELEMS.items()}
        return sizes.get(self.elem_size) or f'bytes:{self.elem_size}'

    def __repr__(self) -> str:
        told = (f'{name}={getattr(self, name)}' for name, _ in self._fields_[1:]
                if name not in ('key_kind', 'create_flags', 'mode', '_name'))
        return (f'Info(name={self.name!r}, key={self.key!r}, '
                f'elem={self.elem!r}, mode={self.mode:#o}, {", ".join(told)})')


class Item(ctypes.Structure):
    """struct hmap_item of <hmap.h>"""
    _fields_ = [
        *_fields(ctypes.c_void_p, 'key elem'),
        *_fields(ctypes.c_uint32, 'key_len elem_len'),
    ]

    if TYPE_CHECKING:
        def __getattr__(self, field: str) -> int: ...


MAP_REASONS = {
    errno.EACCES: "the map was not opened for that, but for mode 'r'",
    errno.ENOMEM: 'out of memory, or at the limit of the memory cgroup',
    errno.EOPNOTSUPP: 'the elems are not integers',
}
NAME_REASONS = {
    errno.EACCES: 'the mode of the map, or of /dev/hmap, does not allow that: '
                  'are you in the group hmap?',
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
# The parameters of the module that hold the limits
LIMITS = {
    errno.EDQUOT: ('max_user_maps', 'max_user_bytes'),
    errno.ENOSPC: ('max_maps', 'max_entries', 'max_bytes'),
}


def _limits(names: Iterable[str]) -> str:
    """Limits of the module and their values, for a message."""
    texts = []
    for name in names:
        try:
            with io.open(PARAMETERS + name) as file:
                value = file.read().strip()
        except OSError:
            continue
        texts.append(f'{name} ' + (value if value != '0' else
                                   'a quarter of the memory'))
    return f' ({", ".join(texts)})' if texts else ''


def _error(number: int, reasons: Mapping[int, str], what: Any = None,
           fd: int | None = None) -> OSError:
    """What to raise; for a call on the map of a descriptor, with its limits."""
    why = reasons.get(number) or os.strerror(number)
    if reasons is not MAP_REASONS:
        why += _limits(LIMITS.get(number, ()))
    elif number in LIMITS and fd is not None:
        info = Info()
        _lib.hmap_info(fd, ctypes.byref(info))
        if number == errno.EDQUOT:
            why = ('all maps of the user who made it would use more memory '
                   f'than they may (max_user_bytes {info.owner_max_bytes}, of '
                   f'which they use {info.owner_bytes})')
        elif 0 < info.max_entries <= info.count:
            why = ('the map holds as many entries as it may '
                   f'(max_entries {info.max_entries})')
        else:
            why = ('the map would use more memory than it may '
                   f'(max_bytes {info.max_bytes}, of which it uses '
                   f'{info.bytes})')
    return OSError(number, why, what)


def _raising(reasons: Mapping[int, str],
             again: bool = True) -> Callable[..., Any]:
    """An errcheck for ctypes that raises an OSError."""
    def check(result: Any, function: Any, args: tuple[Any, ...]) -> Any:
        if result not in (-1, None):
            return result
        number = ctypes.get_errno()
        if number == errno.EINTR and again:
            return function(*args)
        name = os.fsdecode(args[0]) if isinstance(args[0], bytes) else None
        fd = args[0] if isinstance(args[0], int) else None
        raise _error(number, reasons, name, fd)
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

def _integer(number: int, least: int, size: int) -> bytes:
    """A number as bytes, modulo their range."""
    limit = 1 << 8 * size
    if not least <= number < limit:
        raise OverflowError(f'{number} is not from {least} to {limit - 1}')
    return (number % limit).to_bytes(size, sys.byteorder)


class Type:
    """The type of the keys, or of the elems, of a map."""

    def __init__(self, what: str, python: type, size: int,
                 var: bool = False) -> None:
        self.what = what
        self.python = python
        self.size = size            # if var, the maximum
        self.var = var

    def _wrong(self, value: Any) -> TypeError:
        wanted = 'None' if self.python is type(None) else self.python.__name__
        return TypeError(f'the {self.what} must be {wanted}, '
                         f'not {type(value).__name__}')

    def encode(self, value: Any) -> bytes:
        if self.python is int:
            try:
                number = operator.index(value)
            except TypeError:
                raise self._wrong(value) from None
            return _integer(number, 0, self.size)
        if self.python is not bytes and not isinstance(value, self.python):
            raise self._wrong(value)
        if self.python is type(None):
            return b''
        if self.python is str:
            data = value.encode('utf-8', 'surrogateescape')
        else:
            try:
                data = memoryview(value).tobytes()
            except TypeError:
                raise self._wrong(value) from None
        if len(data) > self.size or not self.var and len(data) < self.size:
            most = 'at most ' * self.var
            raise ValueError(f'the {self.what} has {len(data)} bytes, where '
                             f'the map takes {most}{self.size}')
        return cast(bytes, data)

    def decode(self, data: bytes) -> Any:
        if self.python is int:
            return int.from_bytes(data, sys.byteorder)
        if self.python is str:
            return data.decode('utf-8', 'surrogateescape')
        return data if self.python is bytes else None

    def column(self, values: Iterable[Any]) -> tuple[bytes, Any]:
        """The values packed, and their lengths, as the library takes them."""
        items = [self.encode(value) for value in values]
        lengths = (ctypes.c_uint32 * len(items))(*map(len, items))
        return b''.join(items), lengths if self.var else None


def _sized(text: str, kind: str) -> int:
    """The N of kind:N"""
    name, _, size = text.partition(':')
    number = int(size) if size.isascii() and size.isdecimal() else 0
    if name != kind or not number:
        raise ValueError(f"'{text}' is not a type")
    return number


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    items = iter(items)
    while batch := list(itertools.islice(items, BATCH)):
        yield batch


def _keyed(method: Callable[..., Any]) -> Callable[..., Any]:
    """For a method on a key that must exist."""
    @functools.wraps(method)
    def keyed(self: Any, key: Any, *args: Any) -> Any:
        try:
            return method(self, key, *args)
        except FileNotFoundError:
            raise KeyError(key) from None
    return keyed


# === Maps ===

Place = tuple[int, int, int]


def _place() -> Place:
    """Which instruction runs that, in the end, called the asking method."""
    frame = sys._getframe(2)
    return id(frame), id(frame.f_code), frame.f_lasti


class Cleared(RuntimeError):
    """The map was cleared during an iteration."""


class Keys(KeysView[K]):
    _mapping: Map[K, Any]

    def __init__(self, m: Map[K, Any], place: Place) -> None:
        super().__init__(m)
        self._place = place

    def __iter__(self) -> Iterator[K]:
        place = _place()
        # If the very instruction that called keys() iterates over them as well,
        # it is a call of dict() or the like.
        if place == self._place:
            return self._mapping._begin_copy(place)
        return iter(self._mapping)


class Items(ItemsView[K, E]):
    _mapping: Map[K, E]

    def __iter__(self) -> Iterator[tuple[K, E]]:
        m = self._mapping
        return ((m._key_of(item), m._elem_of(item)) for item in m._walk())


class Values(ValuesView[E]):
    _mapping: Map[Any, E]

    def __iter__(self) -> Iterator[E]:
        return map(self._mapping._elem_of, self._mapping._walk())


class Map(MutableMapping[K, E]):
    """The map of a file descriptor, which it then owns.

    All operations that are atomic for dict are atomic, except for popitem() and
    update().  Changes by others are visible at once.  As with os.environ, the
    results of copy() and | are dicts of their own.

    An iteration yields each entry that exists from its start to its end once;
    entries that are inserted or deleted meanwhile may or may not be yielded.
    There can be several at a time, and after a fork each process continues its
    own.  If the map is cleared, or becomes empty and is filled again, they
    raise RuntimeError.  dict(), copy(), | and == then start over.
    """

    def __init__(self, fd: int, key: type | None = None,
                 elem: type | None = None) -> None:
        self._file = io.FileIO(fd, 'r+')
        self._popping: Iterator[Item] | None = None     # the walk of popitem()
        self._copies: dict[Place, list[tuple[K, E]]] = {}
        info = self.info()
        text = info.key_kind == STRING
        var = bool(info.create_flags & VAR_ELEM)
        guess: type = KEY_TYPES.get(info.key_kind, bytes)
        self._key = Type('key', key or guess, info.key_size or STRING_LEN, text)
        guess = bytes if var else ELEM_TYPES.get(info.elem_size, bytes)
        self._elem = Type('elem', elem or guess, info.elem_size, var)
        self._view: Any = None      # View
        if (View is not None and info.create_flags & MAPPED and
                info.access & READ):
            self._view = View(fd, self._key.python, info.key_size,
                              self._elem.python, info.elem_size)

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._popping = None
        self._view = None
        self._file.close()

    def __enter__(self) -> Map[K, E]:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def info(self) -> Info:
        info = Info()
        _lib.hmap_info(self.fileno(), ctypes.byref(info))
        return info

    def set(self, *, mode: int | None = None, uid: int | None = None,
            gid: int | None = None, max_entries: int | None = None,
            max_bytes: int | None = None, name: str | None = None) -> None:
        """Change mode, owner, limits or name."""
        raw = _fs_name(name) if name is not None else None
        pairs = zip(SET, (mode, uid, gid, max_entries, max_bytes, raw))
        values = {field: value for field, value in pairs if value is not None}
        flags = sum(1 << SET.index(field) for field in values)
        _lib.hmap_set(self.fileno(), ctypes.byref(Set(flags=flags, **values)))

    def __len__(self) -> int:
        return self.info().count

    def __repr__(self) -> str:
        if self._file.closed:
            return '<hmap.Map, closed>'
        info = self.info()
        name = repr(info.name) if info.name else f'id:{info.id}'
        text = f'<hmap.Map {name}, {info.key} to {info.elem}'
        if info.access & READ:
            shown = [f'{reprlib.repr(key)}: {reprlib.repr(elem)}'
                     for key, elem in itertools.islice(self.items(), SHOWN)]
            shown += ['...'] * (info.count > SHOWN)
            text += f', {info.count} entries: {{{", ".join(shown)}}}'
        return text + '>'

    # --- One entry ---

    def _read(self, read: Callable[[Any, Any], Any]) -> bytes:
        """Call read() with a buffer that is large enough for the elem."""
        room = self._elem.size
        if self._elem.var:
            room = min(room, GUESS)
        while True:
            elem = ctypes.create_string_buffer(room)
            length = ctypes.c_uint32(room)
            try:
                read(elem, ctypes.byref(length))
                return elem.raw[:length.value]
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise
                room = length.value

    def _lookup(self, key: bytes) -> bytes | None:
        """The elem of a key, or None if there is none: all lookups of one."""
        try:
            return self._read(lambda elem, length: _lib.hmap_lookup(
                self.fileno(), key, len(key), elem, length))
        except FileNotFoundError:
            return None

    def _exists(self, key: bytes) -> bool:
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

    def _take(self, key: bytes) -> E:
        return cast(E, self._elem.decode(self._read(
            lambda old, length: _lib.hmap_take(self.fileno(), key, len(key),
                                               old, length))))

    def _find(self, key: Any) -> bytes | None:
        """The key as bytes, or None if it cannot be a key of this map."""
        try:
            return self._key.encode(key)
        except (TypeError, ValueError, OverflowError):
            return None

    def __getitem__(self, key: K) -> E:
        if self._copies:
            copied = self._copied(key, _place())
            if copied:
                return copied[1]
        if self._view is not None:
            elem = self._view[key]
            if elem is not NotImplemented:
                return cast(E, elem)
        data = self._lookup(self._key.encode(key))
        if data is None:
            raise KeyError(key)
        return cast(E, self._elem.decode(data))

    def get(self, key: K, default: Any = None) -> Any:
        if self._view is not None:
            try:
                elem = self._view[key]
            except KeyError:
                return default
            if elem is not NotImplemented:
                return elem
        raw = self._find(key)
        data = None if raw is None else self._lookup(raw)
        return default if data is None else self._elem.decode(data)

    def __contains__(self, key: Any) -> bool:
        if self._view is not None:
            return self.get(key, NO_DEFAULT) is not NO_DEFAULT
        raw = self._find(key)
        return raw is not None and self._exists(raw)

    def __setitem__(self, key: K, elem: E) -> None:
        raw, data = self._key.encode(key), self._elem.encode(elem)
        _lib.hmap_insert(self.fileno(), raw, len(raw), data, len(data), ANY)

    @_keyed
    def __delitem__(self, key: K) -> None:
        raw = self._key.encode(key)
        _lib.hmap_delete(self.fileno(), raw, len(raw))

    @_keyed
    def _pop(self, key: K) -> E:
        return self._take(self._key.encode(key))

    def pop(self, key: K, default: Any = NO_DEFAULT) -> Any:
        if default is NO_DEFAULT:
            return self._pop(key)
        raw = self._find(key)
        try:
            return default if raw is None else self._take(raw)
        except FileNotFoundError:
            return default

    def popitem(self) -> tuple[K, E]:
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

    def setdefault(self, key: K, default: Any = None) -> E:
        raw, data = self._key.encode(key), self._elem.encode(default)
        there = False

        def insert(old: Any, length: Any) -> None:
            nonlocal there
            try:
                _lib.hmap_xchg(self.fileno(), raw, len(raw), data, len(data),
                               old, length, NOEXIST)
            except FileExistsError:
                there = True

        old = self._read(insert)
        return cast(E, self._elem.decode(old) if there else default)

    @_keyed
    def replace(self, key: K, expected: E, elem: E) -> bool:
        """Replace the elem if it equals expected; returns whether it did."""
        raw = self._key.encode(key)
        old, new = map(self._elem.encode, (expected, elem))
        try:
            _lib.hmap_cmpxchg(self.fileno(), raw, len(raw), old, len(old),
                              new, len(new), None, None)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            return False
        return True

    def add(self, key: K, n: int = 1) -> int:
        """Add n to the elem, or to 0 if there is none; returns the old value.

        The sum wraps around, so n may be negative.
        """
        raw, size = self._key.encode(key), self._elem.size
        data = _integer(operator.index(n), 1 - (1 << 8 * size), size)
        old = ctypes.create_string_buffer(size)
        _lib.hmap_fetch_add(self.fileno(), raw, len(raw), data, old, size, ANY)
        return int.from_bytes(old.raw, sys.byteorder)

    # --- Many entries ---

    def clear(self) -> None:
        _lib.hmap_clear(self.fileno())

    def _batch(self, call: Any, keys: Sequence[Any], *args: Any,
               flags: tuple[int, ...] = (),
               fine: int = 0) -> tuple[int, Any]:
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
        for key, result in zip(keys[:count.value], results):
            if result not in (0, fine):
                raise _error(-result, MAP_REASONS, key, self.fileno())
        return count.value, results

    def update(self, other: Any = (), /, **more: E) -> None:
        """Like dict.update().  An OSError names the first key that failed."""
        if isinstance(other, Mapping):
            other = other.items()
        for pairs in _batches(itertools.chain(other, more.items())):
            while pairs:
                keys, elems = zip(*pairs)
                done, _ = self._batch(_lib.hmap_insert_batch, keys,
                                      *self._elem.column(elems), flags=(ANY,))
                pairs = pairs[done:]

    def get_many(self, keys: Iterable[K]) -> dict[K, E]:
        """A dict of those keys that exist, and their elems."""
        found: dict[K, E] = {}
        for batch in _batches(keys):
            while batch:
                batch = batch[self._lookup_many(batch, found):]
        return found

    def _lookup_many(self, keys: list[K], found: dict[K, E]) -> int:
        """Look up as many as the buffer has room for; returns how many."""
        var, size = self._elem.var, self._elem.size
        room = ELEM_LEN if var else len(keys) * size
        elems = ctypes.create_string_buffer(room)
        lengths = (ctypes.c_uint32 * len(keys))(*[size] * len(keys))
        done, results = self._batch(
            _lib.hmap_lookup_batch, keys, elems, lengths if var else None,
            ctypes.c_uint64(room if var else 0), fine=-errno.ENOENT)
        at, data = 0, elems.raw
        for key, result, length in zip(keys[:done], results, lengths):
            if not result:
                found[key] = self._elem.decode(data[at:at + length])
            at += length
        return done

    def delete_many(self, keys: Iterable[K]) -> int:
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

    def _walk(self) -> Iterator[Item]:
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

    def _key_of(self, item: Item) -> K:
        return cast(K, self._key.decode(
            ctypes.string_at(item.key, item.key_len)))

    def _elem_of(self, item: Item) -> E:
        return cast(E, self._elem.decode(
            ctypes.string_at(item.elem, item.elem_len)))

    def __iter__(self) -> Iterator[K]:
        return map(self._key_of, self._walk())

    def keys(self) -> Keys[K]:
        return Keys(self, _place())

    def items(self) -> Items[K, E]:
        return Items(self)

    def values(self) -> Values[E]:
        return Values(self)

    def _all(self) -> list[tuple[K, E]]:
        for _ in range(TRIES - 1):
            try:
                return list(self.items())
            except Cleared:
                pass
        return list(self.items())

    # dict(m), like {**m} and others, takes m.keys() and then asks for m[key] of
    # each.  One walk for all is faster, and a key that is deleted on the way is
    # no KeyError.  So the walk of the keys keeps the elems for the calls of
    # m[key] that come, in the same order, from the same instruction.

    def _begin_copy(self, place: Place) -> Iterator[K]:
        pairs = self._all()
        if pairs:
            self._copies[place] = pairs[::-1]
        return (key for key, _ in pairs)

    def _copied(self, key: K, place: Place) -> tuple[K, E] | None:
        pairs = self._copies.get(place)
        if not pairs or pairs[-1][0] is not key:
            return None
        pair = pairs.pop()
        if not pairs:
            del self._copies[place]
        return pair

    def copy(self) -> dict[K, E]:
        return dict(self._all())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return self.copy() == dict(other)

    def __or__(self, other: Mapping[Any, Any]) -> dict[Any, Any]:
        if not isinstance(other, Mapping):
            return NotImplemented
        return {**self.copy(), **other}

    def __ror__(self, other: Mapping[Any, Any]) -> dict[Any, Any]:
        if not isinstance(other, Mapping):
            return NotImplemented
        return {**other, **self.copy()}

    def __ior__(self, other: Any) -> Map[K, E]:      # type: ignore[misc]
        self.update(other)
        return self


def _fs_name(name: str) -> bytes:
    raw = os.fsencode(name)
    if b'\0' in raw:
        raise ValueError('a NUL in the name of a map')
    return raw


def create(name: str | None = None, *, key: str, elem: str, hint: int = 0,
           max_entries: int = 0, max_bytes: int = 0, mode: int = 0o600,
           exist_ok: bool = False, mapped: bool = False) -> Map[Any, Any]:
    """Make a map; without a name it is freed with its last file descriptor.

    With exist_ok, open the map of that name if there already is one with these
    types.  In a map that is mapped, m[key], m.get(key) and `in` do without a
    system call; its keys and elems have up to 128 bytes, string:N says how many
    a string may have, and elems do not vary in length.
    """
    name_of, colon, _ = key.partition(':')
    if colon and name_of in KEYS and KEYS[name_of][0] == STRING:
        kind, key_size = STRING, _sized(key, name_of)
    else:
        kind, key_size = KEYS.get(key) or (BYTES, _sized(key, 'bytes'))
    var = elem.startswith('var:')
    if elem in ELEMS:
        elem_size = ELEMS[elem]
    else:
        elem_size = _sized(elem, 'var' if var else 'bytes')
    how = Create(key_kind=kind, key_size=key_size, elem_size=elem_size,
                 flags=VAR_ELEM * var | OR_OPEN * bool(exist_ok) |
                 MAPPED * bool(mapped), mode=mode, hint=hint,
                 max_entries=max_entries, max_bytes=max_bytes)
    fd = _lib.hmap_create(_fs_name(name) if name is not None else None,
                          ctypes.byref(how))
    return Map(fd, bytes if name_of == 'bytes-string' else None,
               None if elem in ELEMS else bytes)


def open(name: str | Map[Any, Any], mode: str = 'r',
         key: type[bytes] | None = None,
         elem: type[bytes] | None = None) -> Map[Any, Any]:
    """Open the map of that name for reading ('r'), or also for writing ('r+').

    The name may be another Map, to open its map once more.
    """
    if mode not in MODES:
        raise ValueError("mode is neither 'r' nor 'r+'")
    if isinstance(name, Map):
        fd = _lib.hmap_reopen(name.fileno(), MODES[mode])
    else:
        fd = _lib.hmap_open(_fs_name(name), MODES[mode])
    return Map(fd, key, elem)


def unlink(name: str) -> None:
    """Remove a map's name; the map is freed when it is not open any more."""
    _lib.hmap_unlink(_fs_name(name))


def maps() -> Iterator[Info]:
    """Yield the Info of each map there is; without a name, only of your own.

    For maps that you may not open, it has only name, id, mode and owner.
    """
    info = Info()
    while _lib.hmap_next_map(ctypes.byref(info)):
        yield Info.from_buffer_copy(info)
