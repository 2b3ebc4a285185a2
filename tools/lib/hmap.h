/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libhmap: the calls of /dev/hmap as functions.
 *
 *	int fd = hmap_open("ports", O_RDWR);
 *	__u32 port = 443;
 *	__u64 owner = 7;
 *
 *	hmap_insert(fd, &port, sizeof(port), &owner, sizeof(owner), 0);
 *
 * A map is a file descriptor: close(2) lets go of it, and fork(2) and
 * SCM_RIGHTS share it.  The library keeps nothing else, so all of it may be
 * called from any thread.
 *
 * Where a function fails it returns -1 (or NULL, if it returns a pointer) and
 * sets errno; otherwise it returns 0, or what its comment says.
 *
 * All can fail with what <linux/hmap.h> says any call can fail with, and with
 *	ENODEV	there is no /dev/hmap: the module is not loaded
 *	EBADF	the file descriptor is not open
 */
#ifndef _HMAP_H
#define _HMAP_H

#include <linux/hmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/* === Maps === */

/**
 * hmap_create() - make a map, or with HMAP_CREATE_OR_OPEN open the one there is
 * @name: its name, or %NULL for a map without one
 * @create: what the map is to be; the name in it is not looked at, and @created
 *	and @id are set
 *
 * Errors:
 *	as for struct hmap_create
 *	EACCES	the caller may not open /dev/hmap for reading and writing
 *
 * Return: a file descriptor, open for reading and writing, that exec(2) closes
 */
int hmap_create(const char *name, struct hmap_create *create);

/**
 * hmap_open() - open a map by its name
 * @name: its name
 * @flags: %O_RDONLY, %O_WRONLY or %O_RDWR; %O_CLOEXEC is implied
 *
 * Errors:
 *	EINVAL	@name is not a name, or there are other @flags
 *	ENOENT	there is no map of that name
 *	EACCES	the mode of the map, or of /dev/hmap, does not let the caller
 *		do what @flags say
 *
 * Return: a file descriptor that exec(2) closes
 */
int hmap_open(const char *name, int flags);

/**
 * hmap_reopen() - open a map once more, also one that has no name
 * @fd: the map
 * @flags: as for hmap_open()
 *
 * Errors:
 *	EINVAL	@fd is not a map, or @flags are none of those
 *	EACCES	the mode of the map, or of /dev/hmap, does not let the caller
 *		do what @flags say
 *
 * Return: a file descriptor that exec(2) closes
 */
int hmap_reopen(int fd, int flags);

/**
 * hmap_unlink() - take a map's name away
 * @name: its name
 *
 * The map goes when the last file descriptor of it is closed.
 *
 * Errors:
 *	EINVAL	@name is not a name
 *	ENOENT	there is no map of that name
 *	EPERM	the caller neither owns the map nor has CAP_FOWNER
 *	EACCES	the caller may not open /dev/hmap for writing
 */
int hmap_unlink(const char *name);

/**
 * hmap_set() - change a map's mode, owner, limits or name
 * @fd: the map
 * @set: which of them, and to what
 *
 * Errors:
 *	as for struct hmap_set
 */
int hmap_set(int fd, const struct hmap_set *set);

/**
 * hmap_clear() - delete all entries
 * @fd: the map, open for writing
 */
int hmap_clear(int fd);

/**
 * hmap_info() - ask what there is to know of a map
 * @fd: the map
 * @info: where to put it; if @fd is not open for reading, what keys and elems
 *	are, and who owns the map, but not what is in it
 */
int hmap_info(int fd, struct hmap_info *info);

/**
 * hmap_next_map() - go through the maps that have names
 * @info: all zeros to begin with, and then what the last call has put there;
 *	set to what there is to know of the next map
 *
 * Errors:
 *	EACCES	the caller may not open /dev/hmap for reading
 *
 * Return: 1 if there is a next map, 0 if not
 */
int hmap_next_map(struct hmap_info *info);

/* === Entries === */

/**
 * hmap_insert() - make or replace an entry
 * @fd: the map, open for writing
 * @key: the key
 * @key_len: bytes in it
 * @elem: the elem; not used where elems have no bytes
 * @elem_len: bytes in it
 * @flags: HMAP_INSERT_*
 *
 * Errors:
 *	EINVAL	@key_len or @elem_len does not fit the map
 *	EEXIST	the key is there (%HMAP_INSERT_NOEXIST)
 *	ENOENT	the key is not there (%HMAP_INSERT_EXIST)
 *	ENOSPC	the map holds as many entries as it may, or would use more
 *		memory than it may
 *	EDQUOT	so would all maps of the user who made it
 */
int hmap_insert(int fd, const void *key, __u32 key_len, const void *elem,
		__u32 elem_len, __u32 flags);

/**
 * hmap_lookup() - read an elem
 * @fd: the map, open for reading
 * @key: the key
 * @key_len: bytes in it
 * @elem: where to put the elem
 * @elem_len: bytes there are at @elem; set to the bytes the elem has
 *
 * Errors:
 *	EINVAL	@key_len or @elem_len does not fit the map
 *	ENOENT	the key is not there
 *	EMSGSIZE the elem has more bytes than there are at @elem; @elem_len says
 *		how many
 */
int hmap_lookup(int fd, const void *key, __u32 key_len, void *elem,
		__u32 *elem_len);

/**
 * hmap_delete() - delete an entry
 * @fd: the map, open for writing
 * @key: the key
 * @key_len: bytes in it
 *
 * Errors:
 *	EINVAL	@key_len does not fit the map
 *	ENOENT	the key is not there
 */
int hmap_delete(int fd, const void *key, __u32 key_len);

/* === Changes in one step === */

/*
 * These change an entry and tell the elem it had, with no other's change
 * between.  @fd is a map that is open for reading and writing.
 *
 * @old, which may be NULL, is where to put the elem that was there.  @old_len
 * says how many bytes there are, and is set to those the elem had; it may be
 * NULL where @old is.  They are also set where EEXIST or ESTALE is returned.
 */

/**
 * hmap_xchg() - insert, and tell the elem that was there
 * @fd: the map
 * @key: the key
 * @key_len: bytes in it
 * @elem: the elem to be stored
 * @elem_len: bytes in it
 * @old: where to put the elem that was there, or %NULL
 * @old_len: bytes there are at @old; set to the bytes the elem had
 * @flags: HMAP_INSERT_*
 *
 * Errors:
 *	as for hmap_insert()
 *	EMSGSIZE the elem has more bytes than there are at @old; @old_len says
 *		how many, and the map is as it was
 *
 * Return: 1 if the key was there, 0 if not
 */
int hmap_xchg(int fd, const void *key, __u32 key_len, const void *elem,
	      __u32 elem_len, void *old, __u32 *old_len, __u32 flags);

/**
 * hmap_cmpxchg() - replace an elem if it is the one that is expected
 * @fd: the map
 * @key: the key
 * @key_len: bytes in it
 * @expect: the elem that is expected to be there
 * @expect_len: bytes in it
 * @elem: the elem to be stored
 * @elem_len: bytes in it
 * @old: where to put the elem that was there, or %NULL
 * @old_len: bytes there are at @old; set to the bytes the elem had
 *
 * Errors:
 *	EINVAL	a length does not fit the map
 *	ENOENT	the key is not there
 *	ESTALE	the elem is another than @expect
 *	ENOSPC	as for hmap_insert()
 *	EDQUOT	as for hmap_insert()
 *	EMSGSIZE as for hmap_xchg()
 */
int hmap_cmpxchg(int fd, const void *key, __u32 key_len, const void *expect,
		 __u32 expect_len, const void *elem, __u32 elem_len, void *old,
		 __u32 *old_len);

/**
 * hmap_fetch_add() - add to an elem that is an integer
 * @fd: the map
 * @key: the key
 * @key_len: bytes in it
 * @n: what to add: a __u32 or a __u64, as the map's elems are; wraps round
 * @old: where to put what was there, or 0 if nothing was; or %NULL
 * @elem_len: bytes at @n and at @old
 * @flags: %HMAP_INSERT_ANY, and a key that is not there counts as 0, or
 *	%HMAP_INSERT_EXIST
 *
 * Errors:
 *	EOPNOTSUPP elems are not of four or eight bytes
 *	as for hmap_insert()
 *
 * Return: 1 if the key was there, 0 if not
 */
int hmap_fetch_add(int fd, const void *key, __u32 key_len, const void *n,
		   void *old, __u32 elem_len, __u32 flags);

/**
 * hmap_take() - delete an entry, and tell its elem
 * @fd: the map
 * @key: the key
 * @key_len: bytes in it
 * @old: where to put the elem, or %NULL
 * @old_len: bytes there are at @old; set to the bytes the elem had
 *
 * Errors:
 *	EINVAL	@key_len does not fit the map
 *	ENOENT	the key is not there
 *	EMSGSIZE as for hmap_xchg()
 */
int hmap_take(int fd, const void *key, __u32 key_len, void *old,
	      __u32 *old_len);

/* === Many entries in one call === */

/*
 * Keys, and elems, lie one right behind the other.  Their lengths are told for
 * each where keys are strings, or elems vary, and are NULL elsewhere.
 *
 * Entries are done one after another, and one that fails does not end it: its
 * place in @results has the negative errno that the call for it alone would
 * have set, the others 0.  If not all are done, the function fails with the
 * reason, such as EINTR, and may be called for the rest.  @count is set to how
 * many were done, from the first on.
 */

/**
 * hmap_insert_batch() - insert many entries
 * @fd: the map, open for writing
 * @keys: the keys
 * @key_lens: bytes in each, or %NULL
 * @elems: the elems
 * @elem_lens: bytes in each, or %NULL
 * @results: set to 0 or a negative errno for each entry
 * @count: number of entries; set to how many were done
 * @flags: HMAP_INSERT_*, for all of them
 *
 * Errors:
 *	EINVAL	lengths are told that should not be, or the next one does not
 *		fit the map
 */
int hmap_insert_batch(int fd, const void *keys, const __u32 *key_lens,
		      const void *elems, const __u32 *elem_lens,
		      __s32 *results, __u32 *count, __u32 flags);

/**
 * hmap_lookup_batch() - look many keys up
 * @fd: the map, open for reading
 * @keys: the keys, in any order
 * @key_lens: bytes in each, or %NULL
 * @elems: where to put the elems; for a key that is not there zeros, or, where
 *	elems vary, nothing
 * @elem_lens: set to the bytes in each, or %NULL
 * @room: bytes there are at @elems, where elems vary; else 0
 * @results: set to 0 or a negative errno for each key
 * @count: number of keys; set to how many were done
 *
 * Errors:
 *	EINVAL	lengths are told that should not be, or the next one does not
 *		fit the map
 *	EMSGSIZE the next elem does not fit in what is left of @room; its length
 *		is set
 */
int hmap_lookup_batch(int fd, const void *keys, const __u32 *key_lens,
		      void *elems, __u32 *elem_lens, __u64 room,
		      __s32 *results, __u32 *count);

/**
 * hmap_delete_batch() - delete many entries
 * @fd: the map, open for writing
 * @keys: the keys
 * @key_lens: bytes in each, or %NULL
 * @results: set to 0 or a negative errno for each key
 * @count: number of keys; set to how many were done
 *
 * Errors:
 *	EINVAL	lengths are told that should not be, or the next one does not
 *		fit the map
 */
int hmap_delete_batch(int fd, const void *keys, const __u32 *key_lens,
		      __s32 *results, __u32 *count);

/* === All entries === */

struct hmap_walk;

/**
 * struct hmap_item - an entry that a walk came to
 * @key: the key
 * @elem: the elem
 * @key_len: bytes in the key
 * @elem_len: bytes in the elem
 *
 * The key and the elem are there until the walk goes on.
 */
struct hmap_item {
	const void *key;
	const void *elem;
	__u32 key_len;
	__u32 elem_len;
};

/**
 * hmap_walk_begin() - begin to go through all entries of a map
 * @fd: the map, open for reading
 *
 * What the walk promises is told for struct hmap_next; as it reads some
 * entries ahead, one that was just deleted may still be given.  A map can have
 * any number of walks at once.  After fork(2) each process goes on by itself.
 *
 * Errors:
 *	ENOMEM	out of memory
 *
 * Return: the walk, which hmap_walk_end() frees
 */
struct hmap_walk *hmap_walk_begin(int fd);

/**
 * hmap_walk_next() - go on to the next entry
 * @walk: the walk
 * @item: set to the entry
 *
 * Errors:
 *	ENOMEM	out of memory; the walk has not gone on
 *	ESTALE	the map was cleared, or was empty meanwhile: begin again
 *	EINTR	a signal arrived; call again to go on
 *
 * Return: 1 if there is a next entry, 0 if not
 */
int hmap_walk_next(struct hmap_walk *walk, struct hmap_item *item);

/**
 * hmap_walk_end() - let go of a walk
 * @walk: the walk
 */
void hmap_walk_end(struct hmap_walk *walk);

#ifdef __cplusplus
}
#endif

#endif /* _HMAP_H */
