/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables that processes share, and what is measured of them.
 */
#ifndef _SHARE_H
#define _SHARE_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/* A string of 16 bytes, which are hexadecimal digits. */
struct string16 {
	char bytes[16];

	bool operator==(const string16 &other) const
	{
		return !memcmp(bytes, other.bytes, sizeof(bytes));
	}
};

template <> struct std::hash<string16> {
	size_t operator()(const string16 &name) const
	{
		return std::hash<std::string_view>()({ name.bytes, 16 });
	}
};

/* What is stored for a key. */
template <class key> inline uint64_t elem_of(const key &k)
{
	uint64_t word;

	memcpy(&word, &k, sizeof(word));
	return ~word;
}

/*
 * A table that is made and filled by one process and used by those it forks.
 * What fails ends the program.
 */
template <class key> struct table {
	virtual ~table() {}

	/* Whether there is memory to be touched before it is timed. */
	virtual bool is_memory() { return true; }
	/* Called once in each process that uses it. */
	virtual void attach() {}
	virtual void insert(const key *keys, size_t n) = 0;
	/* How many of the keys are there, with the elem they should have. */
	virtual size_t lookup(const key *keys, size_t n) = 0;
};

/* Of a table that has lookup_one(). */
template <class key, class impl> struct lookups : table<key> {
	size_t lookup(const key *keys, size_t n) override
	{
		size_t good = 0;
		uint64_t elem;

		for (size_t i = 0; i < n; i++)
			good += static_cast<impl *>(this)->lookup_one(keys[i],
								      elem) &&
				elem == elem_of(keys[i]);
		return good;
	}
};

/* And insert_one(). */
template <class key, class impl> struct loops : lookups<key, impl> {
	void insert(const key *keys, size_t n) override
	{
		for (size_t i = 0; i < n; i++)
			static_cast<impl *>(this)->insert_one(keys[i],
							      elem_of(keys[i]));
	}
};

/* Makes a table for so many keys, or returns NULL if it is not to be had here. */
template <class key>
using maker = std::function<std::unique_ptr<table<key>>(size_t n)>;

struct peer {
	const char *name;
	bool shared;		/* by processes, so that one of them can write */
	maker<uint64_t> u64;
	maker<string16> string;
};

extern const std::vector<peer> kernel_peers;	/* hmap, bpf(2) */
extern const std::vector<peer> memory_peers;	/* LMDB, Boost, std */
extern const std::vector<peer> server_peers;	/* Redis, memcached */

/* A peer from a template of tables. */
template <template <class> class table_t>
peer make_peer(const char *name, bool shared = true)
{
	return {
		name, shared,
		[](size_t n) { return table_t<uint64_t>::make(n); },
		[](size_t n) { return table_t<string16>::make(n); },
	};
}

void __attribute__((noreturn)) die(const std::string &what);

#endif /* _SHARE_H */
