// SPDX-License-Identifier: GPL-2.0
/*
 * A target for libFuzzer: the bytes of an input say which map to make and what
 * to do with it, when work items and RCU callbacks run, and which allocations
 * fail.  Every answer is compared with what an array of entries says.
 */
#include <stdlib.h>

#include "core/key.h"
#include "kunit/util.h"

#define MAX_KEYS	4096
#define WALKS		4
#define HOLDS		4
#define PAGES		16	/* of a mapped map that are being looked at */
#define REFUSED		1	/* what expect() returns for an operation that was */

struct entry {
	bool present;
	u64 value;		/* what elem_of() makes the elem of */
	u64 since;		/* fuzz.now when it was made */
};

struct key {
	struct hmap_bytes string;
	u8 data[HMAP_MAX_STRING_LEN + 1] __aligned(8);
};

struct elem {
	struct hmap_bytes var;
	u8 data[HMAP_MAX_ELEM_SIZE] __aligned(8);
};

struct walk {
	enum { WALK_NONE, WALK_OPEN, WALK_CUT } state;
	struct hmap_iter it;
	bool sorted;
	bool can_cut;		/* to go on at the cursor */
	u64 since;
	u64 clears;
	bool given[MAX_KEYS];
};

struct hold {
	struct hmap_held held;
	u64 value;
};

struct page {
	u64 page;
	const u8 *p;
};

static struct fuzz {
	const u8 *in, *end;
	struct hmap *h;
	struct hmap_params params;
	u32 keys;			/* that are used */
	u64 now;
	u64 clears;
	unsigned long count;
	bool limited;			/* max_bytes has ever been set */
	struct hmap_pool pool;
	bool pool_put;
	struct hmap_mapping mapping;
	bool changing;
	struct hmap_shown present, old;
	struct page pages[PAGES];
	struct walk walks[WALKS];
	struct hold holds[HOLDS];
	struct entry entries[MAX_KEYS];
} f;

static unsigned long operations;
static struct elem elem, other;

/* === Input === */

static u8 next(void)
{
	return f.in < f.end ? *f.in++ : 0;
}

static u16 next16(void)
{
	u16 low = next();

	return low | next() << 8;
}

#define next_of(table)	((table)[next() % ARRAY_SIZE(table)])

static u32 next_key(void)
{
	return next16() % f.keys;
}

static gfp_t next_gfp(void)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_ATOMIC, HMAP_GFP_NOWAIT };

	return next_of(gfps);
}

/* === Keys and elems === */

static bool is_string(void)
{
	return f.params.key_kind == HMAP_KEY_STRING;
}

static u32 key_len(u32 k)
{
	u32 len = k % 40;

	if (!is_string())
		return f.params.key_size;
	if (!k)
		return 0;
	if (k % 64 == 63)
		len = k % 512 == 511 ? HMAP_MAX_STRING_LEN : k % 300;
	len = max(len, 2U);
	return f.params.key_size ? min(len, f.params.key_size) : len;
}

/* The number and, behind it, what depends on it, so that no part will do. */
static const void *key_of(u32 k, struct key *key)
{
	u32 len = key_len(k);

	memset(key->data, k * 7, max(len, 8U));
	memcpy(key->data, &k, min_t(u32, len, sizeof(u16)));
	if (f.params.key_kind == HMAP_KEY_U32 ||
	    f.params.key_kind == HMAP_KEY_U64)
		memcpy(key->data, &(u64){ k }, sizeof(u64));
	key->string = (struct hmap_bytes){ len ? key->data : NULL, len };
	return is_string() ? (void *)&key->string : key->data;
}

static u32 number_of(const void *data, u32 len)
{
	struct key key;
	u16 k = 0;

	memcpy(&k, data, min_t(u32, len, sizeof(k)));
	wrong_if(k >= f.keys);
	key_of(k, &key);
	wrong_if(len != key_len(k) || memcmp(key.data, data, len));
	return k;
}

static bool elems_vary(void)
{
	return f.params.flags & HMAP_VAR_ELEM;
}

static u32 elem_len(u64 value)
{
	return elems_vary() ? value % (f.params.elem_size + 1ULL) :
			      f.params.elem_size;
}

/* It begins with the value, so that adding to either is the same. */
static const void *elem_of(u64 value, struct elem *e)
{
	u32 len = elem_len(value), i;
	u64 word;

	for (i = 0; i < len; i += sizeof(word)) {
		word = value + i * GOLDEN_RATIO_64;
		memcpy(e->data + i, &word, min_t(u32, len - i, sizeof(word)));
	}
	e->var = (struct hmap_bytes){ len ? e->data : NULL, len };
	return elems_vary() ? (void *)&e->var : e->data;
}

static void check_elem(u64 value, const void *data, u32 len)
{
	static struct elem right;

	elem_of(value, &right);
	wrong_if(len != elem_len(value));
	wrong_if(len && memcmp(right.data, data, len));
}

/* Another one each time. */
static u64 new_value(void)
{
	return ++f.now * GOLDEN_RATIO_64;
}

/* === The reference === */

static void set(u32 k, u64 value)
{
	struct entry *e = &f.entries[k];

	if (!e->present) {
		f.count++;
		e->since = ++f.now;
	}
	e->present = true;
	e->value = value;
}

static void unset(u32 k)
{
	f.count -= f.entries[k].present;
	f.entries[k].present = false;
}

/* Whether something may be refused for want of memory, or of permission to use it. */
static bool may_refuse(int err)
{
	switch (err) {
	case -ENOMEM:
		return sim.failed;
	case -ENOSPC:
		return f.limited || f.params.hasher;
	case -EDQUOT:
		return f.params.pool;
	default:
		return false;
	}
}

static void lookup(u32 k)
{
	struct entry *e = &f.entries[k];
	struct hmap_held held;
	struct key key;
	int ret;

	operations++;
	key_of(k, &key);
	if (elems_vary()) {
		wrong_if(hmap_lookup(f.h, key_of(k, &key), other.data) !=
			 -EOPNOTSUPP);
		ret = hmap_hold(f.h, key_of(k, &key), &held);
		if (!ret) {
			check_elem(e->value, held.data, held.len);
			hmap_release(&held);
		}
	} else {
		ret = hmap_lookup(f.h, key_of(k, &key), other.data);
		if (!ret)
			check_elem(e->value, other.data, f.params.elem_size);
	}
	wrong_if(ret != (e->present ? 0 : -ENOENT));
	wrong_if(hmap_lookup(f.h, key_of(k, &key), NULL) != ret);
}

/* An operation may have been refused, and then has done nothing. */
static int expect(u32 k, int ret, int right)
{
	operations++;
	wrong_if(hmap_len(f.h) != f.count);
	if (ret == right)
		return ret;
	wrong_if(!may_refuse(ret));
	lookup(k);
	return REFUSED;
}

/* What storing under a key has to return; @mode tells what it asks for. */
static int right_store(u32 k, enum hmap_mode mode)
{
	bool present = f.entries[k].present;

	if (mode == HMAP_NOEXIST && present)
		return -EEXIST;
	if (mode == HMAP_EXIST && !present)
		return -ENOENT;
	if (!present && f.params.max_entries && f.count >= f.params.max_entries)
		return -ENOSPC;
	return 0;
}

/* === Entries === */

static void insert(u32 k, enum hmap_mode mode, gfp_t gfp)
{
	int right = right_store(k, mode);
	u64 value = new_value();
	struct key key;
	int ret;

	ret = hmap_insert(f.h, key_of(k, &key), elem_of(value, &elem), mode,
			  gfp);
	if (!ret && !right)
		set(k, value);
	expect(k, ret, right);
}

/* Nothing refuses to take something out. */
static void take(u32 k)
{
	struct entry *e = &f.entries[k];
	bool want = !elems_vary() && (k & 1);
	struct key key;
	int ret;

	ret = hmap_take(f.h, key_of(k, &key), want ? other.data : NULL);
	wrong_if(ret != (e->present ? 0 : -ENOENT));
	if (!ret && want)
		check_elem(e->value, other.data, f.params.elem_size);
	unset(k);
	expect(k, ret, ret);
}

static void exchange(u32 k, gfp_t gfp)
{
	struct entry *e = &f.entries[k];
	u64 value = new_value();
	struct key key;
	int ret;

	ret = hmap_xchg(f.h, key_of(k, &key), elem_of(value, &elem),
			elems_vary() ? NULL : other.data, gfp);
	if (expect(k, ret, right_store(k, HMAP_EXIST)))
		return;
	if (!elems_vary())
		check_elem(e->value, other.data, f.params.elem_size);
	set(k, value);
}

static void compare_exchange(u32 k, bool same, gfp_t gfp)
{
	struct entry *e = &f.entries[k];
	u64 value = new_value();
	struct key key;
	int ret, right;

	elem_of(same ? e->value : value + 1, &other);
	right = right_store(k, HMAP_EXIST);
	if (!right &&
	    (elem_len(e->value) != other.var.len ||
	     memcmp(elem_of(e->value, &elem) ? elem.data : NULL, other.data,
		    other.var.len)))
		right = -ESTALE;
	ret = hmap_cmpxchg(f.h, key_of(k, &key),
			   elems_vary() ? (void *)&other.var : other.data,
			   elem_of(value, &elem), gfp);
	if (!expect(k, ret, right))
		set(k, value);
}

static void fetch_add(u32 k, u64 delta)
{
	struct entry *e = &f.entries[k];
	u32 size = f.params.elem_size;
	struct key key;
	u64 old = 0;
	int ret;

	ret = hmap_fetch_add(f.h, key_of(k, &key), delta, &old);
	if (elems_vary() || (size != 4 && size != 8)) {
		wrong_if(ret != -EOPNOTSUPP);
		return;
	}
	wrong_if(ret != (e->present ? 0 : -ENOENT));
	if (ret)
		return;
	check_elem(e->value, &old, size);
	e->value += delta;
	expect(k, ret, ret);
}

/* The reference for update(): what is returned, and the value there is then. */
static int right_update(u32 k, const struct hmap_op *op, u32 room, u64 *value,
			bool same)
{
	struct entry *e = &f.entries[k];
	bool indirect = elems_vary() || f.params.elem_size > MAX_INLINE_SIZE;
	u32 size = f.params.elem_size;

	if (op->what == HMAP_ADD && (elems_vary() || (size != 4 && size != 8)))
		return -EOPNOTSUPP;
	if (e->present && indirect && op->old && elem_len(e->value) > room)
		return -EMSGSIZE;
	if (op->what == HMAP_TAKE || op->what == HMAP_CMPXCHG) {
		if (!e->present)
			return -ENOENT;
		/* An empty elem is like any other. */
		return op->what == HMAP_TAKE || same ? 0 : -ESTALE;
	}
	if (op->what == HMAP_ADD && e->present)
		*value += e->value;
	return right_store(k, op->mode);
}

static bool elems_equal(u64 a, u64 b)
{
	static struct elem x, y;

	elem_of(a, &x);
	elem_of(b, &y);
	return x.var.len == y.var.len &&
	       (!x.var.len || !memcmp(x.data, y.data, x.var.len));
}

static void update(u32 k, u8 how, u32 room, gfp_t gfp)
{
	static struct elem expected;
	struct entry *e = &f.entries[k], was = *e;
	u64 value = new_value(), expect_value = how & 64 ? was.value : value;
	struct hmap_op op = {
		.what = how % 4,
		.mode = how / 4 % 3,
		.old = how & 32 ? other.data : NULL,
		.old_len = room,
		.gfp = gfp,
	};
	struct key key;
	int ret, right;

	op.key = key_of(k, &key);
	op.elem = elem_of(value, &elem);
	op.expect = elem_of(expect_value, &expected);
	right = right_update(k, &op, room, &value,
			     elems_equal(was.value, expect_value));
	ret = hmap_update(f.h, &op);
	if (!ret && !right) {
		if (op.what == HMAP_TAKE)
			unset(k);
		else
			set(k, value);
	}
	if (expect(k, ret, right) == REFUSED || ret == -EOPNOTSUPP)
		return;
	wrong_if(op.present != was.present);
	if (!was.present)
		return;
	wrong_if(op.old_len != elem_len(was.value));
	if (op.old && ret != -EMSGSIZE)
		check_elem(was.value, op.old, op.old_len);
}

static void hold(u32 k, struct hold *hold)
{
	struct entry *e = &f.entries[k];
	struct key key;
	int ret;

	if (hold->held.block) {
		check_elem(hold->value, hold->held.data, hold->held.len);
		hmap_release(&hold->held);
		return;
	}
	ret = hmap_hold(f.h, key_of(k, &key), &hold->held);
	operations++;
	if (!elems_vary() && f.params.elem_size <= MAX_INLINE_SIZE)
		wrong_if(ret != -EOPNOTSUPP);
	else
		wrong_if(ret != (e->present ? 0 : -ENOENT));
	hold->value = e->value;
}

/* An insert puts the key where it was told to. */
static void explain(u32 k)
{
	static struct hmap_walk before, after;
	struct key key;

	operations++;
	hmap_explain(f.h, key_of(k, &key), &before);
	wrong_if(before.buckets ? before.found != f.entries[k].present :
				  f.count);
	wrong_if(before.length > HMAP_WALK_CHAIN);
	if (!before.buckets || before.grows || sim.fail_in)
		return;
	insert(k, HMAP_ANY, GFP_KERNEL);
	if (!f.entries[k].present)
		return;
	hmap_explain(f.h, key_of(k, &key), &after);
	wrong_if(!after.found);
	/* Where there is no memory to move its bucket, that stays for now. */
	if (after.in_old && (may_refuse(-ENOMEM) || may_refuse(-ENOSPC) ||
			     may_refuse(-EDQUOT)))
		return;
	wrong_if(after.in_old || after.at != before.insert_at ||
		 after.slot != before.insert_slot);
}

static void clear(void)
{
	u32 k;

	operations++;
	wrong_if(hmap_clear(f.h));
	for (k = 0; k < f.keys; k++)
		unset(k);
	f.clears++;
	wrong_if(hmap_len(f.h));
}

/* === Walks === */

static void end_walk(struct walk *w)
{
	hmap_iter_exit(&w->it);
	w->state = WALK_NONE;
}

static void open_walk(struct walk *w, bool sorted)
{
	static const struct hmap_cursor start;
	int ret;

	operations++;
	if (w->state == WALK_OPEN)
		end_walk(w);
	w->sorted = sorted;
	w->can_cut = false;
	w->since = f.now;
	w->clears = f.clears;
	memset(w->given, 0, sizeof(w->given));
	ret = hmap_iter_init(&w->it, f.h, sorted ? &start : NULL);
	wrong_if(ret && !(ret == -ENOMEM && sim.failed));
	w->state = ret ? WALK_NONE : WALK_OPEN;
}

/* Nothing that was there all the while is missing. */
static void check_walk(const struct walk *w)
{
	const struct entry *e;
	u32 k;

	wrong_if(w->clears != f.clears);
	for (k = 0; k < f.keys; k++) {
		e = &f.entries[k];
		wrong_if(e->present && e->since <= w->since && !w->given[k]);
	}
}

static u32 check_given(const struct hmap_iter *it)
{
	u32 k = number_of(it->key, it->key_len);

	wrong_if(!f.entries[k].present);
	check_elem(f.entries[k].value, it->elem, it->elem_len);
	return k;
}

/* Whether there may be more. */
static bool go_on(struct walk *w)
{
	int ret = hmap_iter_next(&w->it);
	u32 k;

	operations++;
	switch (ret) {
	case 1:
		k = check_given(&w->it);
		wrong_if(w->given[k]);
		w->given[k] = true;
		w->can_cut = w->sorted && w->it.last;
		return true;
	case 0:
		check_walk(w);
		w->can_cut = w->sorted;
		break;
	case -ESTALE:
		wrong_if(w->clears == f.clears);
		w->can_cut = false;
		break;
	case -ENOMEM:
		wrong_if(!sim.failed);
		w->can_cut = false;
		return true;
	default:
		wrong_if(ret != -EINTR || !sim.signal);
		w->can_cut = false;
		sim.signal = false;
		return true;
	}
	end_walk(w);
	if (w->can_cut)
		w->state = WALK_CUT;
	return false;
}

static void cut_walk(struct walk *w)
{
	struct hmap_cursor cursor = w->it.cursor;
	struct hmap_header hdr;
	int ret;

	if (w->state == WALK_OPEN && w->can_cut) {
		end_walk(w);
		w->state = WALK_CUT;
	} else if (w->state == WALK_CUT) {
		operations++;
		hmap_read_header(f.h, &hdr);
		ret = hmap_iter_init(&w->it, f.h, &cursor);
		if (ret == -ENOMEM && sim.failed) {
			w->it.cursor = cursor;
			return;
		}
		wrong_if(ret != (hdr.epoch == cursor.epoch ? 0 : -ESTALE));
		w->can_cut = false;
		w->state = ret ? WALK_NONE : WALK_OPEN;
	}
}

/* A cursor that was made up may lead anywhere, but only to entries. */
static void forge_walk(u8 flags)
{
	struct hmap_cursor cursor = {
		.start = flags & 1 ? (u64)next16() << 8 | next() % 16 :
				     sim_random(),
		.next = flags & 2 ? sim_random() : (u64)next16() << 48,
	};
	struct hmap_header hdr;
	struct hmap_iter it;
	unsigned int n;
	int ret;

	operations++;
	hmap_read_header(f.h, &hdr);
	cursor.epoch = flags & 4 ? sim_random() : hdr.epoch;
	ret = hmap_iter_init(&it, f.h, &cursor);
	if (ret) {
		wrong_if(ret != -EINVAL &&
			 !(ret == -ESTALE && cursor.epoch != hdr.epoch) &&
			 !(ret == -ENOMEM && sim.failed));
		return;
	}
	for (n = flags; n && hmap_iter_next(&it) == 1; n--) {
		operations++;
		check_given(&it);
	}
	hmap_iter_exit(&it);
}

/* === Reading a mapped map where it lies === */

static void view_change(struct hmap_mapping *mapping)
{
	wrong_if(f.changing);
	f.changing = true;
}

static void view_changed(struct hmap_mapping *mapping,
			 const struct hmap_shown *present,
			 const struct hmap_shown *old)
{
	wrong_if(!f.changing);
	f.changing = false;
	f.present = *present;
	f.old = *old;
}

static void view_unmap(struct hmap_mapping *mapping, u64 page, u64 pages)
{
	struct page *p;

	sim_might_sleep();
	for (p = f.pages; p < f.pages + PAGES; p++) {
		if (p->page - page < pages)
			p->p = NULL;
	}
}

static const void *view_page(u64 page)
{
	unsigned long pfn = hmap_mapping_get(f.h, page);

	hmap_mapping_put(f.h);
	return (void *)(pfn << PAGE_SHIFT);
}

/* What is mapped is read for as long as it has not been unmapped. */
static void view_touch(u64 page, struct page *p)
{
	operations++;
	if (p->p)
		(void)READ_ONCE(p->p[sim_random() % PAGE_SIZE]);
	p->page = page;
	p->p = view_page(page);
}

static const u8 *view_next(const struct hmap_shown *a,
			   const struct hmap_layout *l, const u8 *b)
{
	u32 link = *(const u32 *)(b + l->link);
	u64 m = link - 1 - a->nr_spare;

	if (!link)
		return NULL;
	if (link <= a->nr_spare)
		return view_page(a->page) +
		       ((1UL << a->B) + link - 1) * l->stride;
	wrong_if(a->overflow + m / l->per_page >= a->page + a->pages);
	return view_page(a->overflow + m / l->per_page) +
	       m % l->per_page * l->stride;
}

/* As the interface's description says: 0, -ENOENT, or -EAGAIN for "moved". */
static int view_find(const struct hmap_shown *a, const struct hmap_layout *l,
		     const void *key, const u8 **found)
{
	const struct hmap_type *t = &f.h->t;
	u64 hash = key_hash(t, t->key_kind, key, a->hash0);
	const u8 *head, *b;
	unsigned int i;
	bool end;

	head = view_page(a->page) + (hash & bucket_mask(a->B)) * l->stride;
	wrong_if(*(const u32 *)head & GUARD_LOCKED);
	if (head[8] > EMPTY_ONE && head[8] < MIN_TOPHASH)
		return -EAGAIN;
	for (b = head; b; b = view_next(a, l, b)) {
		end = false;
		for (i = 0; i < BUCKET_CNT; i++) {
			end |= !b[8 + i];
			*found = b + l->elems + i * l->elem_slot;
			if (b[8 + i] == tophash(hash) &&
			    key_equal(t, t->key_kind, key,
				      b + l->keys + i * l->key_slot))
				return 0;
		}
		if (end || !(((const u32 *)head)[1] >> tophash(hash) % 32 & 1))
			break;
	}
	return -ENOENT;
}

static void view_lookup(u32 k)
{
	struct hmap_layout layout;
	const u8 *found = NULL;
	int ret = -EAGAIN;
	struct key key;

	operations++;
	hmap_mapping_layout(f.h, &layout);
	if (f.old.pages)
		ret = view_find(&f.old, &layout, key_of(k, &key), &found);
	if (ret == -EAGAIN)
		ret = f.present.pages ?
		      view_find(&f.present, &layout, key_of(k, &key), &found) :
		      -ENOENT;
	wrong_if(ret != (f.entries[k].present ? 0 : -ENOENT));
	if (!ret)
		check_elem(f.entries[k].value, found, f.params.elem_size);
}

/* === The map === */

static u64 hash_nothing(const void *key, size_t len, u32 hash0)
{
	return 0x1234567800000000ULL;
}

static u64 hash_little(const void *key, size_t len, u32 hash0)
{
	u16 k = 0;

	memcpy(&k, key, min(len, sizeof(k)));
	return (k & 3) | (u64)(k >> 2) << 56;
}

static void put_pool(struct hmap_pool *pool)
{
	f.pool_put = true;
}

static u32 next_key_size(void)
{
	static const u16 bytes[] = { 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 23, 24,
				     25, 32, 100, 127, 128, 129, 300, 512 };
	static const u8 strings[] = { 1, 2, 7, 8, 23, 24, 25, 63, 64, 127, 128 };

	switch (f.params.key_kind) {
	case HMAP_KEY_U32:
		return 4;
	case HMAP_KEY_U64:
		return 8;
	case HMAP_KEY_BYTES:
		return next_of(bytes);
	default:
		return f.params.flags & HMAP_MAPPED ? next_of(strings) : 0;
	}
}

static void choose_params(void)
{
	static const u32 flags[] = {
		0, 0, 0, 0, HMAP_VAR_ELEM, HMAP_VAR_ELEM | HMAP_ACCOUNT,
		HMAP_ACCOUNT, HMAP_SIPHASH, HMAP_MAPPED, HMAP_MAPPED,
		HMAP_MAPPED | HMAP_ACCOUNT, HMAP_MAPPED | HMAP_VAR_ELEM,
		HMAP_MAPPED | HMAP_SIPHASH,
	};
	static const u32 elems[] = { 0, 1, 2, 3, 4, 4, 7, 8, 8, 8, 12, 16, 31,
				     127, 128, 129, 300, 512, 4096, 65536 };
	static const u16 hints[] = { 0, 0, 0, 0, 1, 8, 9, 53, 300, 2000 };
	static const u16 entries[] = { 0, 0, 0, 0, 1, 7, 8, 9, 60, 500, 2000 };
	static const u32 bytes[] = { 0, 0, 0, 0, 0, 2000, 8192, 20000, 70000,
				     300000 };
	static typeof(f.params.hasher) const hashers[] = {
		NULL, NULL, NULL, NULL, NULL, hmap_test_identity,
		hmap_test_mixed, hash_little, hash_nothing,
	};
	u32 pool;

	f.params.key_kind = next() % HMAP_NR_KEY_KINDS;
	f.params.flags = next_of(flags);
	f.params.key_size = next_key_size();
	f.params.elem_size = next_of(elems);
	f.params.hint = next_of(hints);
	f.params.max_entries = next_of(entries);
	f.params.max_bytes = next_of(bytes);
	f.limited = f.params.max_bytes;
	f.params.hasher = next_of(hashers);
	f.params.name = next() & 1 ? "a name" : NULL;
	if (f.params.flags & HMAP_MAPPED && !(next() & 3))
		f.params.mapping = NULL;
	else if (f.params.flags & HMAP_MAPPED)
		f.params.mapping = &f.mapping;
	pool = next();
	if (pool & 1) {
		f.pool.max_bytes = pool & 2 ? LONG_MAX : pool << 10;
		f.pool.put = put_pool;
		f.params.pool = &f.pool;
	}
	f.keys = 4U << next() % 11;
	if (f.params.key_size == 1)
		f.keys = min(f.keys, 256U);
}

static int right_create(void)
{
	const struct hmap_params *p = &f.params;

	if (p->max_entries && p->hint > p->max_entries)
		return -ENOSPC;
	if (p->flags & HMAP_MAPPED &&
	    (p->flags & (HMAP_VAR_ELEM | HMAP_SIPHASH) ||
	     max(p->key_size, p->elem_size) > MAX_INLINE_SIZE))
		return -EINVAL;
	return 0;
}

static bool create(void)
{
	int right, ret;

	f.mapping = (struct hmap_mapping){
		.change = view_change,
		.changed = view_changed,
		.unmap = view_unmap,
	};
	choose_params();
	right = right_create();
	sim.fail_in = next();
	sim.fail_for = 1;
	if (sim.fail_in >= 32)
		sim.fail_in = 0;
	operations++;
	f.h = hmap_create(&f.params);
	sim.fail_in = 0;
	ret = PTR_ERR_OR_ZERO(f.h);
	wrong_if(ret != right && !may_refuse(ret));
	return !ret;
}

static void set_limits(unsigned long max_entries, unsigned long max_bytes)
{
	operations++;
	hmap_set_limits(f.h, max_entries, max_bytes);
	f.params.max_entries = max_entries;
	f.limited |= max_bytes;
}

static void check_header(void)
{
	struct hmap_header hdr;

	operations++;
	hmap_read_header(f.h, &hdr);
	wrong_if(hdr.count != f.count);
	wrong_if(hdr.key_kind != f.params.key_kind);
	wrong_if(hdr.key_size != f.params.key_size);
	wrong_if(hdr.elem_size != f.params.elem_size);
	wrong_if(hdr.max_entries != f.params.max_entries);
}

static void read_chain(bool old, unsigned long bucket)
{
	u64 tophash[3] = { };
	int n;

	operations++;
	n = hmap_read_chain(f.h, old, bucket, tophash, ARRAY_SIZE(tophash));
	wrong_if(n != -ENOENT && (n < 1 || n > HMAP_WALK_CHAIN));
}

static void rename_map(u8 len)
{
	char name[256];

	memset(name, 'x', len);
	name[len] = '\0';
	hmap_rename(f.h, len ? name : NULL);
	wrong_if(strnlen(f.h->name, HMAP_NAME_SIZE) !=
		 min_t(size_t, len, HMAP_NAME_SIZE - 1));
}

/* It takes the limit for what has always been. */
static void check(void)
{
	if (f.count <= f.h->max_entries)
		hmap_test_check(NULL, f.h);
}

/* === An input === */

static void step(void)
{
	struct walk *w = &f.walks[f.now % WALKS];
	unsigned int op = next() % 40, n, k;

	switch (op) {
	case 0 ... 5:
		k = next_key();
		n = next();
		insert(k, n % 3, n & 64 ? next_gfp() : GFP_KERNEL);
		break;
	case 6 ... 7:
		k = next_key();
		for (n = next(); n; n--)
			insert(k++ % f.keys, HMAP_ANY, GFP_KERNEL);
		break;
	case 8 ... 9:
		k = next_key();
		for (n = next(); n; n--)
			lookup(k++ % f.keys);
		break;
	case 10 ... 11:
		k = next_key();
		for (n = next(); n; n--)
			take(k++ % f.keys);
		break;
	case 12 ... 14:
		lookup(next_key());
		break;
	case 15 ... 17:
		take(next_key());
		break;
	case 18:
		exchange(next_key(), next_gfp());
		break;
	case 19:
		k = next_key();
		compare_exchange(k, next() & 1, next_gfp());
		break;
	case 20:
		k = next_key();
		fetch_add(k, next() * GOLDEN_RATIO_64);
		break;
	case 21 ... 22:
		k = next_key();
		n = next();
		update(k, n, n & 128 ? HMAP_MAX_ELEM_SIZE : next(), next_gfp());
		break;
	case 23:
		k = next_key();
		hold(k, &f.holds[next() % HOLDS]);
		break;
	case 24:
		explain(next_key());
		break;
	case 25:
		n = next();
		open_walk(&f.walks[n % WALKS], n & 64);
		break;
	case 26 ... 27:
		n = next();
		w = &f.walks[n % WALKS];
		for (n /= 4; n && w->state == WALK_OPEN; n--)
			go_on(w);
		break;
	case 28:
		cut_walk(&f.walks[next() % WALKS]);
		break;
	case 29:
		forge_walk(next());
		break;
	case 30:
		n = next();
		if (n < 64)
			clear();
		else
			sim.signal = n & 1;
		break;
	case 31:
		n = next();
		set_limits(n & 1 ? 0 : next16() % (2 * f.keys),
			   n & 2 ? 0 : (unsigned long)next16() << (n & 7));
		break;
	case 32:
		n = next();
		sim.fail_in = n % 32;
		sim.fail_for = n & 32 ? n / 64 * 8 + 2 : 1;
		break;
	case 33:
		sim_grace_period();
		break;
	case 34:
		sim_run_work(next() % 4);
		break;
	case 35:
		sim_pass_time(next());
		break;
	case 36:
		sim.cpu = next() % SIM_CPUS;
		break;
	case 37:
		n = next();
		if (n < 32)
			check();
		else if (n < 128)
			check_header();
		else if (n < 224)
			read_chain(n & 1, next());
		else
			rename_map(next());
		break;
	default:
		n = next();
		if (!f.params.mapping)
			break;
		if (n & 1)
			view_touch(next16() % 512, &f.pages[n / 2 % PAGES]);
		else
			view_lookup(next_key());
	}
}

/* Finish what is under way, and see that it all is right. */
static void finish(void)
{
	unsigned int i;
	u32 k;

	sim.fail_in = 0;
	for (i = 0; i < WALKS; i++) {
		while (f.walks[i].state == WALK_OPEN)
			go_on(&f.walks[i]);
	}
	for (i = 0; i < HOLDS; i++) {
		if (f.holds[i].held.block)
			hold(0, &f.holds[i]);
	}
	for (k = 0; k < f.keys; k++)
		lookup(k);
	for (k = 0; f.params.mapping && k < f.keys; k++)
		view_lookup(k);
	if (next() & 1)
		return;
	hmap_barrier();
	if (f.count <= f.h->max_entries)
		hmap_test_check_settled(NULL, f.h);
	open_walk(&f.walks[0], next() & 1);
	while (go_on(&f.walks[0]))
		;
}

static void destroy(void)
{
	if (!IS_ERR(f.h))
		hmap_destroy(f.h);
	hmap_barrier();
	wrong_if(f.params.pool && !f.pool_put);
	wrong_if(atomic_long_read(&f.pool.bytes));
	wrong_if(atomic_read(&f.pool.dying));
}

static void report(void)
{
	fprintf(stderr, "%lu operations\n", operations);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	sim_reset();
	wrong_if(hmap_core_init());
	return atexit(report);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	long allocated = sim.allocated;

	sim_reset();
	memset(&f, 0, sizeof(f));
	f.in = data;
	f.end = data + size;
	if (create()) {
		while (f.in < f.end)
			step();
		finish();
	}
	destroy();
	wrong_if(sim.allocated != allocated);
	return 0;
}
