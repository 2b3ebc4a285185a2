// SPDX-License-Identifier: GPL-2.0
/* How maps are shared, passed on, found by name, unlinked, and freed. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "device.h"

#define NR	100

static void put_many(int fd, __u64 from)
{
	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, from + i, i), 0);
}

static void check_many(int fd, __u64 from)
{
	__u64 elem;

	for (__u64 i = 0; i < NR; i++) {
		EQ(get(fd, from + i, &elem), 0);
		EQ(elem, i);
	}
}

static bool is_gone(void *id)
{
	return !is_map(*(__u64 *)id);
}

static void by_fork(void)
{
	int fd = make_u64(NULL, 0);
	__u64 id = info(fd).id;
	pid_t pid;

	put_many(fd, 0);
	pid = spawn();
	if (!pid) {
		check_many(fd, 0);
		put_many(fd, NR);
		EQ(del(fd, 0), 0);
		exit(0);
	}
	join(pid);
	OK(is_map(id));
	check_many(fd, NR);
	EQ(info(fd).count, 2 * NR - 1);
}

/* The map outlives the file descriptor it was made with. */
static void by_fork_and_close(void)
{
	int fd = make_u64(NULL, 0), from_parent[2], status;
	__u64 id = info(fd).id;
	pid_t pid;
	char c;

	put_many(fd, 0);
	EQ(pipe(from_parent), 0);
	pid = spawn();
	if (!pid) {
		close(from_parent[1]);
		EQ(read(from_parent[0], &c, 1), 0);
		check_many(fd, 0);
		OK(is_map(id));
		exit(0);
	}
	close(fd);
	close(from_parent[1]);
	EQ(waitpid(pid, &status, 0), pid);
	EQ(status, 0);
	OK(becomes_true(is_gone, &id));
}

/* The creator has closed the file and exited before anyone receives it. */
static void by_scm_rights(void)
{
	int pair[2], fd;
	pid_t pid;
	__u64 id;

	EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = spawn();
	if (!pid) {
		fd = make_u64(NULL, 0);
		put_many(fd, 0);
		send_fd(pair[1], fd);
		exit(0);
	}
	join(pid);
	fd = receive_fd(pair[0]);
	id = info(fd).id;
	check_many(fd, 0);
	put_many(fd, NR);
	EQ(info(fd).count, 2 * NR);
	OK(is_map(id));
	close(fd);
	OK(becomes_true(is_gone, &id));
}

/* A descriptor in flight keeps a map, and one that never arrives leaks nothing. */
static void lost_in_flight(void)
{
	int pair[2], fd = make_u64(NULL, 0);
	__u64 id = info(fd).id;

	EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	send_fd(pair[1], fd);
	close(fd);
	OK(is_map(id));
	close(pair[0]);
	close(pair[1]);
	OK(becomes_true(is_gone, &id));
}

static void by_name(void)
{
	int fd = make_u64("shared", 0600), later;
	pid_t pid = spawn();

	if (!pid) {
		close(fd);
		fd = dev_open_map("shared", O_RDWR);
		put_many(fd, 0);
		exit(0);
	}
	join(pid);
	check_many(fd, 0);
	close(fd);
	OK(is_name("shared"));

	/* Now no file is bound to it. */
	pid = spawn();
	if (!pid) {
		fd = dev_open_map("shared", O_RDWR);
		check_many(fd, 0);
		put_many(fd, NR);
		exit(0);
	}
	join(pid);
	later = dev_open_map("shared", O_RDONLY);
	check_many(later, NR);
	EQ(info(later).count, 2 * NR);
}

static void unlink_while_open(void)
{
	int fd = make_u64("fleeting", 0600), other;
	__u64 id = info(fd).id;

	other = dev_open_map("fleeting", O_RDWR);
	put_many(fd, 0);
	EQ(info(fd).state & HMAP_STATE_UNLINKED, 0);
	EQ(unlink_map(other, "fleeting"), 0);
	EQ(info(fd).state & HMAP_STATE_UNLINKED, HMAP_STATE_UNLINKED);
	EQ(info(fd).name[0], 0);
	EQ(info(fd).id, id);
	EQ(open_map(dev(O_RDWR), "fleeting"), -ENOENT);
	OK(!is_name("fleeting"));
	OK(is_map(id));
	check_many(other, 0);
	put_many(other, NR);
	check_many(fd, NR);
	close(fd);
	check_many(other, 0);
	close(other);
	OK(becomes_true(is_gone, &id));
}

static void name_is_free_again(void)
{
	int old = make_u64("again", 0600), fd;
	__u64 elem;

	put_many(old, 0);
	EQ(unlink_map(old, "again"), 0);
	fd = make_u64("again", 0600);
	OK(info(fd).id > info(old).id);
	EQ(info(fd).count, 0);
	EQ(put(fd, 5, 55), 0);
	EQ(get(old, 5, &elem), 0);
	EQ(elem, 5);
	close(fd);
	fd = dev_open_map("again", O_RDONLY);
	EQ(get(fd, 5, &elem), 0);
	EQ(elem, 55);
	EQ(info(old).count, NR);
	close(old);
	EQ(info(fd).count, 1);
}

static void dies_with_its_file(void)
{
	int fd = make_u64(NULL, 0), copy = dup(fd);
	__u64 id = info(fd).id;

	OK(is_map(id));
	close(fd);
	OK(is_map(id));
	put_many(copy, 0);
	close(copy);
	OK(becomes_true(is_gone, &id));
}

/*
 * When a process is killed at any moment, its own map goes away, and a map that
 * it shares stays consistent.
 */
static void killed_user(void)
{
	static char elem[65536];
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = sizeof(elem),
	};
	int fd = make(&arg), ready[2];

	for (int round = 0; round < 20; round++) {
		struct contents c;
		pid_t pid;
		__u64 id;

		EQ(pipe(ready), 0);
		pid = spawn();
		if (!pid) {
			int own = make_u64(NULL, 0);

			id = info(own).id;
			EQ(write(ready[1], &id, sizeof(id)), sizeof(id));
			for (__u64 i = 0;; i++) {
				put(own, i, i);
				i %= 16;
				insert(fd, &i, 8, elem, sizeof(elem), 0);
				c = contents(fd);
				free_contents(&c);
			}
		}
		EQ(read(ready[0], &id, sizeof(id)), sizeof(id));
		usleep(random_u32() % 20000);
		EQ(kill(pid, SIGKILL), 0);
		EQ(waitpid(pid, NULL, 0), pid);
		OK(becomes_true(is_gone, &id));
		c = contents(fd);
		EQ(c.count, info(fd).count);
		free_contents(&c);
		close(ready[0]);
		close(ready[1]);
	}
}

static const struct test tests[] = {
	TEST(by_fork),
	TEST(by_fork_and_close),
	TEST(by_scm_rights),
	TEST(lost_in_flight),
	TEST(by_name),
	TEST(unlink_while_open),
	TEST(name_is_free_again),
	TEST(dies_with_its_file),
	TEST(killed_user),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
