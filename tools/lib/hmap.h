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
 * A map is a file descriptor: close(2) releases it, and fork(2) and SCM_RIGHTS
 * share it.  The library keeps no other state, so any function may be called
 * from any thread.  <hmap_view.h> has lookups without a system call.
 *
 * A function that fails returns -1 (or NULL, if it returns a pointer) and sets
 * errno; otherwise it returns 0, or what its comment says.
 *
 * Besides the errors that <linux/hmap.h> lists for every call, all functions
 * can fail with
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
 * hmap_create() - make a map, or with HMAP_CREATE_OR_OPEN open an existing one
 * @name: its name, or %NULL for a map without one
 * @create: what to make; the name in it is ignored, @created and @id are set
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
 *	EINVAL	@name is not a valid name, or there are other @flags
 *	ENOENT	there is no map of that name
 *	EACCES	the mode of the map, or of /dev/hmap, does not allow @flags
 *
 * Return: a file descriptor that exec(2) closes
 */
int hmap_open(const char *name, int flags);

/**
 * hmap_reopen() - open a map that is open already; it need not have a name
 * @fd: the map
 * @flags: as for hmap_open()
 *
 * Errors:
 *	EINVAL	@fd is not of /dev/hmap, or @flags are invalid
 *	EACCES	the mode of the map, or of /dev/hmap, does not allow @flags
 *
 * Return: a file descriptor that exec(2) closes
 */
int hmap_reopen(int fd, int flags);

/**
 * hmap_unlink() - remove a map's name
 * @name: its name
 *
 * The map is freed when its last file descriptor is closed.
 *
 * Errors:
 *	EINVAL	@name is not a valid name
 *	ENOENT	there is no map of that name
 *	EPERM	the caller neither owns the map nor has CAP_FOWNER
 *	EACCES	the caller may not open /dev/hmap for writing
 */
int hmap_unlink(const char *name);

/**
 * hmap_set() - change a map's mode, owner, limits or name
 * @fd: the map
 * @set: the new values, and which of them to set
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
 * hmap_info() - get a map's properties and statistics
 * @fd: the map; without read access, what it holds is left out
 * @info: where to store them
 */
int hmap_info(int fd, struct hmap_info *info);

/**
 * hmap_next_map() - iterate over the maps there are
 * @info: zeros to start with, then as the previous call left it; set to the
 *	properties of the next map
 *
 * Maps without a name are those of the caller, or all with CAP_DAC_OVERRIDE.
 *
 * Errors:
 *	EACCES	the caller may not open /dev/hmap for reading
 *
 * Return: 1 if there is a next map, 0 if not
 */
int hmap_next_map(struct hmap_info *info);

/* === Entries === */

/**
 * hmap_insert() - add or replace an entry
 * @fd: the map, open for writing
 * @key: the key
 * @key_len: its length
 * @elem: the elem; ignored if elems have no bytes
 * @elem_len: its length
 * @flags: HMAP_INSERT_*
 *
 * Errors:
 *	EINVAL	@key_len or @elem_len does not fit the map
 *	EEXIST	the key exists (%HMAP_INSERT_NOEXIST)
 *	ENOENT	the key does not exist (%HMAP_INSERT_EXIST)
 *	ENOSPC	the map has reached its max_entries or max_bytes
 *	EDQUOT	all maps made by the same user have reached their limit
 */
int hmap_insert(int fd, const void *key, __u32 key_len, const void *elem,
		__u32 elem_len, __u32 flags);

/**
 * hmap_lookup() - read an elem
 * @fd: the map, open for reading
 * @key: the key
 * @key_len: its length
 * @elem: buffer for the elem
 * @elem_len: size of the buffer; set to the length of the elem
 *
 * Errors:
 *	EINVAL	@key_len or @elem_len does not fit the map
 *	ENOENT	the key does not exist
 *	EMSGSIZE the elem is longer than the buffer; @elem_len is set
 */
int hmap_lookup(int fd, const void *key, __u32 key_len, void *elem,
		__u32 *elem_len);

/**
 * hmap_delete() - delete an entry
 * @fd: the map, open for writing
 * @key: the key
 * @key_len: its length
 *
 * Errors:
 *	EINVAL	@key_len does not fit the map
 *	ENOENT	the key does not exist
 */
int hmap_delete(int fd, const void *key, __u32 key_len);

/* === Atomic updates === */

/*
 * Each of these changes an entry and returns its previous elem as one atomic
 * operation.  @fd has to be open for reading and writing.
 *
 * @old, which may be NULL, is a buffer for the previous elem.  @old_len is its
 * size, and is set to the length of that elem; it may be NULL if @old is.  Both
 * are also set on EEXIST and ESTALE.
 */

/**
 * hmap_xchg() - insert, and return the previous elem
 * @fd: the map
 * @key: the key
 * @key_len: its length
 * @elem: the elem to store
 * @elem_len: its length
 * @old: buffer for the previous elem, or %NULL
 * @old_len: size of the buffer; set to the length of that elem
 * @flags: HMAP_INSERT_*
 *
 * Errors:
 *	as for hmap_insert()
 *	EMSGSIZE the previous elem is longer than the buffer; @old_len is set,
 *		and the map has not been changed
 *
 * Return: 1 if the key existed, 0 if not
 */
int hmap_xchg(int fd, const void *key, __u32 key_len, const void *elem,
	      __u32 elem_len, void *old, __u32 *old_len, __u32 flags);

/**
 * hmap_cmpxchg() - replace an elem if it has the expected value
 * @fd: the map
 * @key: the key
 * @key_len: its length
 * @expect: the expected elem
 * @expect_len: its length
 * @elem: the elem to store
 * @elem_len: its length
 * @old: buffer for the previous elem, or %NULL
 * @old_len: size of the buffer; set to the length of that elem
 *
 * Errors:
 *	EINVAL	a length does not fit the map
 *	ENOENT	the key does not exist
 *	ESTALE	the current elem differs from @expect
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
 * @key_len: its length
 * @n: what to add: a __u32 or a __u64, as the map's elems are; wraps around
 * @old: buffer for the previous value, 0 if there was none; or %NULL
 * @elem_len: size of @n and @old
 * @flags: %HMAP_INSERT_ANY, and a key that does not exist counts as 0, or
 *	%HMAP_INSERT_EXIST
 *
 * Errors:
 *	EOPNOTSUPP elems are not of four or eight bytes
 *	as for hmap_insert()
 *
 * Return: 1 if the key existed, 0 if not
 */
int hmap_fetch_add(int fd, const void *key, __u32 key_len, const void *n,
		   void *old, __u32 elem_len, __u32 flags);

/**
 * hmap_take() - delete an entry, and return its elem
 * @fd: the map
 * @key: the key
 * @key_len: its length
 * @old: buffer for the elem, or %NULL
 * @old_len: size of the buffer; set to the length of the elem
 *
 * Errors:
 *	EINVAL	@key_len does not fit the map
 *	ENOENT	the key does not exist
 *	EMSGSIZE as for hmap_xchg()
 */
int hmap_take(int fd, const void *key, __u32 key_len, void *old,
	      __u32 *old_len);

/* === Batches === */

/*
 * Keys are packed one after another, and so are elems.  Their lengths are only
 * passed if keys are strings, or elems vary in length; otherwise they are NULL.
 *
 * Entries are processed in order.  A failed one does not end the batch: its
 * place in @results is set to the negative errno that the call for it alone
 * would have set, those of others to 0.  If the function itself fails, such as
 * with EINTR, it may be called again for the rest.  @count is always set to the
 * number of entries that were processed, from the first on.
 */

/**
 * hmap_insert_batch() - insert many entries
 * @fd: the map, open for writing
 * @keys: the keys
 * @key_lens: their lengths, or %NULL
 * @elems: the elems
 * @elem_lens: their lengths, or %NULL
 * @results: set to 0 or a negative errno for each entry
 * @count: number of entries; set to how many were processed
 * @flags: HMAP_INSERT_*, for all of them
 *
 * Errors:
 *	EINVAL	@key_lens or @elem_lens should be %NULL, or the next length does
 *		not fit the map
 */
int hmap_insert_batch(int fd, const void *keys, const __u32 *key_lens,
		      const void *elems, const __u32 *elem_lens,
		      __s32 *results, __u32 *count, __u32 flags);

/**
 * hmap_lookup_batch() - look up many keys
 * @fd: the map, open for reading
 * @keys: the keys, in any order
 * @key_lens: their lengths, or %NULL
 * @elems: buffer for the elems; for a key that does not exist it gets zeros, or
 *	nothing if elems vary in length
 * @elem_lens: set to the length of each elem; or %NULL
 * @room: size of the buffer if elems vary in length, else 0
 * @results: set to 0 or a negative errno for each key
 * @count: number of keys; set to how many were processed
 *
 * Errors:
 *	EINVAL	@key_lens, @elem_lens or @room should be 0, or the next length
 *		does not fit the map
 *	EMSGSIZE the next elem does not fit in the rest of the buffer; its length
 *		is set
 */
int hmap_lookup_batch(int fd, const void *keys, const __u32 *key_lens,
		      void *elems, __u32 *elem_lens, __u64 room,
		      __s32 *results, __u32 *count);

/**
 * hmap_delete_batch() - delete many entries
 * @fd: the map, open for writing
 * @keys: the keys
 * @key_lens: their lengths, or %NULL
 * @results: set to 0 or a negative errno for each key
 * @count: number of keys; set to how many were processed
 *
 * Errors:
 *	EINVAL	@key_lens should be %NULL, or the next length does not fit the
 *		map
 */
int hmap_delete_batch(int fd, const void *keys, const __u32 *key_lens,
		      __s32 *results, __u32 *count);

/* === Walks === */

struct hmap_walk;

/**
 * struct hmap_item - an entry
 * @key: the key
 * @elem: the elem
 * @key_len: length of the key
 * @elem_len: length of the elem
 *
 * The key and the elem are valid until the walk continues or ends.
 */
struct hmap_item {
	const void *key;
	const void *elem;
	__u32 key_len;
	__u32 elem_len;
};

/**
 * hmap_walk_begin() - start a walk over all entries of a map
 * @fd: the map, open for reading
 *
 * struct hmap_next says what a walk guarantees.  It reads ahead, so an entry
 * that has just been deleted may still be returned.  A map can have any number
 * of walks at a time; after fork(2), each process continues on its own.
 *
 * Errors:
 *	ENOMEM	out of memory
 *
 * Return: the walk, to be freed by hmap_walk_end()
 */
struct hmap_walk *hmap_walk_begin(int fd);

/**
 * hmap_walk_next() - continue with the next entry
 * @walk: the walk
 * @item: set to the entry
 *
 * Errors:
 *	ENOMEM	out of memory; call again to continue
 *	EINTR	a signal arrived; call again to continue
 *	ESTALE	the map was cleared, or became empty and drew a new seed: the
 *		walk cannot be continued
 *
 * Return: 1 if there is a next entry, 0 if not
 */
int hmap_walk_next(struct hmap_walk *walk, struct hmap_item *item);

/**
 * hmap_walk_end() - free a walk
 * @walk: the walk
 */
void hmap_walk_end(struct hmap_walk *walk);

#ifdef __cplusplus
}
#endif

#endif /* _HMAP_H */
