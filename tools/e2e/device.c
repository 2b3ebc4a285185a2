// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <grp.h>
#include <hmap_view.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>

#include "device.h"

int load(const char *params)
{
	int fd = open(MODULE_FILE, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		fail(__FILE__, __LINE__, MODULE_FILE ": %m");
	err = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return err;
}

int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

int dev(int flags)
{
	int fd = open(DEVICE, flags | O_CLOEXEC);

	if (fd < 0)
		fail(__FILE__, __LINE__, DEVICE ": %m");
	return fd;
}

int create(int fd, const struct hmap_create *arg)
{
	struct hmap_create copy = *arg;

	return call(fd, HMAP_IOC_CREATE, &copy);
}

int make(const struct hmap_create *arg)
{
	int fd = dev(O_RDWR);

	EQ(create(fd, arg), 0);
	return fd;
}

int open_map(int fd, const char *name)
{
	struct hmap_open arg = { 0 };

	memcpy(arg.name, name, strnlen(name, sizeof(arg.name)));
	return call(fd, HMAP_IOC_OPEN, &arg);
}

int open_fd(int fd, int other)
{
	struct hmap_open arg = { .flags = HMAP_OPEN_FD, .fd = other };

	return call(fd, HMAP_IOC_OPEN, &arg);
}

int dev_open_map(const char *name, int flags)
{
	int fd = dev(flags);

	EQ(open_map(fd, name), 0);
	return fd;
}

int dev_open_fd(int other, int flags)
{
	int fd = dev(flags);

	EQ(open_fd(fd, other), 0);
	return fd;
}

int unlink_map(int fd, const char *name)
{
	struct hmap_unlink arg = { 0 };

	memcpy(arg.name, name, strnlen(name, sizeof(arg.name)));
	return call(fd, HMAP_IOC_UNLINK, &arg);
}

bool is_map(__u64 id)
{
	struct hmap_info arg = { .after = id - 1 };
	int fd = dev(O_RDWR), err = call(fd, HMAP_IOC_INFO, &arg);

	close(fd);
	return !err && arg.id == id;
}

bool is_name(const char *name)
{
	struct hmap_info arg = { 0 };
	int fd = dev(O_RDWR);
	bool found = false;

	while (!found && !call(fd, HMAP_IOC_INFO, &arg)) {
		found = !strcmp(arg.name, name);
		arg.after = arg.id;
	}
	close(fd);
	return found;
}

static const char * const parameters[] = {
	"max_maps", "max_entries", "max_bytes", "max_user_maps",
	"max_user_bytes", "explain", "finish_delay_ms"
};

static unsigned long long defaults[ARRAY_SIZE(parameters)];

static void tidy_up(void)
{
	int fd = dev(O_RDWR);
	struct hmap_info arg = { 0 };

	while (!call(fd, HMAP_IOC_INFO, &arg)) {
		/* A test that failed may have left a process that has one open. */
		if (*arg.name)
			EQ(unlink_map(fd, arg.name), 0);
		arg.after = arg.id;
	}
	close(fd);
	EQ(chmod(DEVICE, 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		set_parameter(parameters[i], defaults[i]);
}

int run_device_tests(const struct test *tests, size_t nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		defaults[i] = parameter(parameters[i]);
	return run_tests(tests, nr, tidy_up);
}

int insert(int fd, const void *key, __u32 key_len, const void *elem,
	   __u32 elem_len, __u32 flags)
{
	struct hmap_entry arg = {
		.key = (uintptr_t)key,
		.elem = (uintptr_t)elem,
		.key_len = key_len,
		.elem_len = elem_len,
		.flags = flags,
	};

	return call(fd, HMAP_IOC_INSERT, &arg);
}

int lookup(int fd, const void *key, __u32 key_len, void *elem, __u32 *elem_len)
{
	struct hmap_entry arg = {
		.key = (uintptr_t)key,
		.elem = (uintptr_t)elem,
		.key_len = key_len,
		.elem_len = *elem_len,
	};
	int err = call(fd, HMAP_IOC_LOOKUP, &arg);

	*elem_len = arg.elem_len;
	return err;
}

int delete(int fd, const void *key, __u32 key_len)
{
	struct hmap_entry arg = {
		.key = (uintptr_t)key,
		.key_len = key_len,
	};

	return call(fd, HMAP_IOC_DELETE, &arg);
}

int next(int fd, struct hmap_next *arg, void *buf, __u32 len)
{
	arg->buf = (uintptr_t)buf;
	arg->len = len;
	arg->flags = 0;
	arg->used = ~0U;
	arg->count = ~0U;
	return call(fd, HMAP_IOC_NEXT, arg);
}

int clear(int fd)
{
	struct hmap_clear arg = { 0 };

	return call(fd, HMAP_IOC_CLEAR, &arg);
}

struct hmap_info info(int fd)
{
	struct hmap_info arg = { 0 };

	EQ(call(fd, HMAP_IOC_INFO, &arg), 0);
	return arg;
}

bool is_settled(void *fd)
{
	struct hmap_info i = info(*(int *)fd);

	return (i.count <= 8 || 2 * i.count <= 13ULL << i.log2_buckets) &&
	       !(i.state & (HMAP_STATE_GROWING | HMAP_STATE_SAME_SIZE));
}

void settle(int fd)
{
	OK(becomes_true(is_settled, &fd));
}

int make_u64(const char *name, __u32 mode)
{
	struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.mode = mode,
	};

	if (name)
		strcpy(arg.name, name);
	return make(&arg);
}

int put(int fd, __u64 key, __u64 elem)
{
	return insert(fd, &key, sizeof(key), &elem, sizeof(elem),
		      HMAP_INSERT_ANY);
}

int get(int fd, __u64 key, __u64 *elem)
{
	__u32 len = sizeof(*elem);

	return lookup(fd, &key, sizeof(key), elem, &len);
}

int del(int fd, __u64 key)
{
	return delete(fd, &key, sizeof(key));
}

void colliding_keys(int fd, __u64 *keys, size_t nr)
{
	const struct hmap_control *c = mmap(NULL, getpagesize(), PROT_READ,
					    MAP_SHARED, fd, 0);
	__u64 key = 0, hash;

	OK(c != MAP_FAILED);
	for (size_t i = 0; i < nr; key++) {
		hash = hmap_view_hash_u64(c->secret, key, c->present.hash0);
		if (hash % 4096 == 0)
			keys[i++] = key;
	}
	EQ(munmap((void *)c, getpagesize()), 0);
}

static int compare_keys(const void *a, const void *b)
{
	const struct hmap_record *x = *(const struct hmap_record **)a;
	const struct hmap_record *y = *(const struct hmap_record **)b;

	if (x->key_len != y->key_len)
		return x->key_len < y->key_len ? -1 : 1;
	return memcmp(record_key(x), record_key(y), x->key_len);
}

/* Also check that padding is zeros, as promised. */
static void index_records(struct contents *c)
{
	struct hmap_next n = { .buf = (uintptr_t)c->buf, .used = c->len };
	const struct hmap_record *rec;
	size_t i = 0;

	c->recs = calloc(c->count + 1, sizeof(*c->recs));
	OK(c->recs);
	while ((rec = take_record(&n))) {
		const char *key = record_key(rec), *elem = record_elem(rec);

		OK(i < c->count);
		for (const char *p = key + rec->key_len; p < elem; p++)
			EQ(*p, 0);
		for (const char *p = elem + rec->elem_len;
		     p < (const char *)(uintptr_t)n.buf; p++)
			EQ(*p, 0);
		c->recs[i++] = rec;
	}
	EQ(i, c->count);
	qsort(c->recs, c->count, sizeof(*c->recs), compare_keys);
	for (i = 1; i < c->count; i++)
		OK(compare_keys(&c->recs[i - 1], &c->recs[i]));
}

struct contents contents(int fd)
{
	const __u32 room = 1 << 18;
	struct contents c = { 0 };
	struct hmap_next arg = { 0 };

	do {
		c.buf = realloc(c.buf, c.len + room);
		OK(c.buf);
		EQ(next(fd, &arg, c.buf + c.len, room), 0);
		OK(arg.used <= room);
		c.len += arg.used;
		c.count += arg.count;
	} while (arg.count);
	index_records(&c);
	return c;
}

void free_contents(struct contents *c)
{
	free(c->buf);
	free(c->recs);
}

void same_contents(const char *file, int line, int fd, struct contents *before)
{
	struct contents after = contents(fd);

	if (after.count != before->count)
		fail(file, line, "the map has %zu entries, and had %zu",
		     after.count, before->count);
	for (size_t i = 0; i < after.count; i++) {
		const struct hmap_record *x = before->recs[i];
		const struct hmap_record *y = after.recs[i];

		if (x->elem_len != y->elem_len || compare_keys(&x, &y) ||
		    memcmp(record_elem(x), record_elem(y), x->elem_len))
			fail(file, line, "the map's entry %zu has changed", i);
	}
	free_contents(&after);
	free_contents(before);
}

static char *map_pages(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	OK(p != MAP_FAILED);
	return p;
}

void *edge(size_t len)
{
	size_t page = getpagesize();
	size_t room = (len + page - 1) / page * page;
	char *p = map_pages(room + page);

	EQ(mprotect(p + room, page, PROT_NONE), 0);
	return p + room - len;
}

void *readonly(const void *from, size_t len)
{
	char *p = map_pages(len);

	memcpy(p, from, len);
	EQ(mprotect(p, len, PROT_READ), 0);
	return p;
}

void *shared(size_t len)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	OK(p != MAP_FAILED);
	return p;
}

int nr_processes(void)
{
	static int nr;

	if (!nr)
		nr = get_nprocs() + 1;	/* reads a file */
	return nr < PROCESSES_MAX ? nr : PROCESSES_MAX;
}

void at_once(void (*fn)(int fd, int who, void *arg), int fd, void *arg)
{
	int nr = nr_processes(), *ready = shared(sizeof(*ready));
	pid_t pids[PROCESSES_MAX];

	for (int who = 0; who < nr; who++) {
		pids[who] = spawn();
		if (pids[who])
			continue;
		for (int i = 0; i < who; i++)
			random_u32();
		__atomic_fetch_add(ready, 1, __ATOMIC_RELAXED);
		while (__atomic_load_n(ready, __ATOMIC_RELAXED) < nr)
			;
		fn(fd, who, arg);
		exit(0);
	}
	for (int who = 0; who < nr; who++)
		join(pids[who]);
}

void need_debugfs(void)
{
	if (access("/sys/kernel/debug", F_OK))
		skip("the kernel has no debugfs");
}

size_t read_file(const char *path, char *buf, size_t room)
{
	int fd = open(path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		fail(__FILE__, __LINE__, "%s: %m", path);
	while ((n = read(fd, buf + len, room - 1 - len)) > 0)
		len += n;
	if (n < 0)
		fail(__FILE__, __LINE__, "%s: %m", path);
	OK(len < room - 1);
	buf[len] = 0;
	close(fd);
	return len;
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(__FILE__, __LINE__, "%s: %m", path);
	close(fd);
}

unsigned long long parameter(const char *name)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	read_file(path, text, sizeof(text));
	return strtoull(text, NULL, 0);
}

void set_parameter(const char *name, unsigned long long value)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	snprintf(text, sizeof(text), "%llu", value);
	write_file(path, text);
}

unsigned long long available_memory(void)
{
	char text[4096], *line;

	read_file("/proc/meminfo", text, sizeof(text));
	line = strstr(text, "MemAvailable:");
	OK(line);
	return strtoull(line + strlen("MemAvailable:"), NULL, 10) << 10;
}

/* A message of one byte, with room for a descriptor */
struct fd_message {
	char byte;
	struct iovec iov;
	union {
		struct cmsghdr cmsg;
		char room[CMSG_SPACE(sizeof(int))];
	};
	struct msghdr msg;
};

static void fd_message_init(struct fd_message *m)
{
	memset(m, 0, sizeof(*m));
	m->iov = (struct iovec) { &m->byte, 1 };
	m->msg = (struct msghdr) {
		.msg_iov = &m->iov,
		.msg_iovlen = 1,
		.msg_control = m->room,
		.msg_controllen = sizeof(m->room),
	};
}

void send_fd(int socket, int fd)
{
	struct fd_message m;

	fd_message_init(&m);
	m.cmsg.cmsg_len = CMSG_LEN(sizeof(fd));
	m.cmsg.cmsg_level = SOL_SOCKET;
	m.cmsg.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&m.cmsg), &fd, sizeof(fd));
	EQ(sendmsg(socket, &m.msg, 0), 1);
}

int receive_fd(int socket)
{
	struct fd_message m;
	int fd;

	fd_message_init(&m);
	EQ(recvmsg(socket, &m.msg, 0), 1);
	OK(CMSG_FIRSTHDR(&m.msg));
	EQ(m.cmsg.cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(&m.cmsg), sizeof(fd));
	return fd;
}

void become(uid_t uid, gid_t gid)
{
	EQ(setgroups(0, NULL), 0);
	EQ(setresgid(gid, gid, gid), 0);
	EQ(setresuid(uid, uid, uid), 0);
}

void as(uid_t uid, void (*fn)(void))
{
	pid_t pid;

	EQ(chmod(DEVICE, 0666), 0);
	pid = spawn();
	if (!pid) {
		become(uid, uid);
		fn();
		exit(0);
	}
	join(pid);
}

void drop_capability(int cap)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];

	EQ(syscall(SYS_capget, &hdr, data), 0);
	data[CAP_TO_INDEX(cap)].effective &= ~CAP_TO_MASK(cap);
	EQ(syscall(SYS_capset, &hdr, data), 0);
}

__u32 random_u32(void)
{
	static __u64 state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}
