// SPDX-License-Identifier: GPL-2.0
/*
 * 32-bit callers.  The structures have the same layout for them, which the
 * compiler checks here, and their calls arrive through compat_ioctl(), which a
 * 64-bit process reaches by int 0x80 with addresses below 4 GiB.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "device.h"

#define AT(type, member, offset) \
	static_assert(offsetof(struct type, member) == (offset), #member)

AT(hmap_create, mode, 16);
AT(hmap_create, hint, 24);
AT(hmap_create, max_entries, 32);
AT(hmap_create, max_bytes, 40);
AT(hmap_create, id, 48);
AT(hmap_create, name, 56);
static_assert(sizeof(struct hmap_create) == 120, "hmap_create");
AT(hmap_open, name, 8);
static_assert(sizeof(struct hmap_open) == 72, "hmap_open");
static_assert(sizeof(struct hmap_unlink) == 64, "hmap_unlink");
AT(hmap_set, max_entries, 16);
AT(hmap_set, name, 32);
static_assert(sizeof(struct hmap_set) == 96, "hmap_set");
static_assert(sizeof(struct hmap_clear) == 8, "hmap_clear");
AT(hmap_entry, elem, 8);
AT(hmap_entry, key_len, 16);
AT(hmap_entry, elem_len, 20);
AT(hmap_entry, flags, 24);
AT(hmap_entry, reserved, 28);
static_assert(sizeof(struct hmap_entry) == 32, "hmap_entry");
AT(hmap_next, buf, 24);
AT(hmap_next, len, 32);
AT(hmap_next, flags, 36);
AT(hmap_next, used, 40);
AT(hmap_next, count, 44);
static_assert(sizeof(struct hmap_next) == 48, "hmap_next");
static_assert(sizeof(struct hmap_record) == 8, "hmap_record");
AT(hmap_info, nevacuate, 88);
AT(hmap_info, key_kind, 120);
AT(hmap_info, state, 160);
AT(hmap_info, name, 168);
static_assert(sizeof(struct hmap_info) == 232, "hmap_info");
static_assert(sizeof(struct hmap_update) == 64, "hmap_update");
static_assert(sizeof(struct hmap_batch) == 56, "hmap_batch");
static_assert(HMAP_IOC_CREATE == 0xc078ba00, "HMAP_IOC_CREATE");
static_assert(HMAP_IOC_OPEN == 0xc048ba01, "HMAP_IOC_OPEN");
static_assert(HMAP_IOC_UNLINK == 0xc040ba02, "HMAP_IOC_UNLINK");
static_assert(HMAP_IOC_INSERT == 0xc020ba03, "HMAP_IOC_INSERT");
static_assert(HMAP_IOC_LOOKUP == 0xc020ba04, "HMAP_IOC_LOOKUP");
static_assert(HMAP_IOC_DELETE == 0xc020ba05, "HMAP_IOC_DELETE");
static_assert(HMAP_IOC_NEXT == 0xc030ba06, "HMAP_IOC_NEXT");
static_assert(HMAP_IOC_CLEAR == 0xc008ba07, "HMAP_IOC_CLEAR");
static_assert(HMAP_IOC_INFO == 0xc0e8ba08, "HMAP_IOC_INFO");
static_assert(HMAP_IOC_UPDATE == 0xc040ba09, "HMAP_IOC_UPDATE");
static_assert(HMAP_IOC_INSERT_BATCH == 0xc038ba0a, "HMAP_IOC_INSERT_BATCH");
static_assert(HMAP_IOC_LOOKUP_BATCH == 0xc038ba0b, "HMAP_IOC_LOOKUP_BATCH");
static_assert(HMAP_IOC_DELETE_BATCH == 0xc038ba0c, "HMAP_IOC_DELETE_BATCH");
static_assert(HMAP_IOC_SET == 0xc060ba0d, "HMAP_IOC_SET");

#define NR_IOCTL_32	54
#define NR_GETPID_32	20

static int call32(int nr, unsigned int a, unsigned int b, unsigned int c)
{
	int ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "a" (nr), "b" (a), "c" (b), "d" (c)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

static int ioctl32(int fd, unsigned int cmd, void *arg)
{
	return call32(NR_IOCTL_32, fd, cmd, (uintptr_t)arg);
}

static void no_int80(int sig)
{
	_exit(sig);
}

static void need_int80(void)
{
	pid_t pid = spawn();
	int status;

	if (!pid) {
		signal(SIGSEGV, no_int80);
		_exit(call32(NR_GETPID_32, 0, 0, 0) != getpid());
	}
	EQ(waitpid(pid, &status, 0), pid);
	if (status)
		skip("the kernel has no 32-bit system calls");
}

/* What a 32-bit process has in its address space */
static struct low {
	struct hmap_create create;
	struct hmap_open open;
	struct hmap_unlink unlink;
	struct hmap_set set;
	struct hmap_clear clear;
	struct hmap_entry entry;
	struct hmap_update update;
	struct hmap_batch batch;
	struct hmap_next next;
	struct hmap_info info;
	__u64 key, elem, old;
	__u64 keys[100], elems[100];
	__s32 results[100];
	char buf[100 * 24];
} *low_memory(void)
{
	struct low *low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	OK(low != MAP_FAILED);
	OK((uintptr_t)low < 1ULL << 32);
	return low;
}

static int entry32(int fd, unsigned int cmd, struct low *low, __u64 key)
{
	low->key = key;
	low->entry = (struct hmap_entry) {
		.key = (uintptr_t)&low->key,
		.key_len = 8,
	};
	if (cmd != HMAP_IOC_DELETE) {
		low->entry.elem = (uintptr_t)&low->elem;
		low->entry.elem_len = 8;
	}
	return ioctl32(fd, cmd, &low->entry);
}

static void all_calls(void)
{
	struct low *low;
	__u64 elem;
	int fd, other;

	need_int80();
	low = low_memory();
	fd = dev(O_RDWR);
	low->create = (struct hmap_create) {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.max_entries = 1ULL << 20,
		.name = "low",
	};
	EQ(ioctl32(fd, HMAP_IOC_CREATE, &low->create), 0);
	for (__u64 i = 0; i < 100; i++) {
		low->elem = ~i;
		EQ(entry32(fd, HMAP_IOC_INSERT, low, i << 32), 0);
	}
	for (__u64 i = 0; i < 100; i++) {
		EQ(entry32(fd, HMAP_IOC_LOOKUP, low, i << 32), 0);
		EQ(low->elem, ~i);
		EQ(get(fd, i << 32, &elem), 0);
		EQ(elem, ~i);
	}
	EQ(entry32(fd, HMAP_IOC_DELETE, low, 1ULL << 32), 0);
	EQ(entry32(fd, HMAP_IOC_LOOKUP, low, 1ULL << 32), -ENOENT);

	low->next = (struct hmap_next) {
		.buf = (uintptr_t)low->buf,
		.len = sizeof(low->buf),
	};
	EQ(ioctl32(fd, HMAP_IOC_NEXT, &low->next), 0);
	EQ(low->next.count, 99);
	EQ(low->next.used, 99 * 24);

	strcpy(low->open.name, "low");
	other = dev(O_RDONLY);
	EQ(ioctl32(other, HMAP_IOC_OPEN, &low->open), 0);
	EQ(ioctl32(other, HMAP_IOC_INFO, &low->info), 0);
	EQ(low->info.count, 99);
	EQ(low->info.max_entries, 1ULL << 20);
	EQ(strcmp(low->info.name, "low"), 0);
	low->set = (struct hmap_set) {
		.flags = HMAP_SET_MODE | HMAP_SET_NAME,
		.mode = 0640,
		.name = "lower",
	};
	EQ(ioctl32(fd, HMAP_IOC_SET, &low->set), 0);
	EQ(info(fd).mode, 0640);
	strcpy(low->unlink.name, "lower");
	EQ(ioctl32(fd, HMAP_IOC_UNLINK, &low->unlink), 0);
	EQ(ioctl32(fd, HMAP_IOC_CLEAR, &low->clear), 0);
	EQ(info(other).count, 0);
}

static void batch32(int fd, unsigned int cmd, struct low *low)
{
	low->batch = (struct hmap_batch) {
		.keys = (uintptr_t)low->keys,
		.results = (uintptr_t)low->results,
		.count = 100,
	};
	if (cmd != HMAP_IOC_DELETE_BATCH)
		low->batch.elems = (uintptr_t)low->elems;
	memset(low->results, 0x5a, sizeof(low->results));
	EQ(ioctl32(fd, cmd, &low->batch), 0);
	EQ(low->batch.count, 100);
	for (int i = 0; i < 100; i++)
		EQ(low->results[i], 0);
}

static void updates_and_batches(void)
{
	struct low *low;
	int fd = make_u64(NULL, 0);

	need_int80();
	low = low_memory();
	for (__u64 i = 0; i < 100; i++) {
		low->keys[i] = i << 32;
		low->elems[i] = ~i;
	}
	batch32(fd, HMAP_IOC_INSERT_BATCH, low);
	memset(low->elems, 0, sizeof(low->elems));
	batch32(fd, HMAP_IOC_LOOKUP_BATCH, low);
	for (__u64 i = 0; i < 100; i++)
		EQ(low->elems[i], ~i);

	low->key = 7ULL << 32;
	low->elem = 1;
	low->update = (struct hmap_update) {
		.key = (uintptr_t)&low->key,
		.elem = (uintptr_t)&low->elem,
		.old = (uintptr_t)&low->old,
		.key_len = 8,
		.elem_len = 8,
		.old_len = 8,
		.op = HMAP_UPDATE_ADD,
	};
	EQ(ioctl32(fd, HMAP_IOC_UPDATE, &low->update), 0);
	EQ(low->old, ~7ULL);
	EQ(low->update.present, 1);
	batch32(fd, HMAP_IOC_DELETE_BATCH, low);
	EQ(info(fd).count, 0);
}

static void bad_addresses(void)
{
	struct low *low;
	int fd = make_u64(NULL, 0);

	need_int80();
	low = low_memory();
	EQ(ioctl32(fd, HMAP_IOC_INSERT, NULL), -EFAULT);
	EQ(ioctl32(fd, HMAP_IOC_NEXT, (void *)0xfffffff0), -EFAULT);
	low->entry = (struct hmap_entry) {
		.key = (uintptr_t)&low->key | 1ULL << 63,
		.elem = (uintptr_t)&low->elem,
		.key_len = 8,
		.elem_len = 8,
	};
	EQ(ioctl32(fd, HMAP_IOC_INSERT, &low->entry), -EFAULT);
	EQ(ioctl32(fd, _IO(0xBA, 0x7f), &low->entry), -ENOTTY);
	EQ(info(fd).count, 0);
}

static const struct test tests[] = {
	TEST(all_calls),
	TEST(updates_and_batches),
	TEST(bad_addresses),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
