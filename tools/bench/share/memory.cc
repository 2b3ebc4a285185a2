// SPDX-License-Identifier: GPL-2.0
/*
 * Tables in memory: std::unordered_map, which is a process's own and bounds what
 * can be had; LMDB, a B+tree in a file whose size is fixed beforehand, here in
 * memory and never synchronized, with a read transaction that is renewed every
 * few thousand lookups; and Boost's unordered_map in shared memory, under the
 * sharable mutex that Boost has for processes.
 */
#include <unordered_map>

#include <boost/functional/hash.hpp>
#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_sharable_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/interprocess/sync/sharable_lock.hpp>
#include <boost/unordered_map.hpp>
#include <cstdlib>
#include <lmdb.h>
#include <sys/mman.h>
#include <unistd.h>

#include "share.hh"

namespace ipc = boost::interprocess;

/* === std::unordered_map === */

template <class key> struct own : loops<key, own<key>> {
	std::unordered_map<key, uint64_t> map;

	static std::unique_ptr<table<key>> make(size_t n)
	{
		auto t = std::make_unique<own>();

		t->map.reserve(n);
		return t;
	}

	void insert_one(const key &k, uint64_t elem)
	{
		map[k] = elem;
	}

	bool lookup_one(const key &k, uint64_t &elem)
	{
		auto at = map.find(k);

		if (at == map.end())
			return false;
		elem = at->second;
		return true;
	}
};

/* === LMDB === */

#define LMDB_BYTES	(1ULL << 30)

template <class key> struct lmdb : table<key> {
	char dir[sizeof("/dev/shm/share.XXXXXX")] = "/dev/shm/share.XXXXXX";
	MDB_env *env = NULL;
	MDB_txn *reader = NULL;
	MDB_dbi db;

	static void must(int err)
	{
		if (err)
			die(mdb_strerror(err));
	}

	static std::unique_ptr<table<key>> make(size_t)
	{
		auto t = std::make_unique<lmdb>();

		if (!mkdtemp(t->dir))
			die("/dev/shm");
		t->attach();
		return t;
	}

	~lmdb()
	{
		mdb_env_close(env);
		unlink((std::string(dir) + "/data.mdb").c_str());
		unlink((std::string(dir) + "/lock.mdb").c_str());
		rmdir(dir);
	}

	/* An environment is of one process; what is inherited is left alone. */
	void attach() override
	{
		unsigned int flags = MDB_CREATE;
		MDB_txn *txn;

		if (std::is_same<key, uint64_t>::value)
			flags |= MDB_INTEGERKEY;
		must(mdb_env_create(&env));
		must(mdb_env_set_mapsize(env, LMDB_BYTES));
		must(mdb_env_open(env, dir, MDB_NOSYNC | MDB_WRITEMAP, 0600));
		must(mdb_txn_begin(env, NULL, 0, &txn));
		must(mdb_dbi_open(txn, NULL, flags, &db));
		must(mdb_txn_commit(txn));
		reader = NULL;
	}

	void insert(const key *keys, size_t n) override
	{
		MDB_txn *txn;

		must(mdb_txn_begin(env, NULL, 0, &txn));
		for (size_t i = 0; i < n; i++) {
			uint64_t elem = elem_of(keys[i]);
			MDB_val k = { sizeof(key), (void *)&keys[i] };
			MDB_val v = { sizeof(elem), &elem };

			must(mdb_put(txn, db, &k, &v, 0));
		}
		must(mdb_txn_commit(txn));
	}

	size_t lookup(const key *keys, size_t n) override
	{
		size_t good = 0;

		if (reader)
			must(mdb_txn_renew(reader));
		else
			must(mdb_txn_begin(env, NULL, MDB_RDONLY, &reader));
		for (size_t i = 0; i < n; i++) {
			MDB_val k = { sizeof(key), (void *)&keys[i] }, v;
			uint64_t elem;

			if (mdb_get(reader, db, &k, &v))
				continue;
			memcpy(&elem, v.mv_data, sizeof(elem));
			good += elem == elem_of(keys[i]);
		}
		mdb_txn_reset(reader);
		return good;
	}
};

/* === Boost.Interprocess === */

static size_t hash_value(const string16 &name)
{
	return boost::hash_range(name.bytes, name.bytes + sizeof(name.bytes));
}

template <class key> struct shared : loops<key, shared<key>> {
	typedef std::pair<const key, uint64_t> entry;
	typedef ipc::allocator<entry,
			       ipc::managed_shared_memory::segment_manager>
		allocator;
	typedef boost::unordered_map<key, uint64_t, boost::hash<key>,
				     std::equal_to<key>, allocator> map_t;

	std::string file;
	ipc::managed_shared_memory memory;
	ipc::interprocess_sharable_mutex *mutex;
	map_t *map;

	static std::unique_ptr<table<key>> make(size_t n)
	{
		auto t = std::make_unique<shared>();

		t->file = "share." + std::to_string(getpid());
		t->memory = ipc::managed_shared_memory(ipc::create_only,
						       t->file.c_str(),
						       (16 << 20) + n * 128);
		t->mutex = t->memory.template
			   construct<ipc::interprocess_sharable_mutex>("mutex")();
		t->map = t->memory.template construct<map_t>("map")(
			n, boost::hash<key>(), std::equal_to<key>(),
			allocator(t->memory.get_segment_manager()));
		return t;
	}

	~shared()
	{
		ipc::shared_memory_object::remove(file.c_str());
	}

	void insert_one(const key &k, uint64_t elem)
	{
		ipc::scoped_lock<ipc::interprocess_sharable_mutex> lock(*mutex);

		(*map)[k] = elem;
	}

	bool lookup_one(const key &k, uint64_t &elem)
	{
		ipc::sharable_lock<ipc::interprocess_sharable_mutex> lock(*mutex);
		auto at = map->find(k);

		if (at == map->end())
			return false;
		elem = at->second;
		return true;
	}
};

const std::vector<peer> memory_peers = {
	make_peer<own>("unordered_map", false),
	make_peer<lmdb>("lmdb"),
	make_peer<shared>("boost"),
};
