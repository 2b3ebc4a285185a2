/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/hmap: hash tables in the kernel, shared between processes.
 *
 * A file opened on /dev/hmap is bound to no map.  HMAP_IOC_CREATE makes a map
 * and binds the file to it, HMAP_IOC_OPEN binds the file to a map that has a
 * name; the other calls then work on that map.  A map without a name is the
 * file's own: it can be passed on by fork(2) or SCM_RIGHTS, and is gone when
 * the last descriptor of the file is closed.  A map with a name lives until
 * it has been unlinked and its last file is closed.
 *
 * A file open for reading may look up, walk and ask; one open for writing may
 * insert, delete and clear; an UPDATE takes both.
 *
 * All structures grow at their end only.  The kernel takes the size from the
 * ioctl number: fields a caller does not know are taken as 0, and fields the
 * kernel does not know must be 0.
 *
 * Any call can fail with
 *	EFAULT	a pointer that was passed does not point to the caller's memory
 *	E2BIG	a field this kernel does not know is not 0
 *	EINVAL	an unknown flag, or a reserved field that is not 0
 *	ENOTTY	no such ioctl
 *	EBADFD	the file is not bound to a map (all but CREATE, OPEN, UNLINK
 *		and INFO)
 *	EACCES	the file is not open for what the call does
 *	ENOMEM	out of memory for a copy of a key or an elem
 *	EINTR	a fatal signal arrived
 */
#ifndef _UAPI_LINUX_HMAP_H
#define _UAPI_LINUX_HMAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define HMAP_NAME_LEN		64	/* bytes in a name, with its closing NUL */

/* hmap_create.key_kind: what the keys are, and which key_size that takes. */
#define HMAP_KIND_U32		0	/* 4 */
#define HMAP_KIND_U64		1	/* 8 */
#define HMAP_KIND_BYTES		2	/* 1 to 512 */
#define HMAP_KIND_STRING	3	/* 0; a key has 0 to 4096 bytes */

#define HMAP_ELEM_SIZE_MAX	65536

/* hmap_create.flags, hmap_info.create_flags */
#define HMAP_CREATE_VAR_ELEM	(1U << 0) /* elems have 0 to elem_size bytes */

/**
 * struct hmap_create - argument of HMAP_IOC_CREATE
 * @key_kind: HMAP_KIND_*
 * @key_size: bytes in a key
 * @elem_size: bytes in an elem, 0 for a set
 * @flags: HMAP_CREATE_*
 * @mode: who may open the map by its name: the lower nine bits of a file mode,
 *	of which execute bits are not used
 * @reserved: 0
 * @hint: entries to make room for, or 0
 * @max_entries: entries the map may hold; 0 for the module's limit
 * @max_bytes: bytes of memory the map may use; 0 for the module's limit
 * @name: the map's name, or all zeros for a map without one
 *
 * Errors:
 *	EINVAL	@key_kind, @key_size or @elem_size do not fit, @mode has other
 *		bits, or @name is not 1 to 63 printable ASCII characters other
 *		than '/' followed by zeros, or begins with a '.' or '#'
 *	EBUSY	the file is bound already
 *	EACCES	the file is not open for reading and writing
 *	EEXIST	there is a map of that name
 *	ENOSPC	as many maps as the module allows exist, or @hint is over
 *		@max_entries, or @max_entries or @max_bytes are over the
 *		module's limits
 *	EDQUOT	the caller owns as many maps as the module allows a user
 *	ENOMEM	out of memory, or @hint needs more than @max_bytes, or than
 *		the module allows the maps of a user
 */
struct hmap_create {
	__u32 key_kind;
	__u32 key_size;
	__u32 elem_size;
	__u32 flags;
	__u32 mode;
	__u32 reserved;
	__u64 hint;
	__u64 max_entries;
	__u64 max_bytes;
	char name[HMAP_NAME_LEN];
};

/**
 * struct hmap_name - argument of HMAP_IOC_OPEN and HMAP_IOC_UNLINK
 * @name: the map's name, filled up with zeros
 *
 * OPEN binds the file to the map of that name.
 * UNLINK takes the name away, through any file that is open for writing; the
 * map goes with its last file.
 *
 * Errors:
 *	EINVAL	@name is not a name
 *	ENOENT	there is no map of that name
 *	EBUSY	(OPEN) the file is bound already
 *	EACCES	(OPEN) the map's mode does not let the caller do what the file
 *		is open for
 *	EPERM	(UNLINK) the caller neither made the map nor has CAP_FOWNER
 */
struct hmap_name {
	char name[HMAP_NAME_LEN];
};

/* hmap_entry.flags, of HMAP_IOC_INSERT */
#define HMAP_INSERT_ANY		0	/* make or replace */
#define HMAP_INSERT_NOEXIST	1	/* make, or fail with EEXIST */
#define HMAP_INSERT_EXIST	2	/* replace, or fail with ENOENT */

/**
 * struct hmap_entry - argument of HMAP_IOC_INSERT, LOOKUP and DELETE
 * @key: address of the key
 * @elem: address of the elem: read by INSERT, written by LOOKUP, and not used
 *	by DELETE
 * @key_len: bytes in the key; the map's key_size unless keys are strings
 * @elem_len: bytes at @elem; the map's elem_size unless elems vary.  LOOKUP
 *	sets it to the bytes the elem has.  Not used by DELETE
 * @flags: HMAP_INSERT_*; 0 for LOOKUP and DELETE
 * @reserved: 0
 *
 * Errors:
 *	EINVAL	@key_len or @elem_len does not fit the map
 *	ENOENT	the key is not there (LOOKUP, DELETE, INSERT with EXIST)
 *	EEXIST	the key is there (INSERT with NOEXIST)
 *	ENOSPC	(INSERT) the map holds as many entries as it may
 *	ENOMEM	(INSERT) out of memory, or the map, or all maps of its owner,
 *		would use more than they may; it is as it was
 *	EMSGSIZE (LOOKUP, where elems vary) the elem has more bytes than
 *		@elem_len; @elem_len says how many and nothing else is written
 */
struct hmap_entry {
	__u64 key;
	__u64 elem;
	__u32 key_len;
	__u32 elem_len;
	__u32 flags;
	__u32 reserved;
};

/* hmap_update.op */
#define HMAP_UPDATE_XCHG	0	/* store @elem, where @flags say */
#define HMAP_UPDATE_CMPXCHG	1	/* store @elem if what is there is @expect */
#define HMAP_UPDATE_ADD		2	/* add @elem, an integer; wraps round */
#define HMAP_UPDATE_TAKE	3	/* delete */

/**
 * struct hmap_update - argument of HMAP_IOC_UPDATE
 * @key: address of the key
 * @elem: address of the elem to store or add; not used by TAKE
 * @expect: (CMPXCHG) address of the elem that is expected to be there
 * @old: where to put the elem that was there; 0 if that is not wanted
 * @key_len: bytes in the key; the map's key_size unless keys are strings
 * @elem_len: bytes at @elem; the map's elem_size unless elems vary
 * @expect_len: bytes at @expect, likewise
 * @old_len: bytes there are at @old; the map's elem_size unless elems vary.
 *	Set to the bytes the elem had, if there was one
 * @op: HMAP_UPDATE_*
 * @flags: (XCHG) HMAP_INSERT_*; (ADD) HMAP_INSERT_ANY, and a key that is not
 *	there counts as 0, or HMAP_INSERT_EXIST; else 0
 * @present: set to 1 if the key was there, else 0
 * @reserved: 0
 *
 * Changes an entry and tells what it was before, in one step.  So XCHG with
 * HMAP_INSERT_NOEXIST makes an entry or tells the elem of the one there is.
 * @old, @old_len and @present are written also where EEXIST, ESTALE or EMSGSIZE
 * is returned, but @old not with EMSGSIZE.
 *
 * Errors:
 *	EINVAL	a length does not fit the map, or @op or @flags make no sense
 *	ENOENT	the key is not there (CMPXCHG, TAKE, and HMAP_INSERT_EXIST)
 *	EEXIST	the key is there (HMAP_INSERT_NOEXIST)
 *	ESTALE	(CMPXCHG) the elem is another than @expect
 *	EOPNOTSUPP (ADD) elems are not of four or eight bytes
 *	ENOSPC	the map holds as many entries as it may
 *	ENOMEM	as for INSERT
 *	EMSGSIZE the elem has more bytes than @old_len; @old_len says how many,
 *		and the map is as it was
 */
struct hmap_update {
	__u64 key;
	__u64 elem;
	__u64 expect;
	__u64 old;
	__u32 key_len;
	__u32 elem_len;
	__u32 expect_len;
	__u32 old_len;
	__u32 op;
	__u32 flags;
	__u32 present;
	__u32 reserved;
};

/**
 * struct hmap_batch - argument of HMAP_IOC_INSERT_BATCH, LOOKUP_BATCH and
 *	DELETE_BATCH
 * @keys: address of the keys, one right behind the other
 * @key_lens: address of a __u32 for each key, the bytes in it; 0 unless keys
 *	are strings
 * @elems: address of the elems, one right behind the other: read by INSERT,
 *	written by LOOKUP, not used by DELETE
 * @elem_lens: likewise for elems; 0 unless they vary, and for DELETE
 * @results: address of an __s32 for each entry, which is set to 0 or to the
 *	negative errno that the call for a single entry would have failed with
 * @room: (LOOKUP, where elems vary) bytes there are at @elems, and set to how
 *	many of them are left; else 0
 * @count: number of entries; set to how many were done
 * @flags: (INSERT) HMAP_INSERT_*; else 0
 *
 * Does one after another what INSERT, LOOKUP or DELETE do, and goes on where
 * one of them fails.  Other users see each entry change by itself.  When less
 * than all were done, which @count tells, the error tells why: an entry of
 * which something could not be read or written is not begun.
 *
 * A LOOKUP of a key that is not there fills the place of its elem with zeros,
 * or, where elems vary, sets its length to 0.
 *
 * Errors:
 *	EINVAL	@flags make no sense, @key_lens, @elem_lens or @room are not 0
 *		where they should be, or the next key or elem is too long
 *	EMSGSIZE (LOOKUP, where elems vary) the next elem does not fit into what
 *		is left of @room; its length is set
 */
struct hmap_batch {
	__u64 keys;
	__u64 key_lens;
	__u64 elems;
	__u64 elem_lens;
	__u64 results;
	__u64 room;
	__u32 count;
	__u32 flags;
};

/* hmap_next.flags */
#define HMAP_NEXT_REWIND	(1U << 0) /* begin a new walk */

/**
 * struct hmap_next - argument of HMAP_IOC_NEXT
 * @buf: where to put &struct hmap_record after &struct hmap_record
 * @len: bytes there are at @buf
 * @flags: HMAP_NEXT_*
 * @used: set to the bytes written to @buf
 * @count: set to the number of records written; 0 at the end of the walk
 *
 * A file has one walk, which is begun by its first NEXT.  An entry that is in
 * the map from start to end of the walk is given exactly once, one that is
 * deleted before the walk reaches it is not given, and one that is inserted
 * meanwhile may or may not be.  HMAP_IOC_CLEAR ends all walks of a map.
 * As with read(2), an error is told when there is no record to tell of.
 *
 * Errors:
 *	EMSGSIZE the next record does not fit into @len bytes; @used says how
 *		many it needs, @count is 0, and the walk has not moved on
 *	ENOMEM	out of memory; the walk has not moved on
 */
struct hmap_next {
	__u64 buf;
	__u32 len;
	__u32 flags;
	__u32 used;
	__u32 count;
};

/**
 * struct hmap_record - an entry as HMAP_IOC_NEXT writes it
 * @key_len: bytes in the key
 * @elem_len: bytes in the elem
 *
 * The key follows, then the elem, each filled up with zeros to a multiple of
 * eight bytes; then the next record.
 */
struct hmap_record {
	__u32 key_len;
	__u32 elem_len;
};

#define HMAP_RECORD_ALIGN(len)	(((__u64)(len) + 7) & ~(__u64)7)
#define HMAP_RECORD_SIZE(key_len, elem_len)				\
	(sizeof(struct hmap_record) + HMAP_RECORD_ALIGN(key_len) +	\
	 HMAP_RECORD_ALIGN(elem_len))

/* hmap_info.state */
#define HMAP_STATE_GROWING	(1U << 0) /* moving to an array twice the size */
#define HMAP_STATE_SAME_SIZE	(1U << 1) /* moving to one of the same size */
#define HMAP_STATE_UNLINKED	(1U << 2) /* the map had a name and lost it */

/**
 * struct hmap_info - argument of HMAP_IOC_INFO
 * @after: in: for a file that is not bound, tell of the map with a name whose
 *	@id is the lowest above this.  0 for a bound file
 * @id: which map this is; never used again
 * @count: entries
 * @bytes: memory the map uses
 * @max_entries: most entries it may have
 * @max_bytes: most memory it may use
 * @growths: times it has doubled
 * @same_size_growths: times it was squeezed into an array of the same size
 * @nevacuate: old buckets below this one have been moved; while growing only
 * @key_kind: as it was created, like the next four
 * @key_size: bytes in a key
 * @elem_size: bytes in an elem
 * @create_flags: HMAP_CREATE_*
 * @mode: lower nine bits of a file mode
 * @uid: owner, in the caller's user namespace
 * @log2_buckets: Go's B
 * @noverflow: overflow buckets; approximate where @log2_buckets is over 15
 * @state: HMAP_STATE_*
 * @reserved: set to 0
 * @name: the map's name, or zeros
 * @owner_bytes: memory that all maps of the map's owner use, if that is limited
 * @owner_max_bytes: most that they may use, or 0 if it is not limited
 *
 * With @after, a file that is not bound can list the maps that have names.
 *
 * Errors:
 *	EINVAL	the file is bound and @after is not 0
 *	ENOENT	the file is not bound and there is no map above @after
 */
struct hmap_info {
	__u64 after;
	__u64 id;
	__u64 count;
	__u64 bytes;
	__u64 max_entries;
	__u64 max_bytes;
	__u64 growths;
	__u64 same_size_growths;
	__u64 nevacuate;
	__u32 key_kind;
	__u32 key_size;
	__u32 elem_size;
	__u32 create_flags;
	__u32 mode;
	__u32 uid;
	__u32 log2_buckets;
	__u32 noverflow;
	__u32 state;
	__u32 reserved;
	char name[HMAP_NAME_LEN];
	__u64 owner_bytes;
	__u64 owner_max_bytes;
};

#define HMAP_IOC_CREATE		_IOW(0xBA, 0x00, struct hmap_create)
#define HMAP_IOC_OPEN		_IOW(0xBA, 0x01, struct hmap_name)
#define HMAP_IOC_UNLINK		_IOW(0xBA, 0x02, struct hmap_name)
#define HMAP_IOC_INSERT		_IOW(0xBA, 0x03, struct hmap_entry)
#define HMAP_IOC_LOOKUP		_IOWR(0xBA, 0x04, struct hmap_entry)
#define HMAP_IOC_DELETE		_IOW(0xBA, 0x05, struct hmap_entry)
#define HMAP_IOC_NEXT		_IOWR(0xBA, 0x06, struct hmap_next)
#define HMAP_IOC_CLEAR		_IO(0xBA, 0x07)
#define HMAP_IOC_INFO		_IOWR(0xBA, 0x08, struct hmap_info)
#define HMAP_IOC_UPDATE		_IOWR(0xBA, 0x09, struct hmap_update)
#define HMAP_IOC_INSERT_BATCH	_IOWR(0xBA, 0x0a, struct hmap_batch)
#define HMAP_IOC_LOOKUP_BATCH	_IOWR(0xBA, 0x0b, struct hmap_batch)
#define HMAP_IOC_DELETE_BATCH	_IOWR(0xBA, 0x0c, struct hmap_batch)

#endif /* _UAPI_LINUX_HMAP_H */
