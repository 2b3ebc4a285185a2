// SPDX-License-Identifier: GPL-2.0
/* HMAP_IOC_UPDATE on all kinds of elems, and by many processes at once. */
#include "device.h"

#define KEY_LEN		200
#define ELEM_MAX	5000

static const struct hmap_create shapes[] = {
	{ .key_kind = HMAP_KIND_U32, .key_size = 4, .elem_size = 4 },
	{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 8 },
	{ .key_kind = HMAP_KIND_U64, .key_size = 8 },
	{ .key_kind = HMAP_KIND_BYTES, .key_size = 16, .elem_size = 128 },
	{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 129 },
	{ .key_kind = HMAP_KIND_BYTES, .key_size = KEY_LEN,
	  .elem_size = ELEM_MAX },
	{ .key_kind = HMAP_KIND_STRING, .elem_size = 8 },
	{ .key_kind = HMAP_KIND_STRING, .elem_size = ELEM_MAX,
	  .flags = HMAP_CREATE_VAR_ELEM },
};

/* Elems are numbered from 1; an integer elem is its own number. */
static bool is_integer(const struct hmap_create *shape)
{
	return !(shape->flags & HMAP_CREATE_VAR_ELEM) &&
	       (shape->elem_size == 4 || shape->elem_size == 8);
}

static __u32 elem_len(const struct hmap_create *shape, __u32 nr)
{
	if (!(shape->flags & HMAP_CREATE_VAR_ELEM))
		return shape->elem_size;
	return nr ? (nr - 1) * 1250 % (ELEM_MAX + 1) : 0;
}

static void fill(const struct hmap_create *shape, __u32 nr, __u8 *elem)
{
	const __u64 n = nr;

	if (is_integer(shape))
		memcpy(elem, shape->elem_size == 8 ? (const void *)&n : &nr,
		       shape->elem_size);
	else
		memset(elem, 0x80 + nr, elem_len(shape, nr));
}

/* A map, and the key and elems of one update of it. */
struct one {
	const struct hmap_create *shape;
	int fd;
	__u32 key_len;
	__u8 key[KEY_LEN];
	__u8 elem[ELEM_MAX];
	__u8 expect[ELEM_MAX];
	__u8 old[ELEM_MAX + 1];
};

static void make_one(struct one *o, const struct hmap_create *shape)
{
	*o = (struct one) {
		.shape = shape,
		.fd = make(shape),
		.key_len = shape->key_size ?: KEY_LEN,
		.key = { 7 },
	};
}

/* An update that stores or adds elem @elem and expects elem @expect. */
static struct hmap_update prepare(struct one *o, __u32 op, __u32 flags,
				  __u32 elem, __u32 expect)
{
	bool has_expect = op == HMAP_UPDATE_CMPXCHG;
	bool has_elem = op != HMAP_UPDATE_TAKE;

	fill(o->shape, elem, o->elem);
	fill(o->shape, expect, o->expect);
	memset(o->old, 0x5a, sizeof(o->old));
	return (struct hmap_update) {
		.key = (uintptr_t)o->key,
		.elem = has_elem ? (uintptr_t)o->elem : 0,
		.expect = has_expect ? (uintptr_t)o->expect : 0,
		.old = (uintptr_t)o->old,
		.key_len = o->key_len,
		.elem_len = has_elem ? elem_len(o->shape, elem) : 0,
		.expect_len = has_expect ? elem_len(o->shape, expect) : 0,
		.old_len = o->shape->elem_size,
		.op = op,
		.flags = flags,
		.present = 2,
	};
}

static int update(struct one *o, struct hmap_update *u)
{
	return call(o->fd, HMAP_IOC_UPDATE, u);
}

/* Give the key the elem with number @nr, or delete it if that is 0. */
static void set(struct one *o, __u32 nr)
{
	if (!nr) {
		int err = delete(o->fd, o->key, o->key_len);

		OK(!err || err == -ENOENT);
		return;
	}
	fill(o->shape, nr, o->elem);
	EQ(insert(o->fd, o->key, o->key_len, o->elem, elem_len(o->shape, nr),
		  HMAP_INSERT_ANY), 0);
}

static void check_is(struct one *o, __u32 nr)
{
	__u8 want[ELEM_MAX], got[ELEM_MAX];
	__u32 len = o->shape->elem_size;
	int err = lookup(o->fd, o->key, o->key_len, got, &len);

	EQ(err, nr ? 0 : -ENOENT);
	if (err)
		return;
	EQ(len, elem_len(o->shape, nr));
	fill(o->shape, nr, want);
	SAME_BYTES(got, want, len);
}

/* Check that @old holds elem @nr and nothing else; 0 means no elem. */
static void check_old(const struct one *o, __u32 nr)
{
	__u8 want[ELEM_MAX + 1];

	memset(want, 0x5a, sizeof(want));
	if (nr)
		fill(o->shape, nr, want);
	SAME_BYTES(o->old, want, sizeof(want));
}

/* === One update === */

/*
 * Return what an update of elem *@nr should return, and set *@nr to the elem that
 * should then be there.  0 means no elem.
 */
static int outcome(const struct hmap_create *shape, __u32 op, __u32 flags,
		   __u32 elem, __u32 expect, __u32 *nr)
{
	if (op == HMAP_UPDATE_ADD && !is_integer(shape))
		return -EOPNOTSUPP;
	if (*nr && op == HMAP_UPDATE_XCHG && flags == HMAP_INSERT_NOEXIST)
		return -EEXIST;
	if (!*nr && (flags == HMAP_INSERT_EXIST || op == HMAP_UPDATE_CMPXCHG ||
		     op == HMAP_UPDATE_TAKE))
		return -ENOENT;
	/* All elems of a set are equal. */
	if (op == HMAP_UPDATE_CMPXCHG && *nr != expect && shape->elem_size)
		return -ESTALE;
	*nr = op == HMAP_UPDATE_TAKE ? 0 :
	      op == HMAP_UPDATE_ADD ? *nr + elem : elem;
	return 0;
}

static void try_one(struct one *o, __u32 op, __u32 flags, __u32 was,
		    __u32 expect, bool tell_old)
{
	struct hmap_update u;
	__u32 is = was;
	int err;

	trying("op %u, flags %u, elem %u, expect %u", op, flags, was, expect);
	set(o, was);
	u = prepare(o, op, flags, 3, expect);
	if (!tell_old)
		u.old = 0;
	err = update(o, &u);
	EQ(err, outcome(o->shape, op, flags, 3, expect, &is));
	check_is(o, is);
	EQ(info(o->fd).count, 1 + !!is);
	if (err == -EOPNOTSUPP)
		return;
	EQ(u.present, !!was);
	check_old(o, tell_old ? was : 0);
	EQ(u.old_len, was ? elem_len(o->shape, was) : o->shape->elem_size);
}

/* Every update, of a present and an absent key, beside another entry. */
static void every_update(void)
{
	static const struct {
		__u32 op, flags;
	} updates[] = {
		{ HMAP_UPDATE_XCHG, HMAP_INSERT_ANY },
		{ HMAP_UPDATE_XCHG, HMAP_INSERT_NOEXIST },
		{ HMAP_UPDATE_XCHG, HMAP_INSERT_EXIST },
		{ HMAP_UPDATE_CMPXCHG, 0 },
		{ HMAP_UPDATE_ADD, HMAP_INSERT_ANY },
		{ HMAP_UPDATE_ADD, HMAP_INSERT_EXIST },
		{ HMAP_UPDATE_TAKE, 0 },
	};
	static const __u32 numbers[] = { 0, 1, 2, 3, 5 };	/* 1 is short */
	static struct one o;

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		make_one(&o, &shapes[s]);
		o.key[0]++;
		set(&o, 4);
		o.key[0]--;
		for (size_t i = 0; i < ARRAY_SIZE(updates); i++) {
			__u32 op = updates[i].op, flags = updates[i].flags;

			for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) {
				try_one(&o, op, flags, numbers[n], 2, true);
				try_one(&o, op, flags, numbers[n], 2, false);
				try_one(&o, op, flags, numbers[n], 1, true);
			}
		}
		o.key[0]++;
		check_is(&o, 4);
		close(o.fd);
	}
}

/* Buffers may overlap, as in C11's compare-and-exchange. */
static void one_buffer(void)
{
	static struct one o;
	struct hmap_update u;

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		if (!shapes[s].elem_size)
			continue;
		make_one(&o, &shapes[s]);
		u = prepare(&o, HMAP_UPDATE_CMPXCHG, 0, 3, 4);
		u.old = u.expect;
		EQ(update(&o, &u), -ENOENT);
		fill(&shapes[s], 4, o.elem);
		SAME_BYTES(o.expect, o.elem, elem_len(&shapes[s], 4));
		set(&o, 5);
		u = prepare(&o, HMAP_UPDATE_CMPXCHG, 0, 3, 4);
		u.old = u.expect;
		EQ(update(&o, &u), -ESTALE);
		u.expect_len = u.old_len;
		u.old_len = shapes[s].elem_size;
		EQ(update(&o, &u), 0);
		check_is(&o, 3);
		u = prepare(&o, HMAP_UPDATE_XCHG, 0, 2, 0);
		u.old = u.elem;
		EQ(update(&o, &u), 0);
		check_is(&o, 2);
		EQ(u.old_len, elem_len(&shapes[s], 3));
		fill(&shapes[s], 3, o.expect);
		SAME_BYTES(o.elem, o.expect, u.old_len);
		close(o.fd);
	}
}

/* An elem that only differs in its last byte or its length is not equal. */
static void nearly_expected(void)
{
	static struct one o;
	struct hmap_update u;

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		__u32 last = elem_len(&shapes[s], 5) - 1;

		if (!shapes[s].elem_size)
			continue;
		make_one(&o, &shapes[s]);
		set(&o, 5);
		u = prepare(&o, HMAP_UPDATE_CMPXCHG, 0, 3, 5);
		o.expect[last]++;
		REFUSED(o.fd, update(&o, &u), ESTALE);
		o.expect[last]--;
		u.expect_len = last;
		if (shapes[s].flags & HMAP_CREATE_VAR_ELEM)
			REFUSED(o.fd, update(&o, &u), ESTALE);
		close(o.fd);
	}
}

static __u64 add(int fd, __u64 key, __u64 delta, __u32 *present)
{
	__u64 old = 0;
	struct hmap_update u = {
		.key = (uintptr_t)&key,
		.elem = (uintptr_t)&delta,
		.old = (uintptr_t)&old,
		.key_len = 8,
		.elem_len = 8,
		.old_len = 8,
		.op = HMAP_UPDATE_ADD,
	};

	EQ(call(fd, HMAP_IOC_UPDATE, &u), 0);
	if (present)
		*present = u.present;
	return old;
}

static void add_wraps(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U32,
		.key_size = 4,
		.elem_size = 4,
	};
	__u32 key, elem = ~0U - 1, delta = 5, old = 0, len = 4;
	struct hmap_update u = {
		.key = (uintptr_t)&key,
		.elem = (uintptr_t)&delta,
		.old = (uintptr_t)&old,
		.key_len = 4,
		.elem_len = 4,
		.old_len = 4,
		.op = HMAP_UPDATE_ADD,
	};
	int fd = make(&arg);
	__u64 elem64;

	/* As many as a bucket holds, to see a carry into a neighbour */
	for (key = 0; key < 8; key++)
		EQ(insert(fd, &key, 4, &elem, 4, HMAP_INSERT_ANY), 0);
	for (key = 0; key < 8; key++) {
		EQ(call(fd, HMAP_IOC_UPDATE, &u), 0);
		EQ(old, ~0U - 1);
	}
	for (key = 0; key < 8; key++) {
		EQ(lookup(fd, &key, 4, &elem, &len), 0);
		EQ(elem, 3);
	}

	fd = make_u64(NULL, 0);
	EQ(add(fd, 1, ~0ULL - 1, NULL), 0);
	EQ(add(fd, 1, 5, NULL), ~0ULL - 1);
	EQ(add(fd, 1, -4, NULL), 3);
	EQ(get(fd, 1, &elem64), 0);
	EQ(elem64, ~0ULL);
}

static void no_integers(void)
{
	static const struct hmap_create no_integers[] = {
		{ .key_kind = HMAP_KIND_U64, .key_size = 8 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 1 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 2 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 5 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 7 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 16 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 200 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 8,
		  .flags = HMAP_CREATE_VAR_ELEM },
	};
	static struct one o;

	for (size_t s = 0; s < ARRAY_SIZE(no_integers); s++) {
		struct hmap_update u;

		trying("elems of %u bytes", no_integers[s].elem_size);
		make_one(&o, &no_integers[s]);
		u = prepare(&o, HMAP_UPDATE_ADD, HMAP_INSERT_ANY, 1, 0);
		REFUSED(o.fd, update(&o, &u), EOPNOTSUPP);
		set(&o, 1);
		u = prepare(&o, HMAP_UPDATE_ADD, HMAP_INSERT_EXIST, 1, 0);
		REFUSED(o.fd, update(&o, &u), EOPNOTSUPP);
		close(o.fd);
	}
}

/* === Refused === */

/* Operands that an operation does not use must be 0. */
static void unused_operands(void)
{
	static struct one o;
	struct hmap_update u;

	make_one(&o, &shapes[1]);
	set(&o, 3);
	for (__u32 op = 0; op <= HMAP_UPDATE_TAKE; op++) {
		trying("op %u", op);
		if (op != HMAP_UPDATE_CMPXCHG) {
			u = prepare(&o, op, 0, 2, 3);
			u.expect = (uintptr_t)o.expect;
			REFUSED(o.fd, update(&o, &u), EINVAL);
			u = prepare(&o, op, 0, 2, 3);
			u.expect_len = 8;
			REFUSED(o.fd, update(&o, &u), EINVAL);
		}
		if (op == HMAP_UPDATE_TAKE) {
			u = prepare(&o, op, 0, 2, 3);
			u.elem = (uintptr_t)o.elem;
			REFUSED(o.fd, update(&o, &u), EINVAL);
			u = prepare(&o, op, 0, 2, 3);
			u.elem_len = 8;
			REFUSED(o.fd, update(&o, &u), EINVAL);
		}
	}
}

static void einval(void)
{
	static const struct {
		__u32 op, flags;
	} bad[] = {
		{ HMAP_UPDATE_XCHG, HMAP_INSERT_EXIST + 1 },
		{ HMAP_UPDATE_XCHG, ~0U },
		{ HMAP_UPDATE_CMPXCHG, HMAP_INSERT_NOEXIST },
		{ HMAP_UPDATE_CMPXCHG, HMAP_INSERT_EXIST },
		{ HMAP_UPDATE_CMPXCHG, 1U << 31 },
		{ HMAP_UPDATE_ADD, HMAP_INSERT_NOEXIST },
		{ HMAP_UPDATE_ADD, HMAP_INSERT_EXIST + 1 },
		{ HMAP_UPDATE_TAKE, HMAP_INSERT_NOEXIST },
		{ HMAP_UPDATE_TAKE, HMAP_INSERT_EXIST },
		{ HMAP_UPDATE_TAKE + 1, 0 },
		{ ~0U, 0 },
	};
	static struct one o;
	struct hmap_update u;

	make_one(&o, &shapes[1]);
	for (__u32 there = 0; there <= 3; there += 3) {
		set(&o, there);
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			trying("bad[%zu]", i);
			u = prepare(&o, bad[i].op, bad[i].flags, 2, 3);
			REFUSED(o.fd, update(&o, &u), EINVAL);
			check_old(&o, 0);
		}
		u = prepare(&o, HMAP_UPDATE_XCHG, 0, 2, 3);
		u.reserved = 1;
		REFUSED(o.fd, update(&o, &u), EINVAL);
	}
}

/* Lengths that do not fit the map */
static void bad_lengths(void)
{
	static const __u32 not8[] = { 0, 7, 9, 65536, ~0U };
	static struct one o;
	struct hmap_update u;

	make_one(&o, &shapes[1]);
	set(&o, 3);
	for (size_t i = 0; i < ARRAY_SIZE(not8); i++) {
		for (__u32 op = 0; op <= HMAP_UPDATE_TAKE; op++) {
			trying("op %u, %u bytes", op, not8[i]);
			u = prepare(&o, op, 0, 2, 3);
			u.key_len = not8[i];
			REFUSED(o.fd, update(&o, &u), EINVAL);
			u = prepare(&o, op, 0, 2, 3);
			u.old_len = not8[i];
			REFUSED(o.fd, update(&o, &u), EINVAL);
			if (op == HMAP_UPDATE_TAKE)
				continue;
			u = prepare(&o, op, 0, 2, 3);
			u.elem_len = not8[i];
			REFUSED(o.fd, update(&o, &u), EINVAL);
		}
		u = prepare(&o, HMAP_UPDATE_CMPXCHG, 0, 2, 3);
		u.expect_len = not8[i];
		REFUSED(o.fd, update(&o, &u), EINVAL);

		u = prepare(&o, HMAP_UPDATE_XCHG, 0, 3, 0);
		u.old = 0;
		u.old_len = not8[i];
		EQ(update(&o, &u), 0);
	}

	make_one(&o, &shapes[ARRAY_SIZE(shapes) - 1]);
	set(&o, 2);
	u = prepare(&o, HMAP_UPDATE_XCHG, 0, 3, 0);
	u.key_len = 4097;
	REFUSED(o.fd, update(&o, &u), EINVAL);
	u = prepare(&o, HMAP_UPDATE_XCHG, 0, 3, 0);
	u.elem_len = ELEM_MAX + 1;
	REFUSED(o.fd, update(&o, &u), EINVAL);
	u = prepare(&o, HMAP_UPDATE_CMPXCHG, 0, 3, 2);
	u.expect_len = ELEM_MAX + 1;
	REFUSED(o.fd, update(&o, &u), EINVAL);
}

/* Too little room for the old elem, and in the end enough. */
static void emsgsize(void)
{
	static const struct {
		__u32 op, flags, expect;
		int err;
	} updates[] = {
		{ HMAP_UPDATE_XCHG, HMAP_INSERT_ANY, 0, 0 },
		{ HMAP_UPDATE_XCHG, HMAP_INSERT_NOEXIST, 0, -EEXIST },
		{ HMAP_UPDATE_XCHG, HMAP_INSERT_EXIST, 0, 0 },
		{ HMAP_UPDATE_CMPXCHG, 0, 2, -ESTALE },
		{ HMAP_UPDATE_CMPXCHG, 0, 5, 0 },
		{ HMAP_UPDATE_TAKE, 0, 0, 0 },
	};
	static const __u32 rooms[] = { 0, 1, ELEM_MAX / 2, ELEM_MAX - 1 };
	static struct one o;
	struct hmap_update u;

	make_one(&o, &shapes[ARRAY_SIZE(shapes) - 1]);
	for (size_t i = 0; i < ARRAY_SIZE(updates); i++) {
		__u32 op = updates[i].op, flags = updates[i].flags;

		set(&o, 5);
		for (size_t r = 0; r < ARRAY_SIZE(rooms); r++) {
			trying("updates[%zu], %u bytes", i, rooms[r]);
			u = prepare(&o, op, flags, 3, updates[i].expect);
			u.old_len = rooms[r];
			REFUSED(o.fd, update(&o, &u), EMSGSIZE);
			EQ(u.old_len, ELEM_MAX);
			EQ(u.present, 1);
			check_old(&o, 0);
		}
		/* @old_len is now what was asked for. */
		EQ(update(&o, &u), updates[i].err);
		check_old(&o, 5);
	}
}

static void eacces(void)
{
	static const int flags[] = { O_RDONLY, O_WRONLY };
	int fd = make_u64("m", 0600);
	static struct one o;

	make_one(&o, &shapes[1]);
	for (int i = 0; i < 2 * 4; i++) {
		struct hmap_update u = prepare(&o, i % 4, 0, 3, 5);

		*(__u64 *)o.key = 1;
		EQ(put(fd, 1, 5), 0);
		REFUSED(fd, call(dev_open_map("m", flags[i / 4]),
				 HMAP_IOC_UPDATE, &u), EACCES);
		check_old(&o, 0);
	}
}

static void enospc(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.max_entries = 1,
	};
	static struct one o;
	struct hmap_update u;

	make_one(&o, &arg);
	EQ(put(o.fd, 1, 1), 0);
	for (__u32 mode = HMAP_INSERT_ANY; mode <= HMAP_INSERT_NOEXIST; mode++) {
		u = prepare(&o, HMAP_UPDATE_XCHG, mode, 3, 0);
		REFUSED(o.fd, update(&o, &u), ENOSPC);
		EQ(u.present, 0);
	}
	u = prepare(&o, HMAP_UPDATE_ADD, HMAP_INSERT_ANY, 3, 0);
	REFUSED(o.fd, update(&o, &u), ENOSPC);
	u = prepare(&o, HMAP_UPDATE_ADD, HMAP_INSERT_EXIST, 3, 0);
	REFUSED(o.fd, update(&o, &u), ENOENT);
	EQ(del(o.fd, 1), 0);
	u = prepare(&o, HMAP_UPDATE_ADD, HMAP_INSERT_ANY, 3, 0);
	EQ(update(&o, &u), 0);
	check_is(&o, 3);
}

/* Each operand in turn is at a bad address. */
static void efault_operands(void)
{
	static struct one o;
	struct hmap_update u;

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		__u32 len = elem_len(&shapes[s], 5);
		void *bad[] = { NOWHERE, KERNEL_MEMORY,
				edge(len ? len - 1 : 0) };

		make_one(&o, &shapes[s]);
		set(&o, 3);
		for (size_t i = 0; i < 3 * 4; i++) {
			__u32 op = i % 4;
			__u64 where = (uintptr_t)bad[i / 4];

			trying("shape %zu, op %u, bad[%zu]", s, op, i / 4);
			u = prepare(&o, op, 0, 5, 5);
			u.key = i / 4 == 2 ? (uintptr_t)edge(u.key_len - 1) :
					     where;
			REFUSED(o.fd, update(&o, &u), EFAULT);
			if (!len)
				continue;
			if (op == HMAP_UPDATE_ADD && !is_integer(&shapes[s]))
				continue;
			u = prepare(&o, op, 0, 5, 5);
			u.elem = where;
			if (op != HMAP_UPDATE_TAKE)
				REFUSED(o.fd, update(&o, &u), EFAULT);
			u = prepare(&o, op, 0, 5, 5);
			u.expect = where;
			if (op == HMAP_UPDATE_CMPXCHG)
				REFUSED(o.fd, update(&o, &u), EFAULT);
		}
		close(o.fd);
	}
}

/* No change is made if its result cannot be written. */
static void efault_answer(void)
{
	static struct one o;
	struct hmap_update u;

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		__u32 len = shapes[s].elem_size;
		void *bad[] = { NOWHERE, KERNEL_MEMORY, edge(len ? len - 1 : 0),
				readonly(o.old, len ?: 1) };

		make_one(&o, &shapes[s]);
		for (size_t i = 0; i < 4 * 4; i++) {
			__u32 op = i % 4;

			if (op == HMAP_UPDATE_ADD && !is_integer(&shapes[s]))
				continue;
			trying("shape %zu, op %u, bad[%zu]", s, op, i / 4);
			set(&o, 5);
			u = prepare(&o, op, 0, 3, 5);
			u.old = (uintptr_t)bad[i / 4];
			if (len)
				REFUSED(o.fd, update(&o, &u), EFAULT);
			u = prepare(&o, op, 0, 3, 5);
			REFUSED(o.fd, update(&o, readonly(&u, sizeof(u))),
				EFAULT);
			set(&o, 0);
			u = prepare(&o, op, 0, 3, 5);
			REFUSED(o.fd, update(&o, readonly(&u, sizeof(u))),
				EFAULT);
		}
		close(o.fd);
	}
}

/* === Many at once === */

#define COUNTERS	4U
#define ADDS		4000	/* by each process */

/* How often each value was returned as a counter's old one */
struct counts {
	__u32 seen[COUNTERS][PROCESSES_MAX * ADDS];
	__u32 made[COUNTERS];
};

/* Also insert other keys, so that the map grows. */
static void count_up(int fd, int who, void *arg)
{
	struct counts *c = arg;

	for (__u64 i = 0; i < ADDS; i++) {
		__u32 key = i % COUNTERS, present;
		__u64 old = add(fd, key, 1, &present);

		OK(old < PROCESSES_MAX * ADDS);
		EQ(__atomic_fetch_add(&c->seen[key][old], 1, __ATOMIC_RELAXED),
		   0);
		if (!present)
			__atomic_fetch_add(&c->made[key], 1, __ATOMIC_RELAXED);
		if (i % 4 == 0)
			EQ(put(fd, (i << 8) + who + COUNTERS, i), 0);
	}
}

static void counters(void)
{
	__u64 total = nr_processes() * ADDS / COUNTERS, elem;
	struct counts *c = shared(sizeof(*c));
	int fd = make_u64(NULL, 0);

	at_once(count_up, fd, c);
	for (__u32 key = 0; key < COUNTERS; key++) {
		EQ(get(fd, key, &elem), 0);
		EQ(elem, total);
		EQ(c->made[key], 1);
		for (__u64 i = 0; i < PROCESSES_MAX * ADDS; i++)
			EQ(c->seen[key][i], i < total);
	}
}

#define STEPS	150	/* by each process */

/* An elem that has its version in every word */
static __u32 fill_words(const struct hmap_create *shape, __u64 *elem, __u64 n)
{
	__u32 len = shape->elem_size;

	if (shape->flags & HMAP_CREATE_VAR_ELEM)
		len = 16 + n % 50 * 8;
	for (__u32 i = 0; i < len / 8; i++)
		elem[i] = n + i;
	return len;
}

static void replace(int fd, int who, void *arg)
{
	const struct hmap_create *shape = arg;
	__u64 seen[64] = { 0 }, elem[64], key = 1;
	__u32 seen_len = fill_words(shape, seen, 0);

	for (int i = 0; i < STEPS;) {
		struct hmap_update u = {
			.key = (uintptr_t)&key,
			.elem = (uintptr_t)elem,
			.expect = (uintptr_t)seen,
			.old = (uintptr_t)seen,
			.key_len = 8,
			.elem_len = fill_words(shape, elem, seen[0] + 1),
			.expect_len = seen_len,
			.old_len = shape->elem_size,
			.op = HMAP_UPDATE_CMPXCHG,
		};
		int err = call(fd, HMAP_IOC_UPDATE, &u);

		EQ(u.present, 1);
		if (err)
			EQ(err, -ESTALE);
		EQ(u.old_len, fill_words(shape, elem, seen[0]));
		SAME_BYTES(seen, elem, u.old_len);
		seen_len = u.old_len;
		i += !err;
		if (!err && i % 8 == 0)
			EQ(insert(fd, &(__u64){ (i << 8) + who + 2 }, 8, elem,
				  seen_len, HMAP_INSERT_NOEXIST), 0);
	}
}

static void compare_and_exchange(void)
{
	static const struct hmap_create shapes[] = {
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 16 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 200 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 512,
		  .flags = HMAP_CREATE_VAR_ELEM },
	};
	__u64 elem[64], key = 1;

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		__u32 len = fill_words(&shapes[s], elem, 0);
		int fd = make(&shapes[s]);

		EQ(insert(fd, &key, 8, elem, len, HMAP_INSERT_ANY), 0);
		at_once(replace, fd, (void *)&shapes[s]);
		len = shapes[s].elem_size;
		EQ(lookup(fd, &key, 8, elem, &len), 0);
		EQ(elem[0], nr_processes() * STEPS);
		close(fd);
	}
}

#define KEYS	300

static void take_all(int fd, int who, void *arg)
{
	__u32 *taken = arg;

	for (int i = 0; i < KEYS; i++) {
		__u64 key = (i + who * KEYS / 7) % KEYS, elem = 0;
		struct hmap_update u = {
			.key = (uintptr_t)&key,
			.old = (uintptr_t)&elem,
			.key_len = 8,
			.old_len = 8,
			.op = HMAP_UPDATE_TAKE,
		};
		int err = call(fd, HMAP_IOC_UPDATE, &u);

		EQ(u.present, !err);
		if (err) {
			EQ(err, -ENOENT);
			continue;
		}
		EQ(elem, ~key);
		EQ(__atomic_fetch_add(&taken[key], 1, __ATOMIC_RELAXED), 0);
	}
}

static void each_taken_once(void)
{
	__u32 *taken = shared(KEYS * sizeof(*taken));
	int fd = make_u64(NULL, 0);

	for (__u64 key = 0; key < KEYS; key++)
		EQ(put(fd, key, ~key), 0);
	at_once(take_all, fd, taken);
	for (int i = 0; i < KEYS; i++)
		EQ(taken[i], 1);
	EQ(info(fd).count, 0);
}

/* Which elem each process takes for the first one of a key */
struct race {
	const struct hmap_create *shape;
	__u8 first[PROCESSES_MAX][KEYS];
	__u32 wins[KEYS];
};

static void insert_or_see(int fd, int who, void *arg)
{
	struct race *r = arg;
	__u8 elem[ELEM_MAX], old[ELEM_MAX];

	memset(elem, who + 1, sizeof(elem));
	for (__u64 key = 0; key < KEYS; key++) {
		struct hmap_update u = {
			.key = (uintptr_t)&key,
			.elem = (uintptr_t)elem,
			.old = (uintptr_t)old,
			.key_len = 8,
			.elem_len = r->shape->elem_size,
			.old_len = r->shape->elem_size,
			.op = HMAP_UPDATE_XCHG,
			.flags = HMAP_INSERT_NOEXIST,
		};
		int err = call(fd, HMAP_IOC_UPDATE, &u);

		EQ(u.present, !!err);
		if (!err) {
			__atomic_fetch_add(&r->wins[key], 1, __ATOMIC_RELAXED);
			r->first[who][key] = who + 1;
			continue;
		}
		EQ(err, -EEXIST);
		EQ(u.old_len, r->shape->elem_size);
		for (__u32 i = 0; i < u.old_len; i++)
			EQ(old[i], old[0]);
		r->first[who][key] = old[0];
	}
}

static void one_winner(void)
{
	static const struct hmap_create shapes[] = {
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 8 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 200 },
		{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 200,
		  .flags = HMAP_CREATE_VAR_ELEM },
	};

	for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
		struct race *r = shared(sizeof(*r));
		int fd = make(&shapes[s]);

		r->shape = &shapes[s];
		at_once(insert_or_see, fd, r);
		for (__u64 key = 0; key < KEYS; key++) {
			__u32 len = shapes[s].elem_size;
			__u8 elem[200];

			EQ(r->wins[key], 1);
			EQ(lookup(fd, &key, 8, elem, &len), 0);
			for (int who = 0; who < nr_processes(); who++)
				EQ(r->first[who][key], elem[0]);
		}
		close(fd);
	}
}

#define TOKENS	4000	/* of each process */

/* Exchange one's own tokens for whatever another process has put there. */
static void pass_on(int fd, int who, void *arg)
{
	__u32 *got = arg;
	__u64 key = 1, token, old = 0;

	for (token = who * TOKENS; token < (who + 1ULL) * TOKENS; token++) {
		struct hmap_update u = {
			.key = (uintptr_t)&key,
			.elem = (uintptr_t)&token,
			.old = (uintptr_t)&old,
			.key_len = 8,
			.elem_len = 8,
			.old_len = 8,
			.op = HMAP_UPDATE_XCHG,
		};

		EQ(call(fd, HMAP_IOC_UPDATE, &u), 0);
		if (!u.present)
			continue;
		OK(old < PROCESSES_MAX * TOKENS);
		__atomic_fetch_add(&got[old], 1, __ATOMIC_RELAXED);
	}
}

static void each_token_once(void)
{
	__u32 *got = shared(PROCESSES_MAX * TOKENS * sizeof(*got));
	int fd = make_u64(NULL, 0);
	__u64 last;

	at_once(pass_on, fd, got);
	EQ(get(fd, 1, &last), 0);
	got[last]++;
	for (int i = 0; i < PROCESSES_MAX * TOKENS; i++)
		EQ(got[i], i < nr_processes() * TOKENS);
}

static const struct test tests[] = {
	TEST(every_update),
	TEST(one_buffer),
	TEST(nearly_expected),
	TEST(add_wraps),
	TEST(no_integers),
	TEST(einval),
	TEST(unused_operands),
	TEST(bad_lengths),
	TEST(emsgsize),
	TEST(eacces),
	TEST(enospc),
	TEST(efault_operands),
	TEST(efault_answer),
	TEST(counters),
	TEST(compare_and_exchange),
	TEST(each_taken_once),
	TEST(one_winner),
	TEST(each_token_once),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
