/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/hmap: hash tables in the kernel, shared between processes.
 *
 * This is version 1 of the interface.  It is frozen: calls, fields and errors
 * keep their meaning.  Structures grow at their end only, and the kernel takes
 * the caller's size from the ioctl number.  A size below that of version 1 is
 * refused.  Fields that a caller does not know are taken as 0, and fields that
 * the kernel does not know must be 0.  Fields that a call only sets are not
 * read.
 *
 * A file opened on /dev/hmap is bound to no map.  HMAP_IOC_CREATE makes a map
 * and binds the file to it, HMAP_IOC_OPEN binds the file to a map that exists;
 * the other calls then work on that map.  A map without a name lives until the
 * last file that is bound to it is closed; a map with a name lives until it
 * has been unlinked, too, or until the module is unloaded.
 *
 * A file open for reading may look up and walk; one open for writing may
 * insert, delete and clear; an UPDATE takes both.  One that is open for neither
 * can do nothing.
 *
 * Any call can fail with
 *	EFAULT	a pointer that was passed does not point to the caller's memory.
 *		Only if that memory is taken away during the call may the call
 *		have done its work
 *	E2BIG	a field this kernel does not know is not 0
 *	EINVAL	the structure is smaller than that of version 1, a flag is
 *		unknown, or a reserved field is not 0
 *	ENOTTY	no such ioctl
 *	EBADFD	the file is not bound to a map (all but CREATE, OPEN, UNLINK
 *		and INFO)
 *	EACCES	the file is not open for what the call does
 *	ENOMEM	out of memory, or of what the caller's memory cgroup may use
 *	EINTR	a signal arrived
 *
 * What would exceed a limit fails with ENOSPC where it is a limit of the map or
 * of the module, and with EDQUOT where it is one of the map's owner.  The map
 * is then as it was before.
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

/* Of a mapped map: bytes in a key and in an elem, at most. */
#define HMAP_MAPPED_SIZE_MAX	128

#define HMAP_ELEM_SIZE_MAX	65536

/* hmap_create.flags, hmap_info.create_flags */
#define HMAP_CREATE_VAR_ELEM	(1U << 0) /* elems have 0 to elem_size bytes */
/* hmap_create.flags */
#define HMAP_CREATE_OR_OPEN	(1U << 1) /* open the map @name if it exists */
/* hmap_create.flags, hmap_info.create_flags */
#define HMAP_CREATE_MAPPED	(1U << 2) /* who may read it can mmap(2) it */

/**
 * struct hmap_create - argument of HMAP_IOC_CREATE
 * @key_kind: HMAP_KIND_*
 * @key_size: bytes in a key
 * @elem_size: bytes in an elem, 0 for a set
 * @flags: HMAP_CREATE_*
 * @mode: who may open the map: the lower nine bits of a file mode, of which
 *	execute bits are not used
 * @created: set to 1 if the map was made, 0 if it was there (OR_OPEN)
 * @hint: entries to make room for, or 0
 * @max_entries: entries the map may hold; 0 for the module's limit
 * @max_bytes: bytes of memory the map may use; 0 for the module's limit
 * @id: set to which map this is; never used again
 * @name: the map's name, or all zeros for a map without one
 *
 * Makes a map that belongs to the caller's file system uid and gid, and binds
 * the file to it.
 *
 * With HMAP_CREATE_OR_OPEN, a map of that name is opened as by HMAP_IOC_OPEN if
 * there is one, in one step.  Its @key_kind, @key_size, @elem_size and
 * HMAP_CREATE_VAR_ELEM and _MAPPED must be as given; @mode, @hint and limits
 * have no effect on it.
 *
 * With HMAP_CREATE_MAPPED, processes that have a file open for reading can look
 * keys up without a system call, see &struct hmap_control.  Keys and elems of
 * such a map have up to HMAP_MAPPED_SIZE_MAX bytes, and elems do not vary.
 * Where keys are strings, @key_size is the most bytes one may have, and not 0.
 *
 * The memory of a map counts for the limits of the user who made it, whoever
 * inserts and whomever it belongs to later; in a user namespace, for those of
 * the user who made the outermost one or, if root did, of its own root.  A map
 * made with CAP_SYS_RESOURCE counts for nobody's: only its own @max_bytes bounds
 * what those who may write to it can make it take.
 *
 * Errors:
 *	EINVAL	@key_kind, @key_size or @elem_size do not fit, or do not fit a
 *		mapped map, HMAP_CREATE_MAPPED and _VAR_ELEM are both given, @mode
 *		has other bits, or @name is not 1 to 63 printable ASCII characters other
 *		than '/' followed by zeros, or begins with a '.' or '#'
 *	EBUSY	the file is bound already, or just being bound
 *	EACCES	the file is not open for reading and writing, or the mode of the
 *		map that is there does not let the caller read and write
 *	EEXIST	there is a map of that name; with HMAP_CREATE_OR_OPEN, one with
 *		other keys or elems
 *	ENOSPC	as many maps as the module allows exist, and the caller lacks
 *		CAP_SYS_RESOURCE; or @hint is over @max_entries; or an empty map
 *		with room for @hint entries needs more than @max_bytes; or
 *		@max_entries or @max_bytes are over the module's limits
 *	EDQUOT	the caller has made as many maps as the module allows a user, or
 *		this one needs more memory than it allows the maps of a user
 */
struct hmap_create {
	__u32 key_kind;
	__u32 key_size;
	__u32 elem_size;
	__u32 flags;
	__u32 mode;
	__u32 created;
	__u64 hint;
	__u64 max_entries;
	__u64 max_bytes;
	__u64 id;
	char name[HMAP_NAME_LEN];
};

/* hmap_open.flags */
#define HMAP_OPEN_FD		(1U << 0) /* the map of @fd, not that of @name */

/**
 * struct hmap_open - argument of HMAP_IOC_OPEN
 * @flags: HMAP_OPEN_*
 * @fd: (HMAP_OPEN_FD) a descriptor of a file that is bound to a map; else 0
 * @name: the map's name, filled up with zeros; all zeros for HMAP_OPEN_FD
 *
 * Binds the file to the map of that name, or to the map of another file.
 * Either way the map's mode has to allow what the file is open for.
 *
 * Errors:
 *	EINVAL	@name is not a name, or @fd is not a file of this device
 *	ENOENT	there is no map of that name
 *	EBADF	@fd is not open
 *	EBADFD	@fd is not bound to a map
 *	EBUSY	the file is bound already, or just being bound
 *	EACCES	the map's mode does not let the caller do what the file is open
 *		for
 */
struct hmap_open {
	__u32 flags;
	__s32 fd;
	char name[HMAP_NAME_LEN];
};

/**
 * struct hmap_unlink - argument of HMAP_IOC_UNLINK
 * @name: the map's name, filled up with zeros
 *
 * Takes the name away, through any file that is open for writing; the map goes
 * with its last file.
 *
 * Errors:
 *	EINVAL	@name is not a name
 *	ENOENT	there is no map of that name
 *	EPERM	the caller neither owns the map nor has CAP_FOWNER
 */
struct hmap_unlink {
	char name[HMAP_NAME_LEN];
};

/* hmap_set.flags: which of the fields to set */
#define HMAP_SET_MODE		(1U << 0)
#define HMAP_SET_UID		(1U << 1)
#define HMAP_SET_GID		(1U << 2)
#define HMAP_SET_MAX_ENTRIES	(1U << 3)
#define HMAP_SET_MAX_BYTES	(1U << 4)
#define HMAP_SET_NAME		(1U << 5)

/**
 * struct hmap_set - argument of HMAP_IOC_SET
 * @flags: HMAP_SET_*
 * @mode: as for CREATE; files that are bound stay so
 * @uid: the new owner, in the caller's user namespace
 * @gid: likewise, whom the group bits of the mode apply to
 * @max_entries: as for CREATE; a map that has more keeps them
 * @max_bytes: likewise
 * @name: the new name; a map that has none gets one
 *
 * Sets all that @flags say, or nothing where one of them is refused.  Fields
 * that are not to be set are 0.  With no flag there is nothing to set, and nothing
 * to refuse.
 *
 * It takes to be the map's owner, or CAP_FOWNER, to set @mode, limits and @name.
 * The owner may set @gid to one of their groups; any other change of @uid or
 * @gid takes CAP_CHOWN.  If the map was made with CAP_SYS_RESOURCE, and so
 * counts for nobody's limits, it takes CAP_SYS_RESOURCE to raise its own.  Like
 * fchmod(2), it does not matter what the file is open for.
 *
 * Errors:
 *	EINVAL	a field is not 0 that is not to be set, @mode has other bits,
 *		@uid or @gid are not mapped in the caller's user namespace, or
 *		@name is not a name
 *	EPERM	the caller may not set that
 *	EEXIST	another map has that name
 *	ENOSPC	@max_entries or @max_bytes are over the module's limits
 */
struct hmap_set {
	__u32 flags;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u64 max_entries;
	__u64 max_bytes;
	char name[HMAP_NAME_LEN];
};

/**
 * struct hmap_clear - argument of HMAP_IOC_CLEAR
 * @flags: 0
 *
 * Deletes all entries, for everybody else in one step.  Walks that are under
 * way then fail with ESTALE.
 */
struct hmap_clear {
	__u64 flags;
};

/* hmap_entry.flags, of HMAP_IOC_INSERT */
#define HMAP_INSERT_ANY		0	/* make or replace */
#define HMAP_INSERT_NOEXIST	1	/* make, or fail with EEXIST */
#define HMAP_INSERT_EXIST	2	/* replace, or fail with ENOENT */

/**
 * struct hmap_entry - argument of HMAP_IOC_INSERT, LOOKUP and DELETE
 * @key: address of the key
 * @elem: address of the elem: read by INSERT, written by LOOKUP; 0 for DELETE
 * @key_len: bytes in the key; the map's key_size unless keys are strings
 * @elem_len: bytes at @elem; the map's elem_size unless elems vary.  LOOKUP
 *	sets it to the bytes the elem has.  0 for DELETE
 * @flags: HMAP_INSERT_*; 0 for LOOKUP and DELETE
 * @reserved: 0
 *
 * Errors:
 *	EINVAL	@key_len or @elem_len does not fit the map
 *	ENOENT	the key is not there (LOOKUP, DELETE, INSERT with EXIST)
 *	EEXIST	the key is there (INSERT with NOEXIST)
 *	ENOSPC	(INSERT) the map holds @max_entries or uses @max_bytes, or 1024
 *		entries with hashes that all fall into one bucket
 *	EDQUOT	(INSERT) the maps of the user who made it use as much memory as
 *		they may
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
 * @elem: address of the elem to store or add; 0 for TAKE
 * @expect: (CMPXCHG) address of the elem that is expected to be there; else 0
 * @old: where to put the elem that was there; 0 if that is not wanted
 * @key_len: bytes in the key; the map's key_size unless keys are strings
 * @elem_len: bytes at @elem; the map's elem_size unless elems vary; 0 for TAKE
 * @expect_len: bytes at @expect, likewise; 0 but for CMPXCHG
 * @old_len: bytes there are at @old; the map's elem_size unless elems vary.  Not
 *	read where @old is 0.  Set to the bytes the elem had, if there was one
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
 *	EINVAL	a length does not fit the map, @op or @flags make no sense, or
 *		what @op does not use is not 0
 *	ENOENT	the key is not there (CMPXCHG, TAKE, and HMAP_INSERT_EXIST)
 *	EEXIST	the key is there (HMAP_INSERT_NOEXIST)
 *	ESTALE	(CMPXCHG) the elem is another than @expect
 *	EOPNOTSUPP (ADD) elems are not of four or eight bytes, or vary
 *	ENOSPC	as for INSERT
 *	EDQUOT	as for INSERT
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
 *	written by LOOKUP; 0 for DELETE
 * @elem_lens: likewise for elems; 0 unless they vary, and for DELETE
 * @results: address of an __s32 for each entry, which is set to 0 or to the
 *	negative errno that the call for a single entry would have failed with
 * @room: (LOOKUP, where elems vary) bytes there are at @elems, and set to how
 *	many of them are left; else 0
 * @count: number of entries; set to how many were done
 * @flags: (INSERT) HMAP_INSERT_*; else 0
 *
 * Does one after another what INSERT, LOOKUP or DELETE do, and goes on where
 * one of them fails.  Other users see each entry change by itself.
 *
 * The call returns 0 when all were done, and else fails with what ended it.
 * Then the first @count entries were done and the others were not begun.  An
 * INSERT or DELETE is done when the map has been changed, or when that has
 * failed; a LOOKUP is done when its result, its elem and its length have been
 * written.  The results of all that were done have been written.  There is one
 * exception: when memory at @results is taken away or write-protected during
 * the call, which then fails with EFAULT, results of the last 64 entries that
 * INSERT or DELETE have done may be missing.  Behind the places of those that
 * were done, @results are not preserved, nor are @elems and @elem_lens by LOOKUP.
 * With EBADFD, EACCES and E2BIG nothing was done, and @count is as it was.
 *
 * A signal ends the call with EINTR, but not before an entry was done.
 *
 * A LOOKUP of a key that is not there fills the place of its elem with zeros,
 * or, where elems vary, sets its length to 0.
 *
 * Errors:
 *	EINVAL	@flags make no sense, @key_lens, @elems, @elem_lens or @room are
 *		not 0 where they should be, or the next key or elem is too long
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

/**
 * struct hmap_next - argument of HMAP_IOC_NEXT
 * @cursor: where the walk is: zeros to begin one; set to where it goes on
 * @buf: where to put &struct hmap_record after &struct hmap_record
 * @len: bytes there are at @buf
 * @flags: 0
 * @used: set to the bytes written to @buf
 * @count: set to the number of records written; 0 at the end of the walk
 *
 * A walk is its cursor and nothing else: there can be any number of them, in
 * any process and through any file that is bound to the map.  A cursor can be
 * kept, copied, and used again.  What it says is only for the kernel to read,
 * and it is good until the module is unloaded.
 *
 * An entry that is in the map from start to end of the walk is given exactly
 * once, one that is deleted before the walk reaches it is not given, and one
 * that is inserted meanwhile may or may not be.
 *
 * As with read(2), what would be an error is told when there is no record to
 * tell of.  A signal ends the call with the records it has.  Where it fails,
 * @count is 0; with EINTR the cursor may have moved on, else it has not.
 *
 * Errors:
 *	EMSGSIZE what comes next does not fit into @len bytes; @used says how
 *		many it needs.  This is one record, unless several keys have the
 *		same 64 bits of hash: those are only given together
 *	ESTALE	the map was cleared since the walk began, or it had become empty
 *		and drew a new seed, or this is not a cursor of the map
 *	EINVAL	this is not a cursor
 */
struct hmap_next {
	__u64 cursor[3];
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

/* hmap_info.access */
#define HMAP_ACCESS_READ	(1U << 0)
#define HMAP_ACCESS_WRITE	(1U << 1)

/* hmap_info.state */
#define HMAP_STATE_GROWING	(1U << 0) /* moving to an array twice the size */
#define HMAP_STATE_SAME_SIZE	(1U << 1) /* moving to one of the same size */
#define HMAP_STATE_UNLINKED	(1U << 2) /* the map had a name and lost it */

/**
 * struct hmap_info - argument of HMAP_IOC_INFO
 * @after: in: for a file that is not bound, tell of the map that has the lowest
 *	@id above this; 0 for a bound file
 * @id: which map this is; never used again
 * @epoch: (R) changes when the map is cleared, or has become empty and draws a
 *	new seed, which ends all walks; of all maps none has the same
 * @count: (R) entries
 * @bytes: (R) memory the map uses
 * @max_entries: (R) most entries it may have, or 0 if there is no limit
 * @max_bytes: (R) most memory it may use
 * @owner_bytes: (R) memory that all maps use that the user made who has made
 *	this one; 0 if the map does not count for it
 * @owner_max_bytes: (R) most that they may use, likewise
 * @growths: (R) times it has doubled
 * @same_size_growths: (R) times it was squeezed into an array of the same size
 * @nevacuate: (R) old buckets below this one have been moved; while growing only
 * @lookups: (R) keys that LOOKUP and LOOKUP_BATCH were called for so far, whether
 *	or not they were there
 * @inserts: (R) likewise INSERT, INSERT_BATCH, and UPDATE but for TAKE
 * @deletes: (R) likewise DELETE, DELETE_BATCH, and UPDATE with TAKE
 * @key_kind: (W) as it was created, like the next three
 * @key_size: (W) bytes in a key
 * @elem_size: (W) bytes in an elem
 * @create_flags: (W) HMAP_CREATE_VAR_ELEM, HMAP_CREATE_MAPPED or 0
 * @mode: lower nine bits of a file mode
 * @uid: owner, in the caller's user namespace
 * @gid: likewise, whom the group bits of the mode apply to
 * @access: HMAP_ACCESS_*
 * @log2_buckets: (R) Go's B
 * @noverflow: (R) overflow buckets; approximate where @log2_buckets is over 15
 * @state: (R) HMAP_STATE_*
 * @holders: (R) files that are bound to it
 * @name: the map's name, or zeros
 *
 * @access says what the file may do with the map; where it is not bound, what
 * it might if it were bound to it.  Fields marked R are told if that is to read,
 * those marked W if it is to read or to write, and else are 0.
 * @lookups, @inserts and @deletes are kept as longs of the kernel, which may
 * have 32 bits only, and wrap round.
 *
 * With @after, a file that is not bound can list the maps there are: those that
 * have names, and of the others those of the caller, or all with
 * CAP_DAC_OVERRIDE.
 *
 * Errors:
 *	EINVAL	the file is bound and @after is not 0
 *	ENOENT	the file is not bound and there is no map above @after
 *	EACCES	the file is open neither for reading nor for writing
 */
struct hmap_info {
	__u64 after;
	__u64 id;
	__u64 epoch;
	__u64 count;
	__u64 bytes;
	__u64 max_entries;
	__u64 max_bytes;
	__u64 owner_bytes;
	__u64 owner_max_bytes;
	__u64 growths;
	__u64 same_size_growths;
	__u64 nevacuate;
	__u64 lookups;
	__u64 inserts;
	__u64 deletes;
	__u32 key_kind;
	__u32 key_size;
	__u32 elem_size;
	__u32 create_flags;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 access;
	__u32 log2_buckets;
	__u32 noverflow;
	__u32 state;
	__u32 holders;
	char name[HMAP_NAME_LEN];
};

#define HMAP_EXPLAIN_CHAIN	128	/* most buckets in a chain */

/* hmap_explain.flags */
#define HMAP_EXPLAIN_BUCKETS	(1U << 0) /* there is an array */
#define HMAP_EXPLAIN_OLDBUCKETS	(1U << 1) /* there is an old one, too */
#define HMAP_EXPLAIN_IN_OLD	(1U << 2) /* the bucket is still in the old one */
#define HMAP_EXPLAIN_FOUND	(1U << 3) /* the key is there */
#define HMAP_EXPLAIN_CHAINS	(1U << 4) /* INSERT chains an overflow bucket */
#define HMAP_EXPLAIN_DOUBLES	(1U << 5) /* INSERT has the map grow before */
#define HMAP_EXPLAIN_SAME_SIZE	(1U << 6) /* the same, but to the same size */
#define HMAP_EXPLAIN_FILTERED	(1U << 7) /* the filter: it is not in the chain */

/**
 * struct hmap_explain - argument of HMAP_IOC_EXPLAIN
 * @key: address of the key
 * @chain: where to put eight bytes for each bucket of the chain: what its slots
 *	have as tophash
 * @bucket: set to the lowest @log2_buckets bits of the key's hash
 * @key_len: bytes in the key; the map's key_size unless keys are strings
 * @room: buckets there is room for at @chain
 * @flags: set to HMAP_EXPLAIN_*
 * @log2_buckets: set to Go's B
 * @log2_oldbuckets: set to the same for the old array, if there is one
 * @top: set to the highest eight bits of the key's hash
 * @length: set to the number of buckets in the chain, which begins with bucket
 *	@bucket of the array, or where IN_OLD is set, with the one of the old
 *	array whose number are the lowest @log2_oldbuckets bits of @bucket
 * @at: set to the number in the chain of the bucket where a lookup ends
 * @slot: (FOUND) set to the key's slot there
 * @insert_at: set to the number in its chain of the bucket into which INSERT puts
 *	the key, or @length if it chains one; if IN_OLD is set, in the chain of
 *	the new array, to which it first moves the old bucket's entries
 * @insert_slot: set to the slot there
 * @reserved: 0
 *
 * Tells how a lookup of the key goes, and where an INSERT would put it.
 *
 * A tophash is 0 where the slot is empty and so are all behind it; 1 where it is
 * empty; else the top eight bits of the hash of the key there, plus 5 where they
 * are below 5.  If it is that of the key, the key is compared.
 *
 * Where INSERT makes the first array, no flag is set.
 *
 * This is for who has CAP_SYS_ADMIN.  The module's parameter "explain" can allow
 * it to the owner of the map, too, or forbid it.
 *
 * Errors:
 *	EINVAL	@key_len does not fit the map
 *	EPERM	the caller may not know
 */
struct hmap_explain {
	__u64 key;
	__u64 chain;
	__u64 bucket;
	__u32 key_len;
	__u32 room;
	__u32 flags;
	__u32 log2_buckets;
	__u32 log2_oldbuckets;
	__u32 top;
	__u32 length;
	__u32 at;
	__u32 slot;
	__u32 insert_at;
	__u32 insert_slot;
	__u32 reserved;
};

/* === Reading a mapped map where it lies === */

#define HMAP_CONTROL_MAGIC	0x50414d48	/* "HMAP" on a little-endian machine */
#define HMAP_CONTROL_VERSION	1

/**
 * struct hmap_control_array - an array of a mapped map
 * @offset: where in the file it is; no other array ever is there
 * @bytes: how much there is to be mapped; 0: there is no such array, and what
 *	else is said of it is 0
 * @overflow: offset from the array's start of its overflow pages
 * @spare: overflow buckets that lie behind the others, before @overflow
 * @hash0: the seed
 * @log2_buckets: Go's B
 * @reserved: 0
 *
 * @offset, @bytes and @overflow are multiples of the size of a page.
 */
struct hmap_control_array {
	__u64 offset;
	__u64 bytes;
	__u64 overflow;
	__u64 spare;
	__u32 hash0;
	__u32 log2_buckets;
	__u64 reserved;
};

/**
 * struct hmap_control - the control page of a mapped map
 * @magic: HMAP_CONTROL_MAGIC
 * @version: HMAP_CONTROL_VERSION; where it is another, use the ioctls
 * @key_kind: HMAP_KIND_*
 * @key_size: bytes in a key; the most it may have, if it is a string
 * @elem_size: bytes in an elem
 * @key_slot: bytes a key takes in a bucket
 * @elem_slot: bytes an elem takes in a bucket
 * @keys: offset of the keys in a bucket
 * @elems: offset of the elems in a bucket
 * @link: offset of the link in a bucket
 * @stride: bytes from one bucket to the next
 * @per_page: buckets in an overflow page
 * @secret: what hashes depend on besides the seed; this map's only
 * @unused: 0
 * @generation: another one when what follows has changed; odd while it changes
 * @reserved: 0
 * @present: the array that the map is in
 * @old: the one that it is being moved from
 *
 * What comes before @generation stays as it is.  The page is filled up with
 * zeros, and holds no address of the kernel's, nor do the others.
 *
 * The page is at offset 0 of a file that is bound to the map and open for
 * reading, and the arrays are at offsets that it tells; all can be mapped with
 * mmap(2), in parts or whole, also when an array is no longer there.  A file keeps
 * that right, as it keeps that to look up, when the map's mode changes.  The mapping
 * can neither be written to nor executed, and keeps the map as an open file does,
 * but no memory of an array that was replaced.  It is inherited by fork(2).  There
 * is no SIGBUS: where there is no array any more, or not yet an overflow page, each
 * byte reads as 3, which is a bucket that is locked and evacuated.  mmap(2) fails
 * with
 *	EBADFD	the file is not bound to a map
 *	ENODEV	the map is not a mapped one, or the processor's data cache would
 *		hide from a reader what the kernel writes
 *	EACCES	the file is not open for reading, or PROT_WRITE or PROT_EXEC
 *		was given
 *
 * Bucket i of an array is @stride * i bytes behind its start, and is there for
 * each i below 2^B + @spare.  All integers are in native byte order.  It is
 *
 *	offset	bytes
 *	0	4	sequence: odd while the bucket or its chain is written to
 *	4	4	filter: bit (tophash % 32) is set for each tophash in the chain
 *			behind this bucket; bits may be set for no tophash there
 *	8	8	tophash, one of each slot
 *	@keys	8 * @key_slot	keys
 *	@elems	8 * @elem_slot	elems
 *	@link	4	link: 0 if this bucket is the last of its chain, or n
 *
 * and is filled up with zeros.  A link n leads to bucket 2^B + n - 1 of the array
 * where n is not above @spare, else to bucket m % @per_page of overflow page
 * m / @per_page, m being n - 1 - @spare.  Sequence and filter count in the first
 * bucket of a chain only.
 *
 * A tophash is 0 where the slot is empty and so are all behind it, in this bucket
 * and the rest of the chain; 1 where it is empty; 2, 3 or 4 where the slot has
 * been evacuated; else the slot is in use.  A key that is a string takes its bytes
 * from the start of its slot, zeros, and in the last byte of the slot its length;
 * any other key has @key_size bytes, as does an elem @elem_size.  Slots that are
 * not in use are filled with zeros.
 *
 * The hash of a key has 64 bits.  Let mix(a, b) be the product of 128 bits, its
 * upper half XOR its lower one; s[] be @secret; and n be the bytes in the key.
 * A key of HMAP_KIND_U32 or _U64 has the hash
 *
 *	mix(mix(key ^ s[0] ^ hash0, s[1]) ^ hash0, s[2])
 *
 * For any other, h is s[0] ^ hash0 at first.  While more than 16 bytes are left,
 * the next 16 are taken as two u64, x and y, and h becomes
 *
 *	mix(x ^ s[1], y ^ h)
 *
 * Of the r bytes that are then left, x and y are the first and the last eight if
 * there are eight or more, else the first and the last four if there are four or
 * more; these may overlap.  If there are fewer, but any, x is the first of them
 * and y is 256 times the one at r / 2, counted from 0, plus the last.  Else x and
 * y are 0.  The hash is
 *
 *	mix(mix(x ^ s[1], y ^ h), s[2] ^ (2 * n))
 *
 * The lowest B bits of the hash pick the bucket.  Its highest eight are the
 * tophash, plus 5 if that is below 5.
 *
 * To look up a key:
 *
 * 1. Load @generation with acquire semantics.  If it is odd, try again, or use
 *    the ioctl.  If it is not the one that you know the arrays by, read what
 *    follows it, have an acquire fence (smp_rmb(), C's
 *    atomic_thread_fence(memory_order_acquire)), load it again, and begin again
 *    if it has changed; then map the arrays.  Mappings of others can go.
 * 2. If there is an old array, look into it as below, and if that says "moved",
 *    or else if there is none, into the present one.  If that says "moved", too,
 *    begin again.  If there is no present array, the key is not there.
 *
 * To look into an array:
 *
 * 1. Load the sequence of the key's bucket with acquire semantics.
 * 2. Load its tophash.  If the first is 2, 3 or 4, go to 3.  Look at the key of each
 *    slot that has the tophash of your hash, and if it is equal, copy the elem.  If
 *    there is none, go on as long as there is no tophash of 0, the filter has the
 *    bit, and there is a link; if a link leads out of the array, or to a bucket one
 *    tophash of which is 2, 3 or 4, begin again.  No more than 128 buckets are in a
 *    chain.
 * 3. Have an acquire fence, and load the sequence again.  If it was odd or has
 *    changed, nothing that was read counts: begin again.  Else, if the bucket's
 *    first tophash is 2, 3 or 4, the answer is "moved".
 *
 * Where a sequence is odd, see to it that @generation is looked at again.  A
 * writer that is not running may hold it for long, so after a few tries use the
 * ioctl, which waits for it.
 *
 * A 64-bit kernel's readers that load all eight tophashes at once may leave out
 * the third step if they show neither the key's, nor 2, 3 or 4 in the first, but a
 * 0; or, in place of the 0, if the filter lacks the bit, and was loaded before the
 * tophashes with acquire semantics.
 *
 * Such a lookup is ordered with all other calls on the map as the ioctl is.  What
 * the kernel does is: it makes a sequence odd, changes the bucket or its chain, and
 * makes it even again, each in sight before the next.  It makes @generation odd,
 * and changes it to even again, around the one store that replaces an array
 * (a growth, HMAP_IOC_CLEAR) and around the change of a seed (of an empty map).  A
 * bucket of the old array is the true one for its keys until its first tophash
 * becomes 2, 3 or 4, which it does when all of the chain has been copied to
 * the present array; and all buckets of an array have that before the memory
 * behind its mapping is taken away.  Closing and unlinking change nothing.
 *
 * Who may read a mapped map sees @secret and @hash0, and can so pick keys that
 * all fall into one bucket of this map, up to 1024 of them, where lookups and
 * writes then go along a chain of 128 buckets.  A map whose readers are to be kept
 * from that, or from other's reading times, is not to be a mapped one.
 */
struct hmap_control {
	__u32 magic;
	__u32 version;
	__u32 key_kind;
	__u32 key_size;
	__u32 elem_size;
	__u32 key_slot;
	__u32 elem_slot;
	__u32 keys;
	__u32 elems;
	__u32 link;
	__u32 stride;
	__u32 per_page;
	__u64 secret[3];
	__u64 unused[7];
	__u32 generation;
	__u32 reserved;
	struct hmap_control_array present;
	struct hmap_control_array old;
};

#define HMAP_IOC_CREATE		_IOWR(0xBA, 0x00, struct hmap_create)
#define HMAP_IOC_OPEN		_IOWR(0xBA, 0x01, struct hmap_open)
#define HMAP_IOC_UNLINK		_IOWR(0xBA, 0x02, struct hmap_unlink)
#define HMAP_IOC_INSERT		_IOWR(0xBA, 0x03, struct hmap_entry)
#define HMAP_IOC_LOOKUP		_IOWR(0xBA, 0x04, struct hmap_entry)
#define HMAP_IOC_DELETE		_IOWR(0xBA, 0x05, struct hmap_entry)
#define HMAP_IOC_NEXT		_IOWR(0xBA, 0x06, struct hmap_next)
#define HMAP_IOC_CLEAR		_IOWR(0xBA, 0x07, struct hmap_clear)
#define HMAP_IOC_INFO		_IOWR(0xBA, 0x08, struct hmap_info)
#define HMAP_IOC_UPDATE		_IOWR(0xBA, 0x09, struct hmap_update)
#define HMAP_IOC_INSERT_BATCH	_IOWR(0xBA, 0x0a, struct hmap_batch)
#define HMAP_IOC_LOOKUP_BATCH	_IOWR(0xBA, 0x0b, struct hmap_batch)
#define HMAP_IOC_DELETE_BATCH	_IOWR(0xBA, 0x0c, struct hmap_batch)
#define HMAP_IOC_SET		_IOWR(0xBA, 0x0d, struct hmap_set)
#define HMAP_IOC_EXPLAIN	_IOWR(0xBA, 0x0e, struct hmap_explain)

#endif /* _UAPI_LINUX_HMAP_H */
