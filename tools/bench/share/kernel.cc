// SPDX-License-Identifier: GPL-2.0
/*
 * Tables in the kernel: a mapped map of /dev/hmap, through a view and by ioctl,
 * one key at a time and many, and a BPF hash map through bpf(2), which knows no
 * lookup of many given keys.  BPF's has its elements allocated beforehand, its
 * default and the faster way.
 */
#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hmap.h>
#include <hmap_view.h>

#include "share.hh"

#define BATCH	256

HMAP_VIEW_DEFINE(u64s, uint64_t, uint64_t)

static void set_types(struct hmap_create &create, const uint64_t *)
{
	create.key_kind = HMAP_KIND_U64;
	create.key_size = sizeof(uint64_t);
}

static void set_types(struct hmap_create &create, const string16 *)
{
	create.key_kind = HMAP_KIND_STRING;
	create.key_size = sizeof(string16);
}

static int look(struct hmap_view *view, uint64_t key, uint64_t &elem)
{
	return u64s_lookup(view, key, &elem);
}

static int look(struct hmap_view *view, const string16 &key, uint64_t &elem)
{
	__u32 len = sizeof(elem);

	return hmap_view_lookup(view, &key, sizeof(key), &elem, &len);
}

/* The lengths of so many keys of a type, or NULL where it tells them. */
static const __u32 *lens_of(const uint64_t *)
{
	return NULL;
}

static const __u32 *lens_of(const string16 *)
{
	static __u32 lens[BATCH];

	std::fill(lens, lens + BATCH, (__u32)sizeof(string16));
	return lens;
}

/* The elems of many keys, BATCH of them at a time. */
template <class key, class fn>
size_t in_batches(const key *keys, size_t n, const fn &lookup)
{
	uint64_t elems[BATCH];
	__s32 results[BATCH];
	size_t good = 0;

	for (size_t i = 0; i < n; i += BATCH) {
		__u32 m = std::min<size_t>(BATCH, n - i);

		if (lookup(keys + i, lens_of(keys), elems, results, &m))
			die("a batch");
		for (size_t j = 0; j < m; j++)
			good += !results[j] && elems[j] == elem_of(keys[i + j]);
	}
	return good;
}

/* Have @insert store the elems of many keys. */
template <class key, class fn>
void insert_in_batches(const key *keys, size_t n, const fn &insert)
{
	uint64_t elems[BATCH];

	for (size_t i = 0; i < n; i += BATCH) {
		__u32 m = std::min<size_t>(BATCH, n - i), done = m;

		for (__u32 j = 0; j < m; j++)
			elems[j] = elem_of(keys[i + j]);
		if (insert(keys + i, elems, &done) || done != m)
			die("a batch of inserts");
	}
}

/* Filled by hmap_insert_batch(), whatever it is read by. */
template <class key> struct hmap : lookups<key, hmap<key>> {
	struct hmap_view *view = NULL;
	int fd = -1;

	static std::unique_ptr<table<key>> make(size_t n)
	{
		return open_one<hmap>(n);
	}

	template <class type> static std::unique_ptr<table<key>> open_one(size_t n)
	{
		struct hmap_create create = {};
		auto t = std::make_unique<type>();

		set_types(create, (const key *)NULL);
		create.elem_size = sizeof(uint64_t);
		create.flags = HMAP_CREATE_MAPPED;
		create.mode = 0600;
		create.hint = n;
		t->fd = hmap_create(NULL, &create);
		if (t->fd < 0)
			die("/dev/hmap");
		return t;
	}

	~hmap()
	{
		close(fd);
	}

	void attach() override
	{
		view = hmap_view(fd);
		if (!view)
			die("hmap_view");
	}

	void insert(const key *keys, size_t n) override
	{
		insert_in_batches(keys, n, [this](auto keys, auto elems,
						  auto count) {
			__s32 results[BATCH];

			return hmap_insert_batch(fd, keys, lens_of(keys), elems,
						 NULL, results, count,
						 HMAP_INSERT_ANY);
		});
	}

	bool lookup_one(const key &k, uint64_t &elem)
	{
		return !look(view, k, elem);
	}
};

template <class key> struct hmap_batch_view : hmap<key> {
	static std::unique_ptr<table<key>> make(size_t n)
	{
		return hmap<key>::template open_one<hmap_batch_view>(n);
	}

	size_t lookup(const key *keys, size_t n) override
	{
		return in_batches(keys, n, [this](auto keys, auto lens,
						  auto elems, auto results,
						  auto count) {
			return hmap_view_lookup_batch(this->view, keys, lens,
						      elems, NULL, 0, results,
						      count);
		});
	}
};

template <class key> struct hmap_batch_ioctl : hmap<key> {
	static std::unique_ptr<table<key>> make(size_t n)
	{
		return hmap<key>::template open_one<hmap_batch_ioctl>(n);
	}

	bool is_memory() override { return false; }

	size_t lookup(const key *keys, size_t n) override
	{
		return in_batches(keys, n, [this](auto keys, auto lens,
						  auto elems, auto results,
						  auto count) {
			return hmap_lookup_batch(this->fd, keys, lens, elems,
						 NULL, 0, results, count);
		});
	}
};

template <class key> struct hmap_ioctl : hmap<key> {
	static std::unique_ptr<table<key>> make(size_t n)
	{
		return hmap<key>::template open_one<hmap_ioctl>(n);
	}

	bool is_memory() override { return false; }

	size_t lookup(const key *keys, size_t n) override
	{
		size_t good = 0;

		for (size_t i = 0; i < n; i++) {
			__u32 len = sizeof(uint64_t);
			uint64_t elem;

			good += !hmap_lookup(this->fd, &keys[i], sizeof(key),
					     &elem, &len) &&
				elem == elem_of(keys[i]);
		}
		return good;
	}
};

/* === bpf(2) === */

template <class key> struct bpf : lookups<key, bpf<key>> {
	int fd = -1;

	static long call(int cmd, union bpf_attr &attr)
	{
		return syscall(__NR_bpf, cmd, &attr, sizeof(attr));
	}

	static std::unique_ptr<table<key>> make(size_t n)
	{
		auto t = std::make_unique<bpf>();
		union bpf_attr attr = {};

		attr.map_type = BPF_MAP_TYPE_HASH;
		attr.key_size = sizeof(key);
		attr.value_size = sizeof(uint64_t);
		attr.max_entries = n;
		t->fd = call(BPF_MAP_CREATE, attr);
		if (t->fd < 0)
			die("bpf");
		return t;
	}

	~bpf()
	{
		close(fd);
	}

	bool is_memory() override { return false; }

	void insert(const key *keys, size_t n) override
	{
		insert_in_batches(keys, n, [this](auto keys, auto elems,
						  auto count) {
			union bpf_attr attr = {};
			long err;

			attr.batch.map_fd = fd;
			attr.batch.keys = (uintptr_t)keys;
			attr.batch.values = (uintptr_t)elems;
			attr.batch.count = *count;
			err = call(BPF_MAP_UPDATE_BATCH, attr);
			*count = attr.batch.count;
			return err;
		});
	}

	bool lookup_one(const key &k, uint64_t &elem)
	{
		union bpf_attr attr = {};

		attr.map_fd = fd;
		attr.key = (uintptr_t)&k;
		attr.value = (uintptr_t)&elem;
		return !call(BPF_MAP_LOOKUP_ELEM, attr);
	}
};

const std::vector<peer> kernel_peers = {
	make_peer<hmap>("view"),
	make_peer<hmap_batch_view>("view_batch"),
	make_peer<hmap_ioctl>("ioctl"),
	make_peer<hmap_batch_ioctl>("ioctl_batch"),
	make_peer<bpf>("bpf"),
};
