/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ioctls of /dev/hmap as functions that return 0 or a negative errno, and
 * whole maps as values that can be compared.
 */
#ifndef _DEVICE_H
#define _DEVICE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/hmap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness.h"

#define DEVICE		"/dev/hmap"
#define MODULE_FILE	"/modules/hmap.ko"
#define PARAMETERS	"/sys/module/hmap/parameters/"
#define DEBUGFS		"/sys/kernel/debug/hmap/"

/* The call that a caller built with a structure of @size would make */
static inline unsigned long sized(unsigned long cmd, size_t size)
{
	return _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), size);
}

/* run_tests(), and restore maps, device mode and parameters after each. */
int run_device_tests(const struct test *tests, size_t nr);

/* Load the module, and unload one. */
int load(const char *params);
int unload(const char *name);

int call(int fd, unsigned long cmd, void *arg);

/* A file that is not bound, and one that is bound to a new map. */
int dev(int flags);
int create(int fd, const struct hmap_create *arg);
int make(const struct hmap_create *arg);
int open_map(int fd, const char *name);
int open_fd(int fd, int other);
int dev_open_map(const char *name, int flags);
int dev_open_fd(int other, int flags);
int unlink_map(int fd, const char *name);
bool is_map(__u64 id);
bool is_name(const char *name);

int insert(int fd, const void *key, __u32 key_len, const void *elem,
	   __u32 elem_len, __u32 flags);
int lookup(int fd, const void *key, __u32 key_len, void *elem, __u32 *elem_len);
int delete(int fd, const void *key, __u32 key_len);

/* Go on from the cursor in @arg; a cursor of zeros begins a walk. */
int next(int fd, struct hmap_next *arg, void *buf, __u32 len);
int clear(int fd);
struct hmap_info info(int fd);

/* Whether no growth is under way, and none is due; and wait for that. */
bool is_settled(void *fd);
void settle(int fd);

/* Maps of u64 to u64. */
int make_u64(const char *name, __u32 mode);
int put(int fd, __u64 key, __u64 elem);
int get(int fd, __u64 key, __u64 *elem);
int del(int fd, __u64 key);

/*
 * Pick keys that collide in a mapped map, as who reads it can: the lowest 12 bits
 * of their hashes are 0 for the seed it has now.
 */
void colliding_keys(int fd, __u64 *keys, size_t nr);

static inline const void *record_key(const struct hmap_record *rec)
{
	return rec + 1;
}

static inline const void *record_elem(const struct hmap_record *rec)
{
	return (const char *)(rec + 1) + HMAP_RECORD_ALIGN(rec->key_len);
}

/* Remove the first of the records that NEXT has written, and return it. */
static inline const struct hmap_record *take_record(struct hmap_next *n)
{
	const struct hmap_record *rec = (void *)(uintptr_t)n->buf;
	__u32 size;

	if (!n->used)
		return NULL;
	size = HMAP_RECORD_SIZE(rec->key_len, rec->elem_len);
	OK(size <= n->used);
	n->buf += size;
	n->used -= size;
	return rec;
}

/* All records of a map, sorted by key */
struct contents {
	char *buf;
	size_t len;
	const struct hmap_record **recs;
	size_t count;
};

struct contents contents(int fd);
void free_contents(struct contents *c);
void same_contents(const char *file, int line, int fd, struct contents *before);

/* @expr must fail with @err and leave the map of @fd as it is. */
#define REFUSED(fd, expr, err)						\
do {									\
	int fd_ = fd;							\
	struct contents before_ = contents(fd_);			\
									\
	CHECK_EQ(expr, #expr, -(err), "-" #err);			\
	same_contents(__FILE__, __LINE__, fd_, &before_);		\
} while (0)

/* @len bytes that end at an unmapped page, and a read-only copy of @from */
void *edge(size_t len);
void *readonly(const void *from, size_t len);
#define NOWHERE		((void *)8)
#define KERNEL_MEMORY	((void *)0xffff888000001000UL)

/* Memory shared with processes that are forked later */
void *shared(size_t len);

/*
 * Run @fn in more processes than there are CPUs.  They start at the same time, and
 * none may fail.
 */
#define PROCESSES_MAX	16
int nr_processes(void);
void at_once(void (*fn)(int fd, int who, void *arg), int fd, void *arg);

/* Skip the test where the kernel has no debugfs. */
void need_debugfs(void);

/* Read and write short files and module parameters. */
size_t read_file(const char *path, char *buf, size_t room);
void write_file(const char *path, const char *text);
unsigned long long parameter(const char *name);
void set_parameter(const char *name, unsigned long long value);

/* MemAvailable of /proc/meminfo, in bytes */
unsigned long long available_memory(void);

/* Pass a file on through a socket. */
void send_fd(int socket, int fd);
int receive_fd(int socket);

/* Make this process an unprivileged user's, for good. */
void become(uid_t uid, gid_t gid);

/* Run @fn as a user, after letting everybody open the device. */
void as(uid_t uid, void (*fn)(void));
void drop_capability(int cap);

/* Pseudo-random, with the same sequence in each run */
__u32 random_u32(void);

#endif /* _DEVICE_H */
