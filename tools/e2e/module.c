// SPDX-License-Identifier: GPL-2.0
/* Unloading is refused while the module is in use, and leaves nothing behind. */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "device.h"

static bool can_open(void)
{
	int fd = open(DEVICE, O_RDWR);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void refused_while_open(void)
{
	int unbound = dev(O_RDWR), anonymous, named;

	EQ(unload("hmap"), -EWOULDBLOCK);
	anonymous = make_u64(NULL, 0);
	close(unbound);
	EQ(put(anonymous, 1, 1), 0);
	EQ(unload("hmap"), -EWOULDBLOCK);
	named = make_u64("named", 0600);
	close(anonymous);
	EQ(unload("hmap"), -EWOULDBLOCK);
	EQ(put(named, 1, 1), 0);
	EQ(unlink_map(named, "named"), 0);
	EQ(unload("hmap"), -EWOULDBLOCK);
	close(named);
	EQ(unload("hmap"), 0);
	EQ(load(""), 0);
}

static void refused_while_mapped_by_child(void)
{
	int fd = make_u64(NULL, 0), from_parent[2];
	pid_t pid;
	char c;

	EQ(pipe2(from_parent, O_CLOEXEC), 0);
	pid = spawn();
	if (!pid) {
		close(from_parent[1]);
		EQ(read(from_parent[0], &c, 1), 0);
		exit(0);
	}
	close(fd);
	EQ(unload("hmap"), -EWOULDBLOCK);
	close(from_parent[1]);
	join(pid);
	EQ(unload("hmap"), 0);
	EQ(load(""), 0);
}

/* Maps of all kinds, some in the middle of a growth, and unfinished walks. */
static void named_maps_are_left(void)
{
	static char elem[4096];
	struct hmap_create arg = {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = sizeof(elem),
		.flags = HMAP_CREATE_VAR_ELEM,
		.name = "strings",
	};
	int fd;

	for (int round = 0; round < 2; round++) {
		struct hmap_next n = { 0 }, m = { 0 };

		fd = make(&arg);
		for (__u64 i = 0; i < 700; i++)
			EQ(insert(fd, elem, i * 4 % 4097, elem, i, 0), 0);
		EQ(next(fd, &n, elem, sizeof(elem)), 0);
		close(fd);
		fd = make_u64("growing", 0600);
		for (__u64 i = 0; i < 6657; i++)
			EQ(put(fd, i, i), 0);
		EQ(next(fd, &m, elem, sizeof(elem)), 0);
		close(fd);
		close(make_u64("empty", 0600));

		EQ(unload("hmap"), 0);
		OK(access(DEBUGFS, F_OK));
		OK(access(PARAMETERS, F_OK));
		OK(!can_open());
		EQ(load(""), 0);
		OK(!is_name("strings") && !is_name("growing"));
	}
}

static void parameters_of_a_load(void)
{
	int fds[2], fd;
	struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
	};

	EQ(unload("hmap"), 0);
	EQ(load("max_maps=nonsense"), -EINVAL);
	OK(!can_open());
	EQ(load("max_maps=2 max_entries=7 max_bytes=65536"), 0);
	EQ(load(""), -EEXIST);
	fds[0] = make(&arg);
	fds[1] = make(&arg);
	EQ(info(fds[0]).max_entries, 7);
	EQ(info(fds[0]).max_bytes, 65536);
	fd = dev(O_RDWR);
	drop_capability(CAP_SYS_RESOURCE);
	EQ(create(fd, &arg), -ENOSPC);
	for (__u64 i = 0; i < 7; i++)
		EQ(insert(fds[1], &i, 8, NULL, 0, 0), 0);
	EQ(insert(fds[1], &(__u64){ 7 }, 8, NULL, 0, 0), -ENOSPC);
	close(fds[0]);
	close(fds[1]);
	close(fd);
	EQ(unload("hmap"), 0);
	EQ(load(""), 0);
}

static void debugfs_file_left_open(void)
{
	char buf[64];
	int map = make_u64("watched", 0600), fd;

	need_debugfs();
	fd = open(DEBUGFS "watched/buckets", O_RDONLY | O_CLOEXEC);
	OK(fd >= 0);
	EQ(put(map, 1, 1), 0);
	OK(read(fd, buf, 10) > 0);
	EQ(unlink_map(map, "watched"), 0);
	close(map);
	EQ(read(fd, buf, sizeof(buf)) < 0 ? errno : 0, EIO);
	close(fd);
	EQ(unload("hmap"), 0);
	EQ(load(""), 0);
}

static void device_is_private(void)
{
	struct stat st;

	EQ(unload("hmap"), 0);
	EQ(load(""), 0);
	EQ(stat(DEVICE, &st), 0);
	EQ(st.st_mode, S_IFCHR | 0600);
	EQ(st.st_uid, 0);
}

/* === Again and again, beside those who use it === */

#define ROUNDS	1000
#define SECONDS	40

/* Use what is there, if it is there. */
static void come_and_go(void)
{
	struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
	};

	for (;;) {
		int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

		arg.flags ^= HMAP_CREATE_MAPPED;
		if (fd < 0) {
			OK(errno == ENOENT || errno == ENODEV || errno == ENXIO);
			sched_yield();
			continue;
		}
		EQ(create(fd, &arg), 0);
		for (__u64 i = 0; i < 50; i++)
			EQ(put(fd, i, i), 0);
		EQ(info(fd).count, 50);
		close(fd);
		usleep(random_u32() % 50000);
	}
}

/* A thousand times, or as often as there is time for */
static void again_and_again(void)
{
	time_t end = time(NULL) + SECONDS * times_longer();
	unsigned int nr = 0, refused = 0;
	pid_t pids[2];
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = spawn();
		if (!pids[i])
			come_and_go();
	}
	while (nr < ROUNDS * times_longer() && time(NULL) < end) {
		int err = unload("hmap");

		if (err) {
			EQ(err, -EWOULDBLOCK);
			refused++;
			usleep(1000);
			continue;
		}
		EQ(load(""), 0);
		nr++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		EQ(kill(pids[i], SIGKILL), 0);
		EQ(waitpid(pids[i], &status, 0), pids[i]);
		OK(WIFSIGNALED(status));
	}
	printf("# %u rounds, refused %u times\n", nr, refused);
	OK(nr && refused);
}

static bool is_unloaded(void *name)
{
	return unload(name) != -EWOULDBLOCK;
}

/* A test may leave the module unloaded, or loaded with parameters. */
static void reload(void)
{
	OK(becomes_true(is_unloaded, "hmap"));
	EQ(load(""), 0);
}

static const struct test tests[] = {
	TEST(refused_while_open),
	TEST(refused_while_mapped_by_child),
	TEST(named_maps_are_left),
	TEST(parameters_of_a_load),
	TEST(debugfs_file_left_open),
	TEST(device_is_private),
	TEST(again_and_again),
};

int main(void)
{
	unload("hmap_kunit");	/* it uses hmap */
	return run_tests(tests, ARRAY_SIZE(tests), reload);
}
