// SPDX-License-Identifier: GPL-2.0
/* What debugfs shows of a map, and what it must not show. */
#include <ctype.h>
#include <regex.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "device.h"

#define ROOM	(4 << 20)
#define MARKER	"SecretSecret"

static const char * const files[] = {
	"hmap", "buckets", "stats", "fill", "oldfill"
};

static char text[ROOM];

/* Nothing that looks like an address, and no bytes of a key or elem */
static void check_discreet(void)
{
	regex_t address;

	EQ(regcomp(&address, "ffff[0-9a-f]{12}|0x[0-9a-f]{9}",
		   REG_EXTENDED | REG_ICASE | REG_NOSUB), 0);
	OK(regexec(&address, text, 0, NULL, 0));
	regfree(&address);
	OK(!strstr(text, "Secret"));
	for (const char *p = text; *p; p++)
		OK(isprint(*p) || *p == '\n');
}

static void read_map_file(const char *map, const char *file)
{
	char path[128];
	size_t len;

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", map, file);
	len = read_file(path, text, ROOM);
	EQ(strlen(text), len);
	if (!strstr(file, "fill"))
		OK(len && text[len - 1] == '\n');
	check_discreet();
}

/* The number on the line that begins with @what */
static unsigned long long field(const char *what)
{
	size_t len = strlen(what);

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, what, len) && p[len] == ' ' &&
		    isdigit(p[len + strspn(p + len, " ")]))
			return strtoull(p + len, NULL, 10);
	}
	fail(__FILE__, __LINE__, "there is no line \"%s\"", what);
}

struct slots {
	unsigned int entries, empty, evacuated, buckets;
};

/* "  17  a3 .  .  -> 51 X": the slots of one bucket and its chain */
static void count_slots(const char *line, size_t len, struct slots *sum)
{
	char copy[4096], *token, *save;
	unsigned int slots = 0;

	OK(len < sizeof(copy));
	memcpy(copy, line, len);
	copy[len] = 0;
	token = strtok_r(copy, " ", &save);
	OK(token && isdigit(*token));
	sum->buckets++;
	while ((token = strtok_r(NULL, " ", &save))) {
		if (!strcmp(token, "->")) {
			EQ(slots % 8, 0);
			continue;
		}
		slots++;
		if (strlen(token) == 2 && isxdigit(token[0]) &&
		    isxdigit(token[1])) {
			OK(strtoul(token, NULL, 16) >= 5);
			sum->entries++;
		} else {
			EQ(strlen(token), 1);
			OK(strchr(".-XYE", *token));
			sum->empty += *token == '.' || *token == '-';
			sum->evacuated += !!strchr("XYE", *token);
		}
	}
	OK(slots);
	EQ(slots % 8, 0);
}

static struct slots parse_buckets(void)
{
	struct slots sum = { 0 };
	long last = -1;

	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		OK(end);
		if (isdigit(line[strspn(line, " ")])) {
			long nr = strtol(line, NULL, 10);

			OK(nr == last + 1 || nr == 0);
			last = nr;
			count_slots(line, end - line, &sum);
		}
	}
	return sum;
}

/*
 * Read @file of a map that nobody writes to, and what INFO says at the same
 * moment: the map may still be growing, or freeing memory, in the background.
 */
static struct hmap_info read_with_info(int fd, const char *map,
				       const char *file)
{
	struct hmap_info before, after;

	do {
		before = info(fd);
		read_map_file(map, file);
		after = info(fd);
	} while (memcmp(&before, &after, sizeof(after)));
	return after;
}

static void check_header(int fd, const char *map)
{
	struct hmap_info i = read_with_info(fd, map, "hmap");

	EQ(field("id"), i.id);
	EQ(field("entries"), i.count);
	EQ(field("count"), i.count);
	EQ(field("bytes"), i.bytes);
	EQ(field("B"), i.log2_buckets);
	EQ(field("noverflow"), i.noverflow);
	EQ(field("nevacuate"), i.nevacuate);
	EQ(field("growths"), i.growths);
	EQ(field("holders"), i.holders);
	EQ(field("lookups"), i.lookups);
	EQ(field("inserts"), i.inserts);
	EQ(field("deletes"), i.deletes);
	EQ(!strstr(text, "(unlinked)"), !(i.state & HMAP_STATE_UNLINKED));
	EQ(!strstr(text, "to twice the size"),
	   !(i.state & HMAP_STATE_GROWING));
}

static void check_buckets(int fd, const char *map)
{
	struct hmap_info i = read_with_info(fd, map, "buckets");
	struct slots slots = parse_buckets();

	EQ(slots.entries, i.count);
	if (!(i.state & (HMAP_STATE_GROWING | HMAP_STATE_SAME_SIZE))) {
		EQ(slots.evacuated, 0);
		EQ(slots.buckets, i.count ? 1 << i.log2_buckets : 0);
	}
}

/* Two characters for each bucket: entries in its chain, and buckets. */
static void check_fill(int fd, const char *map)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	struct hmap_info i = read_with_info(fd, map, "fill");
	unsigned long long entries = 0;
	size_t len = strlen(text);

	EQ(len, i.count ? 2 << i.log2_buckets : 0);
	for (size_t n = 0; n < len; n += 2) {
		OK(strchr(digits, text[n]));
		OK(strchr(digits + 1, text[n + 1]));
		entries += strchr(digits, text[n]) - digits;
	}
	if (!(i.state & (HMAP_STATE_GROWING | HMAP_STATE_SAME_SIZE)))
		EQ(entries, i.count);
	else
		OK(entries <= i.count);
}

static void check_stats(int fd, const char *map)
{
	struct hmap_info i = read_with_info(fd, map, "stats");
	unsigned long long sum = 0;

	EQ(field("entries"), i.count);
	EQ(field("buckets"), i.count ? 1 << i.log2_buckets : 0);
	EQ(field("growths"), i.growths);
	for (const char *p = strstr(text, "\nchain length"); p && p[1];) {
		p = strchr(p + 1, '\n');
		if (p && isdigit(p[1]))
			sum += strtoull(p + 19, NULL, 10);
	}
	EQ(sum, field("buckets"));
}

static void check_all(int fd, const char *map)
{
	check_header(fd, map);
	check_buckets(fd, map);
	check_fill(fd, map);
	check_stats(fd, map);
}

static void agrees_with_info(void)
{
	int fd = make_u64("shown", 0600);

	check_all(fd, "shown");
	for (__u64 i = 1; i <= 3000; i++) {
		EQ(put(fd, i, i), 0);
		if (i < 120 || i % 250 == 0)
			check_all(fd, "shown");
	}
	for (__u64 i = 1; i <= 3000; i += 2)
		EQ(del(fd, i), 0);
	check_all(fd, "shown");
}

static bool is_gone(void *map)
{
	char path[64];

	snprintf(path, sizeof(path), DEBUGFS "%s", (char *)map);
	return access(path, F_OK);
}

static void names_and_numbers(void)
{
	struct hmap_set arg = { .flags = HMAP_SET_NAME, .name = "renamed" };
	char name[32];
	int fd = make_u64("shown", 0600);

	EQ(put(fd, 1, 1), 0);
	snprintf(name, sizeof(name), "#%llu", info(fd).id);
	check_all(fd, name);
	EQ(call(fd, HMAP_IOC_SET, &arg), 0);
	OK(is_gone("shown"));
	check_all(fd, "renamed");
	EQ(unlink_map(fd, "renamed"), 0);
	OK(is_gone("renamed"));
	check_all(fd, name);
	close(fd);
	OK(becomes_true(is_gone, name));
	fd = make_u64(NULL, 0);
	EQ(put(fd, 1, 1), 0);
	snprintf(name, sizeof(name), "#%llu", info(fd).id);
	check_all(fd, name);
}

static void all_kinds(void)
{
	static const struct {
		struct hmap_create arg;
		const char *type;
	} kinds[] = {
		{ { .key_kind = HMAP_KIND_U32, .key_size = 4, .elem_size = 12 },
		  "u32 -> 12 bytes" },
		{ { .key_kind = HMAP_KIND_U64, .key_size = 8 },
		  "u64 -> 0 bytes" },
		{ { .key_kind = HMAP_KIND_BYTES, .key_size = 12,
		    .elem_size = 200 }, "12 bytes -> 200 bytes" },
		{ { .key_kind = HMAP_KIND_STRING, .elem_size = 300,
		    .flags = HMAP_CREATE_VAR_ELEM },
		  "string -> up to 300 bytes" },
	};
	static char elem[300];

	for (size_t i = 0; i < sizeof(elem) - 1; i++)
		elem[i] = MARKER[i % strlen(MARKER)];
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int fd = make(&kinds[i].arg);
		__u32 len = kinds[i].arg.key_size ?: 12;
		char name[32], key[12] = MARKER;

		for (__u32 nr = 0; nr < 100; nr++) {
			if (len < 12)
				memcpy(key, &nr, sizeof(nr));
			else
				memcpy(key + 8, &nr, sizeof(nr));
			EQ(insert(fd, key, len, elem, kinds[i].arg.elem_size,
				  0), 0);
		}
		snprintf(name, sizeof(name), "#%llu", info(fd).id);
		check_all(fd, name);
		read_map_file(name, "hmap");
		OK(strstr(text, kinds[i].type));
		close(fd);
	}
}

static __attribute__((format(printf, 3, 4))) void
says(const char *map, const char *file, const char *format, ...)
{
	char want[2048];
	va_list args;

	va_start(args, format);
	OK(vsnprintf(want, sizeof(want), format, args) < (int)sizeof(want));
	va_end(args);
	read_map_file(map, file);
	if (strcmp(text, want))
		fail(__FILE__, __LINE__, "%s: \"%s\", not \"%s\"", file,
		     text, want);
}

static void says_of_itself(int fd, __u64 gets, __u64 puts, __u64 dels,
			   const char *load, const char *buckets)
{
	struct hmap_info i = info(fd);
	__u64 full = 10000 * i.bytes / i.max_bytes;

	says("letter", "hmap",
	     "id                  %llu\n"
	     "name                letter\n"
	     "owner               uid 0, gid 0, mode 0640\n"
	     "type                u64 -> 8 bytes\n"
	     "bucket size         144\n"
	     "entries             %llu of 40, %llu.%02llu %%\n"
	     "bytes               %llu of %llu, %llu.%02llu %%\n"
	     "load                %s per bucket, grows over 6.50\n"
	     "growing             no\n"
	     "growths             0, and 0 to the same size\n"
	     "holders             1\n"
	     "lookups             %llu\n"
	     "inserts             %llu\n"
	     "deletes             %llu\n"
	     "\n"
	     "struct hmap\n"
	     "count               %llu\n"
	     "flags               0x0\n"
	     "B                   0\n"
	     "noverflow           0\n"
	     "hash0               (hidden)\n"
	     "buckets             %s\n"
	     "oldbuckets          none\n"
	     "nevacuate           0\n"
	     "extra.overflow      0\n"
	     "extra.oldoverflow   0\n"
	     "extra.next_overflow 0 of 0 spare\n",
	     i.id, i.count, 10000 * i.count / 40 / 100,
	     10000 * i.count / 40 % 100, i.bytes, i.max_bytes, full / 100,
	     full % 100, load, gets, puts, dels, i.count, buckets);
}

/* One bucket, so that no hash has a say in it. */
static void to_the_letter(void)
{
	struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.max_entries = 40,
		.mode = 0640,
		.name = "letter",
	};
	int fd = make(&arg);
	__u64 elem;

	says_of_itself(fd, 0, 0, 0, "0.00", "none");
	says("letter", "stats",
	     "buckets             0\n"
	     "entries             0\n"
	     "with overflow       0.00 %% of buckets\n"
	     "overhead            0.00 bytes per entry\n"
	     "hit                 0.00 slots checked\n"
	     "miss                0.00 slots checked\n"
	     "growths             0, and 0 to the same size\n"
	     "\n"
	     "chain length\n");

	for (__u64 key = 0; key < 6; key++)
		EQ(put(fd, key, key), 0);
	EQ(del(fd, 0), 0);
	EQ(get(fd, 1, &elem), 0);
	EQ(get(fd, 2, &elem), 0);
	says_of_itself(fd, 2, 6, 1, "5.00", "2^0 buckets of 144 bytes");
	says("letter", "stats",
	     "buckets             1\n"
	     "entries             5\n"
	     "with overflow       0.00 %% of buckets\n"
	     "overhead            12.80 bytes per entry\n"
	     "hit                 3.00 slots checked\n"
	     "miss                5.00 slots checked\n"
	     "growths             0, and 0 to the same size\n"
	     "\n"
	     "chain length\n"
	     "1                   1\n");
	read_map_file("letter", "buckets");
	OK(strstr(text, "tophash of each slot; -> overflow bucket\n"
		  ". emptyRest   - emptyOne   X evacuatedX   Y evacuatedY   E evacuatedEmpty\n"
		  "buckets\n       0   - ") == text);
	OK(strstr(text, "  .  .\n"));
}

/* Lines are read at different moments, but each is consistent. */
static void while_another_writes(void)
{
	int fd = make_u64("busy", 0600);
	pid_t pid = spawn();

	if (!pid) {
		for (__u64 i = 0;; i++) {
			EQ(put(fd, i % 100000, i), 0);
			if (i % 100000 == 99999)
				EQ(clear(fd), 0);
			else if (i % 5 == 4)
				EQ(del(fd, i % 100000 - 2), 0);
		}
	}
	for (int round = 0; round < 20 || info(fd).growths < 9; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
			read_map_file("busy", files[i]);
			if (!strcmp(files[i], "buckets"))
				parse_buckets();
			else if (!strstr(files[i], "fill"))
				field("entries");
		}
	}
	EQ(kill(pid, SIGKILL), 0);
	EQ(waitpid(pid, NULL, 0), pid);
	/* A map that was just cleared may have buckets, or none. */
	EQ(put(fd, 0, 0), 0);
	check_all(fd, "busy");
}

static bool shows_iterator(void *map)
{
	read_map_file(map, "hmap");
	return strstr(text, " iterator");
}

static void while_another_walks(void)
{
	static char buf[1 << 16];
	int fd = make_u64("walked", 0600);
	pid_t pid;

	for (__u64 key = 0; key < 1000; key++)
		EQ(put(fd, key, key), 0);
	OK(!shows_iterator("walked"));
	pid = spawn();
	while (!pid) {
		struct hmap_next n = { 0 };

		EQ(next(fd, &n, buf, sizeof(buf)), 0);
	}
	OK(becomes_true(shows_iterator, "walked"));
	EQ(kill(pid, SIGKILL), 0);
	EQ(waitpid(pid, NULL, 0), pid);
}

static void many_buckets(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = 100000,
		.name = "large",
	};
	int fd = make(&arg);

	for (__u64 i = 0; i < 1000; i++)
		EQ(put(fd, i, i), 0);
	EQ(info(fd).log2_buckets, 14);
	check_all(fd, "large");
}

/* Small reads at any offset return the same as one large read. */
static void any_read_size(void)
{
	static char pieces[ROOM];
	int map = make_u64("read", 0600), fd;
	size_t len = 0;
	ssize_t n;

	for (__u64 key = 0; key < 1000; key++)
		EQ(put(map, key, key), 0);
	settle(map);	/* the file no longer changes */
	read_map_file("read", "buckets");
	fd = open(DEBUGFS "read/buckets", O_RDONLY);
	OK(fd >= 0);
	while ((n = read(fd, pieces + len, 1 + random_u32() % 200)) > 0)
		len += n;
	EQ(n, 0);
	EQ(len, strlen(text));
	SAME_BYTES(pieces, text, len);
	EQ(pread(fd, pieces, 100, len / 2), 100);
	SAME_BYTES(pieces, text + len / 2, 100);
}

/* Read from the bucket on whose number is written to the file. */
static void from_a_bucket_on(void)
{
	int map = make_u64("read", 0600), fd;
	char part[100], *line;

	for (__u64 key = 0; key < 1000; key++)
		EQ(put(map, key, key), 0);
	settle(map);
	read_map_file("read", "buckets");
	fd = open(DEBUGFS "read/buckets", O_RDWR);
	OK(fd >= 0);
	for (int bucket = 255; bucket > 0; bucket -= 50) {
		snprintf(part, sizeof(part), "%d\n", bucket);
		EQ(write(fd, part, strlen(part)), strlen(part));
		EQ(read(fd, part, 9), 9);
		snprintf(part + 10, 90, "\n%8d ", bucket);
		line = strstr(text, part + 10);
		OK(line);
		SAME_BYTES(part, line + 1, 9);
	}
	EQ(read(fd, part, sizeof(part)) > 0, true);
	EQ(write(fd, "256", 3), 3);
	EQ(read(fd, part, sizeof(part)), 0);
	EQ(write(fd, "4294967296", 10), 10);
	EQ(read(fd, part, sizeof(part)), 0);
	EQ(write(fd, "old 0", 5), 5);
	EQ(read(fd, part, sizeof(part)), 0);
	EQ(write(fd, "-1", 2), -1);
	EQ(write(fd, "1x", 2), -1);
	EQ(write(fd, "", 0), -1);
	EQ(write(fd, "4611686018427387904", 19), -1);
	EQ(errno, EINVAL);
}

/* A part of the file is where the number of the bucket says. */
static void any_part_of_fill(void)
{
	int map = make_u64("read", 0600), fd;
	char part[7];

	for (__u64 key = 0; key < 1000; key++)
		EQ(put(map, key, key), 0);
	settle(map);
	read_map_file("read", "fill");
	fd = open(DEBUGFS "read/fill", O_RDONLY);
	for (size_t at = 0; at + sizeof(part) <= strlen(text); at += 5) {
		EQ(pread(fd, part, sizeof(part), at), sizeof(part));
		SAME_BYTES(part, text + at, sizeof(part));
	}
	EQ(pread(fd, part, sizeof(part), strlen(text) - 3), 3);
	EQ(pread(fd, part, sizeof(part), strlen(text)), 0);
	EQ(pread(fd, edge(4), sizeof(part), 0) < 0 ? errno : 0, EFAULT);
	read_map_file("read", "oldfill");
	EQ(strlen(text), 0);
}

static void for_root_alone(void)
{
	int fd = make_u64("shown", 0666);
	pid_t pid = spawn();

	if (!pid) {
		become(1000, 1000);
		for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
			char path[64];

			snprintf(path, sizeof(path), DEBUGFS "shown/%s",
				 files[i]);
			EQ(open(path, O_RDONLY), -1);
			EQ(errno, EACCES);
		}
		exit(0);
	}
	join(pid);
	close(fd);
}

static const struct test tests[] = {
	TEST(agrees_with_info),
	TEST(names_and_numbers),
	TEST(all_kinds),
	TEST(to_the_letter),
	TEST(while_another_writes),
	TEST(while_another_walks),
	TEST(many_buckets),
	TEST(any_read_size),
	TEST(from_a_bucket_on),
	TEST(any_part_of_fill),
	TEST(for_root_alone),
};

int main(void)
{
	need_debugfs();
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
