/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hmap: the bucketed hash table behind Go's map, for the kernel.
 *
 * This is the whole in-kernel API; typed.h makes functions for C types of it.
 * A map has one key type and one elem type, fixed when it is made; it grows by
 * itself and may be used from any number of CPUs at once.
 *
 * Keys and elems are passed by address.  For a key of kind HMAP_KEY_STRING,
 * and for an elem of a map made with HMAP_VAR_ELEM, what is passed is the
 * address of a &struct hmap_bytes, as Go passes a string header.
 */
#ifndef _HMAP_H
#define _HMAP_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/types.h>

/* Limits of what a map can hold, in bytes. */
#define HMAP_MAX_KEY_SIZE	512	/* HMAP_KEY_BYTES */
#define HMAP_MAX_STRING_LEN	4096	/* HMAP_KEY_STRING */
#define HMAP_MAX_ELEM_SIZE	65536

#define HMAP_NAME_SIZE	64	/* bytes of a name, with its NUL */

/**
 * enum hmap_key_kind - what the keys of a map are
 * @HMAP_KEY_U32: a u32 in native byte order
 * @HMAP_KEY_U64: a u64 in native byte order
 * @HMAP_KEY_BYTES: 1 to HMAP_MAX_KEY_SIZE bytes, the same number for all keys
 * @HMAP_KEY_STRING: 0 to HMAP_MAX_STRING_LEN bytes of any value
 * @HMAP_NR_KEY_KINDS: how many kinds there are
 */
enum hmap_key_kind {
	HMAP_KEY_U32,
	HMAP_KEY_U64,
	HMAP_KEY_BYTES,
	HMAP_KEY_STRING,
	HMAP_NR_KEY_KINDS,
};

/**
 * struct hmap_bytes - a run of bytes and its length
 * @data: the bytes; may be NULL when @len is 0
 * @len: how many
 */
struct hmap_bytes {
	const void *data;
	u32 len;
};

/**
 * struct hmap_pool - a limit of memory that several maps share
 * @bytes: memory in use
 * @max_bytes: how much that may be
 * @put: called for each map that was made with this pool, when it needs it no
 *	longer: from hmap_destroy() or later, in process context; hmap_barrier()
 *	waits for that
 * @dying: private, and 0 to begin with
 */
struct hmap_pool {
	atomic_long_t bytes;
	unsigned long max_bytes;
	void (*put)(struct hmap_pool *pool);
	atomic_t dying;
};

/* &hmap_params.flags */
#define HMAP_VAR_ELEM	BIT(0)	/* elems are 0 to elem_size bytes each */
#define HMAP_ACCOUNT	BIT(1)	/* charge memory to the caller's cgroup */
#define HMAP_SIPHASH	BIT(2)	/* hash by SipHash-2-4, which takes longer */
#define HMAP_MAPPED	BIT(3)	/* made to be read where it lies */

/**
 * struct hmap_shown - an array of a mapped map
 * @page: the first of its pages
 * @pages: how many there are; 0 for no array
 * @overflow: the first of them that is an overflow page
 * @nr_spare: overflow buckets that lie behind the others, before that page
 * @hash0: the seed
 * @B: log_2 of the number of buckets
 */
struct hmap_shown {
	u64 page;
	u64 pages;
	u64 overflow;
	u64 nr_spare;
	u32 hash0;
	u8 B;
};

/**
 * struct hmap_mapping - who shows the pages of a mapped map to others
 * @control: page 0, for the owner to write to; set by hmap_create()
 * @change: called before the arrays or the seed change, under a raw lock
 * @changed: called with what they are then, under the same lock
 * @unmap: called when nobody may see these pages any more, before they are
 *	freed; may sleep
 *
 * The pages of a map have numbers: 0 is the control page, and what the others
 * were once, no other will be.  hmap_mapping_get() tells which memory it is.
 */
struct hmap_mapping {
	void *control;
	void (*change)(struct hmap_mapping *mapping);
	void (*changed)(struct hmap_mapping *mapping,
			const struct hmap_shown *present,
			const struct hmap_shown *old);
	void (*unmap)(struct hmap_mapping *mapping, u64 page, u64 pages);
};

/**
 * struct hmap_params - what hmap_create() is to make
 * @key_kind: what the keys are
 * @key_size: bytes in a key; 4 and 8 for the integer kinds, 0 for strings, but
 *	for HMAP_MAPPED: the most a string may have
 * @elem_size: bytes in an elem, 0 for a set; the most an elem may have for
 *	HMAP_VAR_ELEM
 * @flags: HMAP_VAR_ELEM, HMAP_ACCOUNT, HMAP_SIPHASH, HMAP_MAPPED; the last
 *	goes with neither the first nor the third
 * @hint: entries to make room for; 0 allocates nothing until the first insert
 * @max_entries: entries the map may hold; 0 for no limit
 * @max_bytes: memory the map may use, in bytes; 0 for no limit
 * @pool: a limit it shares with other maps, or NULL
 * @mapping: (HMAP_MAPPED) who shows its pages to others, until hmap_destroy()
 *	returns; or NULL
 * @name: what tracepoints call it, or NULL; cut off where it is too long
 * @hasher: hash to use in place of the built-in one, or NULL.  For tests: a
 *	map with predictable hashes is open to attack.  Called with the bytes
 *	of the key, their number, and the map's seed, under a raw spinlock.
 */
struct hmap_params {
	enum hmap_key_kind key_kind;
	u32 key_size;
	u32 elem_size;
	u32 flags;
	unsigned long hint;
	unsigned long max_entries;
	unsigned long max_bytes;
	struct hmap_pool *pool;
	struct hmap_mapping *mapping;
	const char *name;
	u64 (*hasher)(const void *key, size_t len, u32 hash0);
};

/**
 * enum hmap_mode - when hmap_insert() is to store
 * @HMAP_ANY: whether or not the key is there
 * @HMAP_NOEXIST: only if the key is absent
 * @HMAP_EXIST: only if the key is present
 */
enum hmap_mode {
	HMAP_ANY,
	HMAP_NOEXIST,
	HMAP_EXIST,
};

struct bmap;
struct hmap;
struct hmap_block;

/**
 * enum hmap_what - what hmap_update() is to do
 * @HMAP_STORE: store an elem where &hmap_op.mode allows it
 * @HMAP_CMPXCHG: store an elem if the present one is as expected
 * @HMAP_ADD: add to an elem that is a u32 or a u64; the sum wraps round, and
 *	where &hmap_op.mode is HMAP_ANY, a key that is not there counts as 0
 * @HMAP_TAKE: take the entry out
 */
enum hmap_what {
	HMAP_STORE,
	HMAP_CMPXCHG,
	HMAP_ADD,
	HMAP_TAKE,
};

/**
 * struct hmap_op - an update of an entry
 * @what: what to do
 * @mode: (HMAP_STORE, HMAP_ADD) whether the key has to be absent or present
 * @key: the key
 * @elem: the elem to store or add
 * @expect: (HMAP_CMPXCHG) what the elem is expected to be, byte for byte
 * @old: where to put the elem that was there, also if it stays; or NULL
 * @old_len: bytes there are at @old; set to the bytes that elem had
 * @gfp: how to allocate what is needed
 * @present: set if the key was there
 *
 * The other members are private, and 0 to begin with; an op can be used again.
 */
struct hmap_op {
	enum hmap_what what;
	enum hmap_mode mode;
	const void *key;
	const void *elem;
	const void *expect;
	void *old;
	u32 old_len;
	gfp_t gfp;
	bool present;
	/* private: */
	bool grow_later;		/* the work item is to make the array */
	bool no_memory;			/* for the evacuation of the bucket */
	struct hmap_block *seen;	/* to be copied to old */
	/* Memory the map takes over if it needs it. */
	struct hmap_block *key_block;
	struct hmap_block *elem_block;
	struct bmap *overflow;
	/* What the map no longer refers to. */
	struct hmap_block *old_key;
	struct hmap_block *old_elem;
};

struct hmap *hmap_create(const struct hmap_params *params);
void hmap_destroy(struct hmap *h);
void hmap_barrier(void);

int hmap_lookup(struct hmap *h, const void *key, void *elem);
void hmap_prefetch(struct hmap *h, const void *keys, size_t stride,
		   unsigned int n);
int hmap_insert(struct hmap *h, const void *key, const void *elem,
		enum hmap_mode mode, gfp_t gfp);
int hmap_delete(struct hmap *h, const void *key);
int hmap_clear(struct hmap *h);
unsigned long hmap_len(const struct hmap *h);
u64 hmap_id(const struct hmap *h);
void hmap_rename(struct hmap *h, const char *name);
void hmap_set_limits(struct hmap *h, unsigned long max_entries,
		     unsigned long max_bytes);

int hmap_update(struct hmap *h, struct hmap_op *op);
int hmap_take(struct hmap *h, const void *key, void *elem);
int hmap_xchg(struct hmap *h, const void *key, const void *elem, void *old,
	      gfp_t gfp);
int hmap_cmpxchg(struct hmap *h, const void *key, const void *old,
		 const void *elem, gfp_t gfp);
int hmap_fetch_add(struct hmap *h, const void *key, u64 delta, u64 *old);

/**
 * struct hmap_held - an elem kept from being freed
 * @data: the elem's bytes
 * @len: how many
 * @block: private
 */
struct hmap_held {
	const void *data;
	u32 len;
	struct hmap_block *block;
};

int hmap_hold(struct hmap *h, const void *key, struct hmap_held *held);
void hmap_release(struct hmap_held *held);

/**
 * struct hmap_cursor - a place in a walk
 * @epoch: the map's when the walk began; 0 for a walk that is yet to begin
 * @start: the bucket it began at, and how many there were
 * @next: bit-reversed hash from which on entries are still to be given
 *
 * The map keeps nothing of a walk that is not under way, so there can be any
 * number of cursors, and one that is not used any more is just forgotten.
 */
struct hmap_cursor {
	u64 epoch;
	u64 start;
	u64 next;
};

/**
 * struct hmap_iter - a walk over a map
 * @key: bytes of the present key, valid until the next call on the iterator
 * @elem: bytes of the present elem, likewise; both are aligned as a type of
 *	their size may want
 * @key_len: bytes in @key
 * @elem_len: bytes in @elem
 * @last: no other entry with the same hash is still to be given
 * @cursor: where another walk can go on; after hmap_iter_next() returned 1,
 *	only if @last is set.  Only for a walk that was begun from a cursor
 *
 * The other members are private.
 */
struct hmap_iter {
	const void *key;
	const void *elem;
	u32 key_len;
	u32 elem_len;
	bool last;
	struct hmap_cursor cursor;
	/* private: */
	struct hmap *h;
	u64 epoch;
	unsigned long start;	/* bucket the walk began at, of 2^B */
	unsigned long bucket;	/* bucket it is at */
	u64 rest;		/* and from which bit-reversed hash on there */
	u8 B;
	bool sorted;		/* begun from a cursor */
	bool inlined;		/* nothing is stored by pointer */
	bool fixed;		/* nor does anything vary in length */
	bool done;
	unsigned int buckets;	/* passed so far */
	/* The bucket that was copied last. */
	unsigned long serial;	/* of its array; while that stands, so does */
	struct bmap *head;
	u32 seq;		/* of its guard when it was copied */
	u32 hash0;
	bool part;		/* only these places of it are to be given: */
	u64 part_first;
	u64 part_last;
	void *copy;		/* of the chain */
	unsigned int room;	/* buckets there is room for in the copy */
	unsigned int nr;	/* buckets in it */
	unsigned int next;	/* the next of those, or of .order */
	struct bmap *from;	/* the present one, in the copy */
	u64 left;		/* slots of it to give, as tophash_match() */
	struct hmap_iter_order *order;	/* of a sorted walk */
	unsigned int nr_order;
	void *elem_buf;
	struct hmap_held held;
};

int hmap_iter_init(struct hmap_iter *it, struct hmap *h,
		   const struct hmap_cursor *from);
int hmap_iter_next(struct hmap_iter *it);
void hmap_iter_exit(struct hmap_iter *it);

/**
 * struct hmap_header - what a map's header says at one moment
 * @count: entries
 * @flags: enum hmap_flags
 * @B: log_2 of the number of buckets
 * @noverflow: overflow buckets; approximate from @B = 16 on
 * @hash0: the seed; not for unprivileged eyes
 * @epoch: another one after each clear, and each new seed
 * @buckets: whether there is a bucket array
 * @oldbuckets: whether there is an old one, that is, a growth is under way
 * @nevacuate: old buckets that were evacuated in sequence
 * @overflow: overflow buckets from the slab cache that hang on @buckets
 * @oldoverflow: likewise on @oldbuckets
 * @next_overflow: spare overflow buckets handed out so far
 * @nr_spare: spare overflow buckets there were
 * @old_B: log_2 of the number of old buckets
 * @growths: doublings so far
 * @same_size_growths: same-size growths so far
 * @bytes: memory the map uses now
 * @key_kind: enum hmap_key_kind
 * @key_size: bytes in a key
 * @elem_size: bytes in an elem
 * @param_flags: &hmap_params.flags
 * @bucket_size: bytes in a bucket
 * @max_entries: limit on @count, or 0
 * @max_bytes: limit on @bytes, or 0
 */
struct hmap_header {
	unsigned long count;
	u8 flags;
	u8 B;
	u32 noverflow;
	u32 hash0;
	u64 epoch;
	bool buckets;
	bool oldbuckets;
	unsigned long nevacuate;
	unsigned long overflow;
	unsigned long oldoverflow;
	unsigned long next_overflow;
	unsigned long nr_spare;
	u8 old_B;
	unsigned long growths;
	unsigned long same_size_growths;
	unsigned long bytes;
	enum hmap_key_kind key_kind;
	u32 key_size;
	u32 elem_size;
	u32 param_flags;
	u32 bucket_size;
	unsigned long max_entries;
	unsigned long max_bytes;
};

/**
 * enum hmap_flags - &hmap_header.flags, as in Go
 * @HMAP_ITERATOR: there may be an iterator using buckets
 * @HMAP_OLD_ITERATOR: there may be an iterator using oldbuckets
 * @HMAP_HASH_WRITING: a CPU is writing to the map
 * @HMAP_SAME_SIZE_GROW: the growth under way is to an array of the same size
 */
enum hmap_flags {
	HMAP_ITERATOR		= 1,
	HMAP_OLD_ITERATOR	= 2,
	HMAP_HASH_WRITING	= 4,
	HMAP_SAME_SIZE_GROW	= 8,
};

#define HMAP_WALK_CHAIN	128	/* no chain has more buckets */

/**
 * enum hmap_grows - whether an insert starts a growth
 * @HMAP_GROWS_NOT: it does not
 * @HMAP_GROWS_DOUBLE: to twice the size
 * @HMAP_GROWS_SAME_SIZE: to the same size
 */
enum hmap_grows {
	HMAP_GROWS_NOT,
	HMAP_GROWS_DOUBLE,
	HMAP_GROWS_SAME_SIZE,
};

/**
 * struct hmap_walk - the way that a lookup of a key goes
 * @buckets: there is an array; if not, nothing else is told
 * @oldbuckets: there is an old one, too
 * @in_old: the chain is one of the old array: its bucket is not evacuated yet
 * @found: the key is there
 * @filtered: the filter beside the bucket says that it is not behind it
 * @chains: an insert of it would chain an overflow bucket
 * @B: log_2 of the number of buckets
 * @old_B: the same for the old array
 * @top: the top eight bits of the hash
 * @tophash: what stands for them in a slot
 * @bucket: the low @B bits of the hash
 * @length: buckets in the chain
 * @at: number in the chain of the bucket where the lookup ends
 * @slot: where in that the key is
 * @insert_at: number of the bucket that an insert puts the key in; in the chain
 *	of the new array, once the old bucket has been moved there
 * @insert_slot: and its slot
 * @grows: what an insert would start, before that
 * @chain: the tophash bytes of each bucket in the chain, slot 0 the lowest
 */
struct hmap_walk {
	bool buckets;
	bool oldbuckets;
	bool in_old;
	bool found;
	bool filtered;
	bool chains;
	u8 B;
	u8 old_B;
	u8 top;
	u8 tophash;
	unsigned long bucket;
	unsigned int length;
	unsigned int at;
	unsigned int slot;
	unsigned int insert_at;
	unsigned int insert_slot;
	enum hmap_grows grows;
	u64 chain[HMAP_WALK_CHAIN];
};

void hmap_explain(struct hmap *h, const void *key, struct hmap_walk *w);
void hmap_read_header(struct hmap *h, struct hmap_header *hdr);

/**
 * struct hmap_layout - how the buckets of a mapped map are laid out
 * @key_slot: bytes a key takes
 * @elem_slot: bytes an elem takes
 * @keys: offset of the keys in a bucket, its guard included
 * @elems: offset of the elems
 * @link: offset of the number of the next bucket of the chain
 * @stride: bytes from one bucket to the next
 * @per_page: buckets in an overflow page
 * @secret: what hashes depend on
 */
struct hmap_layout {
	u32 key_slot;
	u32 elem_slot;
	u32 keys;
	u32 elems;
	u32 link;
	u32 stride;
	u32 per_page;
	const u64 *secret;
};

void hmap_mapping_layout(const struct hmap *h, struct hmap_layout *layout);
unsigned long hmap_mapping_get(struct hmap *h, u64 page);
void hmap_mapping_put(struct hmap *h);
int hmap_read_chain(struct hmap *h, bool old, u64 bucket, u64 *tophash,
		    unsigned int room);

#endif /* _HMAP_H */
