// SPDX-License-Identifier: GPL-2.0
#include "witness.h"

__u32 witness_key(const struct hmap_create *shape, __u32 nr, char *key)
{
	memset(key, 'k', WITNESS_KEY_MAX);
	memcpy(key, &nr, 4);
	return shape->key_size ?: 4 + nr % 200;
}

void witness_fill(void *elem, __u32 len, __u32 nr, __u32 version)
{
	__u32 *word = elem;

	for (__u32 i = 0; i < len / 4; i++)
		word[i] = i % 2 ? nr + i : version + i;
}

void witness_check(const void *elem, __u32 len, __u32 nr)
{
	static __u32 want[WITNESS_ELEM_MAX / 4];
	__u32 version;

	memcpy(&version, elem, 4);
	witness_fill(want, len, nr, version);
	SAME_BYTES(elem, want, len);
}

static __u32 elem_len(const struct hmap_create *shape, __u32 version)
{
	if (!(shape->flags & HMAP_CREATE_VAR_ELEM))
		return shape->elem_size;
	return 8 + version % (shape->elem_size / 4 - 1) * 4;
}

void witness_read(int fd, const struct hmap_create *shape, __u32 nr)
{
	static __u32 elem[WITNESS_ELEM_MAX / 4];
	__u32 len = shape->elem_size;
	char key[WITNESS_KEY_MAX];
	int err = lookup(fd, key, witness_key(shape, nr, key), elem, &len);

	if (err)
		EQ(err, -ENOENT);
	else
		witness_check(elem, len, nr);
}

void witness_write(int fd, const struct hmap_create *shape, __u32 nr)
{
	static __u32 elem[WITNESS_ELEM_MAX / 4], version;
	char key[WITNESS_KEY_MAX];
	__u32 key_len = witness_key(shape, nr, key), len;
	int err;

	version += 4;
	len = elem_len(shape, version);
	witness_fill(elem, len, nr, version);
	if (version % 16 == 0) {
		err = delete(fd, key, key_len);
		OK(!err || err == -ENOENT);
	} else {
		err = insert(fd, key, key_len, elem, len, HMAP_INSERT_ANY);
		OK(!err || (err == -ENOSPC && shape->max_entries));
	}
}

void witness_walk(int fd, __u32 nr, bool anew)
{
	static __u32 buf[WITNESS_ELEM_MAX];
	static struct hmap_next n;
	const struct hmap_record *rec;
	__u32 key;
	int err;

	if (anew)
		memset(&n, 0, sizeof(n));
	err = next(fd, &n, buf, sizeof(buf));
	if (err == -ESTALE) {
		memset(&n, 0, sizeof(n));
		return;
	}
	EQ(err, 0);
	while ((rec = take_record(&n))) {
		memcpy(&key, record_key(rec), 4);
		OK(key < nr);
		witness_check(record_elem(rec), rec->elem_len, key);
	}
}
