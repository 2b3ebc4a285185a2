// SPDX-License-Identifier: GPL-2.0
/*
 * Views: lookups in maps that are mapped.
 *
 * Arrays come and go as a map grows and is cleared, and so do their mappings;
 * but other threads may be reading.  So nothing that was mapped is unmapped until
 * the view is closed.  There are two places for arrays of each size, which are
 * enough for the present and the old one, and an array that comes is put where one
 * was that is gone.  Who reads there meanwhile reads something wrong, within
 * bounds, and finds out by the view's generation.  As sizes double, all places
 * together are no more than four times as large as the largest.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hmap.h"
#include "hmap_view.h"

#define TRIES		8	/* before the ioctl, which can wait */
#define CHAIN_MAX	128	/* buckets behind the first */
#define AHEAD		16	/* keys of a batch whose buckets are fetched */
#define SIZES		64	/* for log2_buckets */

#define NOWHERE		1	/* no array is at such an offset */

/*
 * Where an array is mapped.  Once @is.buckets is set only @offset changes, under
 * the view's lock.
 */
struct place {
	struct hmap_view_array is;
	__u64 offset;		/* in the file, of the array that is there */
	__u64 bytes;
	__u64 overflow;
	__u64 spare;
};

struct view {
	struct hmap_view hot;	/* first */
	const struct place *present;	/* by hot.generation; NULL for none */
	const struct place *old;	/* likewise */
	struct hmap_view_array empty;	/* a bucket for want of a present one */
	struct place places[SIZES][2];
	pid_t locked_by;		/* process, or 0 */
	int fd;
	__u32 shape;			/* 0 if the map is not mapped */
	__u32 key_size;
	__u32 elem_size;
	__u32 key_slot;
	__u32 stride;
	__u32 per_page;
	__u32 page_size;
	__u8 kind;
};

static struct view *view_of(struct hmap_view *v)
{
	return (struct view *)v;
}

/* === Following the map === */

static const struct place *find_place(struct view *v,
				      const struct hmap_control_array *array)
{
	struct place *places;
	int i;

	if (!array->bytes || array->log2_buckets >= SIZES)
		return NULL;
	places = v->places[array->log2_buckets];
	for (i = 0; i < 2; i++)
		if (places[i].is.buckets && places[i].offset == array->offset)
			return &places[i];
	return NULL;
}

/* Have in a place what is mapped at @from; returns whether it is there now. */
static bool move_to(struct place *place, void *from)
{
	void *to = (void *)place->is.buckets;
	size_t bytes = place->bytes;

	place->offset = NOWHERE;
	if (mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to)
		return true;
	/* Others may be reading there, and are not to find nothing. */
	mmap(to, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
	     0);
	munmap(from, bytes);
	return false;
}

/* Map an array at a place that is not @taken. */
static const struct place *map_array(struct view *v,
				     const struct hmap_control_array *array,
				     const struct place *taken)
{
	struct place *place;
	void *at;

	if (array->log2_buckets >= SIZES || array->bytes > SIZE_MAX)
		return NULL;
	place = &v->places[array->log2_buckets][0];
	if (place == taken)
		place++;
	at = mmap(NULL, array->bytes, PROT_READ, MAP_SHARED, v->fd,
		  array->offset);
	if (at == MAP_FAILED)
		return NULL;
	if (!place->is.buckets) {
		*place = (struct place) {
			.is.shape = v->shape,
			.is.mask = ((size_t)1 << array->log2_buckets) - 1,
			.bytes = array->bytes,
			.overflow = array->overflow,
			.spare = array->spare,
		};
		/* Last, as a child may be forked at any moment. */
		__atomic_store_n(&place->is.buckets, at, __ATOMIC_RELEASE);
	} else if (place->bytes != array->bytes ||
		   place->overflow != array->overflow ||
		   place->spare != array->spare) {
		munmap(at, array->bytes);
		return NULL;
	} else if (!move_to(place, at)) {
		return NULL;
	}
	place->offset = array->offset;
	return place;
}

/* Returns whether these are of one generation, and of which. */
static bool read_arrays(const struct hmap_control *c, __u32 *generation,
			struct hmap_control_array *present,
			struct hmap_control_array *old)
{
	*generation = __atomic_load_n(&c->generation, __ATOMIC_ACQUIRE);
	hmap_view_copy(present, (const char *)&c->present, sizeof(*present));
	hmap_view_copy(old, (const char *)&c->old, sizeof(*old));
	hmap_view_fence();
	return !(*generation & 1) &&
	       __atomic_load_n(&c->generation, __ATOMIC_RELAXED) == *generation;
}

/* What a map without an array looks like: a bucket without entries. */
static const __u64 nothing[512] __attribute__((aligned(64)));

/* While there is an old array, or none is known */
static const struct hmap_view_array unreadable;

static const struct hmap_view_array *readable(const struct view *v)
{
	return v->old ? &unreadable : v->present ? &v->present->is : &v->empty;
}

/* Have the arrays mapped that the map has now; returns whether they are. */
static bool map_arrays(struct view *v, __u32 *generation)
{
	struct hmap_control_array present, old;
	const struct place *p, *o;

	if (!read_arrays(v->hot.control, generation, &present, &old))
		return false;
	p = find_place(v, &present);
	o = find_place(v, &old);
	if (!o && old.bytes)
		o = map_array(v, &old, p);
	if (!p && present.bytes)
		p = map_array(v, &present, o);
	if ((present.bytes && !p) || (old.bytes && !o))
		return false;
	__atomic_store_n(&v->present, p, __ATOMIC_RELEASE);
	__atomic_store_n(&v->old, o, __ATOMIC_RELEASE);
	__atomic_store_n(&v->hot.array, readable(v), __ATOMIC_RELEASE);
	__atomic_store_n(&v->hot.hash0, present.hash0, __ATOMIC_RELAXED);
	return true;
}

/*
 * Who does not get the lock does without.  After a fork it may be held by a
 * thread that the child does not have, at any point of what it does.
 */
static bool trylock(struct view *v)
{
	pid_t self = getpid(), owner = 0;

	while (!__atomic_compare_exchange_n(&v->locked_by, &owner, self, false,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		if (owner == self)
			return false;
	return true;
}

/* A generation that the map will not have for long: odd, and far away. */
static __u32 no_generation(const struct view *v)
{
	return (hmap_view_load4(&v->hot.control->generation) + (1U << 31)) | 1;
}

/* Follow the map; returns whether the view is as the map was just now. */
static bool refresh(struct view *v)
{
	__u32 generation;
	bool done;

	if (!trylock(v))
		return false;
	/* A child that is forked from here on finds it so, and refreshes itself. */
	__atomic_store_n(&v->hot.generation, no_generation(v),
			 __ATOMIC_RELAXED);
	/* Before all that follows, mappings among it. */
	__sync_synchronize();
	done = map_arrays(v, &generation);
	if (done)
		__atomic_store_n(&v->hot.generation, generation,
				 __ATOMIC_RELEASE);
	__atomic_store_n(&v->locked_by, 0, __ATOMIC_RELEASE);
	return done;
}

/* === Lookup === */

static bool is_current(const struct view *v)
{
	return hmap_view_is_current(&v->hot, hmap_view_generation(&v->hot));
}

static bool is_moved(__u64 word)
{
	return (word & 0xff) - 2 < 3;
}

/* The bucket that a link leads to, or NULL if it leads nowhere. */
static inline const char *follow(const struct view *v,
				 const struct place *place, __u32 link)
{
	__u64 n = link - 1, at;

	if (!link)
		return NULL;
	if (n < place->spare)
		return place->is.buckets + (place->is.mask + 1 + n) * v->stride;
	n -= place->spare;
	at = place->overflow + n / v->per_page * v->page_size +
	     n % v->per_page * v->stride;
	return at < place->bytes ? place->is.buckets + at : NULL;
}

/* Look into the buckets behind this one, which is the first of its chain. */
static inline HMAP_VIEW_INLINE int
look_behind(const struct view *v, __u32 kind, const struct place *place,
	    const char *bucket, __u64 hash, const void *key, __u32 len,
	    void *elem)
{
	__u32 link = HMAP_VIEW_LINK(v->key_slot, v->elem_size);
	__u64 word = hmap_view_word(bucket);
	unsigned int n;

	if (is_moved(word))
		return HMAP_VIEW_MOVED;
	if (!(hmap_view_load4(bucket + 4) >> hmap_view_tophash(hash) % 32 & 1))
		return HMAP_VIEW_MISS;
	for (n = 0; n < CHAIN_MAX; n++) {
		bucket = follow(v, place, hmap_view_load4(bucket + link));
		if (!bucket)
			return HMAP_VIEW_MISS;
		word = hmap_view_word(bucket);
		/* A page that was not there when it was mapped */
		if (is_moved(word))
			return HMAP_VIEW_AGAIN;
		if (hmap_view_find(bucket, word, hash, kind, v->key_slot,
				   v->elem_size, key, len, elem))
			return HMAP_VIEW_HIT;
		if (hmap_view_match(word, 0))
			return HMAP_VIEW_MISS;
	}
	return HMAP_VIEW_AGAIN;
}

int hmap_view_look_behind(const struct hmap_view *view, const char *bucket,
			  __u64 hash, const void *key, __u32 key_len,
			  void *elem)
{
	const struct view *v = (const struct view *)view;
	const struct place *present = __atomic_load_n(&v->present,
						      __ATOMIC_ACQUIRE);

	/* If it is not the one that the bucket is in, the caller finds out. */
	if (!present)
		return HMAP_VIEW_AGAIN;
	if (v->kind == HMAP_KIND_U64)
		return look_behind(v, HMAP_KIND_U64, present, bucket, hash, key,
				   key_len, elem);
	return look_behind(v, v->kind, present, bucket, hash, key, key_len,
			   elem);
}

static int look_into(const struct view *v, const struct place *place,
		     __u64 hash, const void *key, __u32 len, void *elem)
{
	const char *bucket = place->is.buckets +
			     ((size_t)hash & place->is.mask) * v->stride;
	__u32 seq = hmap_view_seq(bucket);
	__u64 word = hmap_view_word(bucket);
	int ret = HMAP_VIEW_HIT;

	if (!hmap_view_find(bucket, word, hash, v->kind, v->key_slot,
			    v->elem_size, key, len, elem))
		ret = hmap_view_match(word, 0) ? HMAP_VIEW_MISS :
		      look_behind(v, v->kind, place, bucket, hash, key, len,
				  elem);
	hmap_view_fence();
	return hmap_view_load4(bucket) == seq ? ret : HMAP_VIEW_AGAIN;
}

/* Look into both arrays, where there are two. */
static int try_all(const struct view *v, const void *key, __u32 len, void *elem)
{
	__u32 generation = hmap_view_generation(&v->hot);
	const struct place *present = __atomic_load_n(&v->present,
						      __ATOMIC_ACQUIRE);
	const struct place *old = __atomic_load_n(&v->old, __ATOMIC_ACQUIRE);
	__u32 hash0 = __atomic_load_n(&v->hot.hash0, __ATOMIC_RELAXED);
	int ret = HMAP_VIEW_MOVED;
	__u64 hash;

	if (!hmap_view_is_current(&v->hot, generation))
		return HMAP_VIEW_AGAIN;
	hash = hmap_view_hash(v->hot.secret, v->kind, key, len, hash0);
	if (old)
		ret = look_into(v, old, hash, key, len, elem);
	if (ret == HMAP_VIEW_MOVED)
		ret = present ? look_into(v, present, hash, key, len, elem) :
				HMAP_VIEW_MISS;
	hmap_view_fence();
	return hmap_view_load4(&v->hot.generation) == generation ?
	       ret : HMAP_VIEW_AGAIN;
}

/* Look into the only array; most often that is all. */
static inline int try_one(const struct view *v, const void *key, __u32 len,
			  void *elem)
{
	switch (v->kind) {
	case HMAP_KIND_U64:
		return hmap_view_try(&v->hot, v->shape, HMAP_KIND_U64, 8,
				     v->elem_size, key, len, elem);
	case HMAP_KIND_STRING:
		return hmap_view_try(&v->hot, v->shape, HMAP_KIND_STRING,
				     v->key_slot, v->elem_size, key, len, elem);
	default:
		return hmap_view_try(&v->hot, v->shape, v->kind, v->key_slot,
				     v->elem_size, key, len, elem);
	}
}

/* Whether it can be looked up by reading: all else is for the kernel to say. */
static bool is_readable(const struct view *v, __u32 key_len, __u32 elem_len)
{
	return v->shape && elem_len == v->elem_size &&
	       (v->kind == HMAP_KIND_STRING ? key_len <= v->key_size :
					      key_len == v->key_size);
}

/* Returns HMAP_VIEW_AGAIN if the kernel is to be asked. */
static __attribute__((noinline)) int
retry(struct view *v, const void *key, __u32 len, void *elem)
{
	int tries, ret;

	for (tries = 0; tries < TRIES; tries++) {
		if (!is_current(v) && !refresh(v))
			break;
		ret = try_all(v, key, len, elem);
		if (ret < HMAP_VIEW_AGAIN)
			return ret;
	}
	return HMAP_VIEW_AGAIN;
}

int hmap_view_lookup(struct hmap_view *view, const void *key, __u32 key_len,
		     void *elem, __u32 *elem_len)
{
	struct view *v = view_of(view);
	int ret = HMAP_VIEW_AGAIN;

	if (is_readable(v, key_len, *elem_len)) {
		ret = try_one(v, key, key_len, elem);
		if (ret >= HMAP_VIEW_AGAIN)
			ret = retry(v, key, key_len, elem);
	}
	if (ret == HMAP_VIEW_AGAIN)
		return hmap_lookup(v->fd, key, key_len, elem, elem_len);
	if (ret == HMAP_VIEW_MISS) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

/* === Batches === */

/* The keys of a batch, one after another. */
struct keys {
	const char *key;	/* the next one */
	const __u32 *lens;	/* NULL if all have as many bytes */
	__u32 len;		/* of that one */
	__u32 left;
};

static struct keys keys_of(const struct view *v, const void *keys,
			   const __u32 *lens, __u32 count)
{
	__u32 len = !lens ? v->key_size : count ? *lens : 0;

	return (struct keys) { keys, lens, len, count };
}

static void next_key(struct keys *k)
{
	k->key += k->len;
	if (--k->left && k->lens)
		k->len = *++k->lens;
}

/* Have the bucket in the cache when it is read. */
static void prefetch(const struct view *v, const struct keys *k)
{
	const struct hmap_view_array *array = __atomic_load_n(&v->hot.array,
							      __ATOMIC_ACQUIRE);
	__u32 hash0 = __atomic_load_n(&v->hot.hash0, __ATOMIC_RELAXED), at;
	const char *bucket;

	if (!array->shape || k->len > v->key_size)
		return;
	bucket = array->buckets +
		 ((size_t)hmap_view_hash(v->hot.secret, v->kind, k->key, k->len,
					 hash0) & array->mask) * v->stride;
	for (at = 0; at < v->stride && at < 192; at += 64)
		__builtin_prefetch(bucket + at);
}

/* Returns 0 or a negative errno. */
static int lookup_one(struct view *v, const struct keys *k, char *elem)
{
	__u32 elem_len = v->elem_size;

	if (!hmap_view_lookup(&v->hot, k->key, k->len, elem, &elem_len))
		return 0;
	memset(elem, 0, v->elem_size);
	return -errno;
}

int hmap_view_lookup_batch(struct hmap_view *view, const void *keys,
			   const __u32 *key_lens, void *elems,
			   __u32 *elem_lens, __u64 room, __s32 *results,
			   __u32 *count)
{
	struct view *v = view_of(view);
	bool is_string = v->kind == HMAP_KIND_STRING;
	struct keys ahead, k;
	char *elem = elems;

	/* What the kernel would refuse it is to refuse. */
	if (!v->shape || elem_lens || room || is_string != !!key_lens)
		return hmap_lookup_batch(v->fd, keys, key_lens, elems,
					 elem_lens, room, results, count);

	k = keys_of(v, keys, key_lens, *count);
	for (ahead = k; k.left; next_key(&k)) {
		for (; ahead.left && k.left - ahead.left < AHEAD;
		     next_key(&ahead))
			prefetch(v, &ahead);
		*results = lookup_one(v, &k, elem);
		if (*results && *results != -ENOENT) {
			*count -= k.left;
			errno = -*results;
			return -1;
		}
		results++;
		elem += v->elem_size;
	}
	return 0;
}

/* === Views === */

static bool is_known(const struct hmap_control *c)
{
	return c->magic == HMAP_CONTROL_MAGIC &&
	       c->version == HMAP_CONTROL_VERSION &&
	       c->keys == HMAP_VIEW_KEYS &&
	       c->elems == HMAP_VIEW_ELEMS(c->key_slot) &&
	       c->key_size <= HMAP_MAPPED_SIZE_MAX &&
	       c->elem_size <= HMAP_MAPPED_SIZE_MAX &&
	       c->elem_slot == c->elem_size &&
	       c->link == HMAP_VIEW_LINK(c->key_slot, c->elem_slot) &&
	       c->stride == HMAP_VIEW_STRIDE(c->key_slot, c->elem_slot) &&
	       c->stride <= sizeof(nothing) && c->per_page &&
	       (c->key_kind == HMAP_KIND_STRING || c->key_slot == c->key_size);
}

static void set_control(struct view *v, const struct hmap_control *c)
{
	v->kind = c->key_kind;
	v->key_size = c->key_size;
	v->elem_size = c->elem_size;
	v->key_slot = c->key_slot;
	v->stride = c->stride;
	v->per_page = c->per_page;
	v->hot.control = c;
	v->shape = HMAP_VIEW_SHAPE(c->key_kind, c->key_size, c->elem_size);
	memcpy(v->hot.secret, c->secret, sizeof(v->hot.secret));
	v->empty = (struct hmap_view_array) { (void *)nothing, 0, v->shape };
	refresh(v);
}

/* Without a control page that is known, lookups are left to the kernel. */
static int map_control(struct view *v)
{
	struct hmap_control *c;

	v->page_size = sysconf(_SC_PAGESIZE);
	c = mmap(NULL, v->page_size, PROT_READ, MAP_SHARED, v->fd, 0);
	if (c == MAP_FAILED)
		return errno == EBADFD ? -1 : 0;
	if (is_known(c))
		set_control(v, c);
	else
		munmap(c, v->page_size);
	return 0;
}

struct hmap_view *hmap_view(int fd)
{
	struct hmap_info info;
	struct view *v;
	int err;

	/* Fails if it is of anything else. */
	if (hmap_info(fd, &info))
		return NULL;
	if (posix_memalign((void **)&v, 64, sizeof(*v))) {
		errno = ENOMEM;
		return NULL;
	}
	memset(v, 0, sizeof(*v));
	v->hot.array = &unreadable;
	v->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (v->fd >= 0 && !map_control(v))
		return &v->hot;
	err = errno;
	if (v->fd >= 0)
		close(v->fd);
	free(v);
	errno = err;
	return NULL;
}

void hmap_view_close(struct hmap_view *view)
{
	struct view *v = view_of(view);
	struct place *place;
	int i;

	for (i = 0; i < 2 * SIZES; i++) {
		place = &v->places[i / 2][i % 2];
		if (place->is.buckets)
			munmap((void *)place->is.buckets, place->bytes);
	}
	if (v->hot.control)
		munmap((void *)v->hot.control, v->page_size);
	close(v->fd);
	free(v);
}
