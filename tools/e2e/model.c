// SPDX-License-Identifier: GPL-2.0
#include "model.h"

const struct hmap_create model_shapes[] = {
	{ .key_kind = HMAP_KIND_U32, .key_size = 4, .elem_size = 4 },
	{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 200 },
	{ .key_kind = HMAP_KIND_BYTES, .key_size = 16 },
	{ .key_kind = HMAP_KIND_BYTES, .key_size = 200, .elem_size = 129 },
	{ .key_kind = HMAP_KIND_STRING, .elem_size = 8 },
	{ .key_kind = HMAP_KIND_STRING, .elem_size = MODEL_BYTES,
	  .flags = HMAP_CREATE_VAR_ELEM },
	{ .key_kind = HMAP_KIND_U64, .key_size = 8, .elem_size = 8,
	  .flags = HMAP_CREATE_MAPPED },
	{ .key_kind = HMAP_KIND_STRING, .key_size = 100, .elem_size = 24,
	  .flags = HMAP_CREATE_MAPPED },
};

const size_t nr_model_shapes = ARRAY_SIZE(model_shapes);

/* The number, followed by bytes that depend on it */
static void fill(unsigned char *to, __u32 len, __u32 nr)
{
	for (__u32 i = 0; i < len; i += 4) {
		__u32 word = nr + i * 2654435761U;

		memcpy(to + i, &word, len - i < 4 ? len - i : 4);
	}
}

static __u32 key_len(const struct model *m, __u32 key)
{
	if (m->shape.key_kind != HMAP_KIND_STRING)
		return m->shape.key_size;
	if (key % 64)
		return 4 + key % 37;
	return m->shape.key_size ?: MODEL_BYTES - key;
}

static __u32 elem_len(const struct model *m, __u32 elem)
{
	if (!(m->shape.flags & HMAP_CREATE_VAR_ELEM))
		return m->shape.elem_size;
	return elem % 64 ? elem % 300 : MODEL_BYTES - elem % 1000;
}

__u32 model_key(const struct model *m, __u32 key, void *to)
{
	fill(to, key_len(m, key), key);
	return key_len(m, key);
}

__u32 model_elem(const struct model *m, __u32 elem, void *to)
{
	fill(to, elem_len(m, elem), elem);
	return elem_len(m, elem);
}

void model_make(struct model *m, const struct hmap_create *shape)
{
	*m = (struct model) {
		.fd = make(shape),
		.shape = *shape,
	};
}

struct op model_pick(bool fill_up)
{
	static __u32 last_elem;
	__u32 dice = random_u32() % 16;

	return (struct op) {
		.what = dice < 4 ? LOOKUP :
			dice < (fill_up ? 14 : 8) ? INSERT : DELETE,
		.key = random_u32() % MODEL_KEYS,
		.elem = ++last_elem,
		.flags = random_u32() % 8 < 6 ? HMAP_INSERT_ANY :
			 random_u32() % 2 ? HMAP_INSERT_NOEXIST :
					    HMAP_INSERT_EXIST,
	};
}

int model_expect(const struct model *m, const struct op *op)
{
	bool there = m->elem[op->key];

	if (op->what != INSERT)
		return there ? 0 : -ENOENT;
	if (op->flags == HMAP_INSERT_NOEXIST && there)
		return -EEXIST;
	if (op->flags == HMAP_INSERT_EXIST && !there)
		return -ENOENT;
	return 0;
}

static int do_lookup(const struct model *m, const void *key, const struct op *op)
{
	static unsigned char elem[MODEL_BYTES], want[MODEL_BYTES];
	__u32 len = m->shape.elem_size;
	int err = lookup(m->fd, key, key_len(m, op->key), elem, &len);

	if (!err) {
		EQ(len, elem_len(m, m->elem[op->key]));
		fill(want, len, m->elem[op->key]);
		SAME_BYTES(elem, want, len);
	}
	return err;
}

int model_do(const struct model *m, const struct op *op)
{
	static unsigned char key[MODEL_BYTES], elem[MODEL_BYTES];
	__u32 len = model_key(m, op->key, key);

	if (op->what == LOOKUP)
		return do_lookup(m, key, op);
	if (op->what == DELETE)
		return delete(m->fd, key, len);
	return insert(m->fd, key, len, elem, model_elem(m, op->elem, elem),
		      op->flags);
}

void model_apply(struct model *m, const struct op *op)
{
	if (op->what == INSERT) {
		m->count += !m->elem[op->key];
		m->elem[op->key] = op->elem;
	} else if (op->what == DELETE) {
		m->count--;
		m->elem[op->key] = 0;
	}
}

void model_see(const struct model *m, struct hmap_next *n,
	       __u32 seen[MODEL_KEYS])
{
	static unsigned char want[MODEL_BYTES];
	const struct hmap_record *rec;

	while ((rec = take_record(n))) {
		__u32 key = *(__u32 *)record_key(rec);

		OK(key < MODEL_KEYS);
		EQ(rec->key_len, key_len(m, key));
		fill(want, rec->key_len, key);
		SAME_BYTES(record_key(rec), want, rec->key_len);

		OK(m->elem[key]);
		EQ(rec->elem_len, elem_len(m, m->elem[key]));
		fill(want, rec->elem_len, m->elem[key]);
		SAME_BYTES(record_elem(rec), want, rec->elem_len);
		seen[key]++;
	}
}

void model_check(const struct model *m)
{
	struct contents c = contents(m->fd);
	struct hmap_next n = { .buf = (uintptr_t)c.buf, .used = c.len };
	__u32 seen[MODEL_KEYS] = { 0 };

	EQ(c.count, m->count);
	EQ(info(m->fd).count, m->count);
	model_see(m, &n, seen);
	for (__u32 i = 0; i < MODEL_KEYS; i++)
		EQ(seen[i], !!m->elem[i]);
	free_contents(&c);
}
