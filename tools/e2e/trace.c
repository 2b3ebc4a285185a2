// SPDX-License-Identifier: GPL-2.0
/* What the tracepoints tell, as tracefs has it. */
#include <ctype.h>
#include <hmap_view.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "device.h"

#define TRACEFS		"/sys/kernel/tracing/"
#define INSTANCE	TRACEFS "instances/hmap-test/"
#define NAME		"traced"

static char text[8 << 20];

static void trace_begin(void)
{
	if (mount("tracefs", TRACEFS, "tracefs", 0, NULL) && errno != EBUSY)
		skip("there is no tracefs: %m");
	rmdir(INSTANCE);	/* of a test that failed */
	EQ(mkdir(INSTANCE, 0700), 0);
	/* Have events of several CPUs in order; the clock may be a coarse one. */
	write_file(INSTANCE "trace_clock", "counter");
	write_file(INSTANCE "events/hmap/enable", "1");
	write_file(INSTANCE "tracing_on", "1");
}

static void trace_end(void)
{
	write_file(INSTANCE "events/hmap/enable", "0");
	read_file(INSTANCE "trace", text, sizeof(text));
	EQ(rmdir(INSTANCE), 0);
}

/* The next event of a map, and which one it is, without "hmap_". */
static const char *next_event(const char *at, __u64 id, char what[32])
{
	unsigned long long of;

	for (; (at = strstr(at, ": hmap_")); at++)
		if (sscanf(at, ": hmap_%31[a-z_]: id=%llu", what, &of) == 2 &&
		    of == id)
			return at + 1;
	return NULL;
}

static const char *find_event(const char *at, __u64 id, const char *wanted)
{
	char what[32];

	while ((at = next_event(at, id, what)))
		if (!strcmp(what, wanted))
			return at;
	fail(__FILE__, __LINE__, "there is no event %s of map %llu", wanted, id);
}

/* Whether the event's line has these words. */
static bool says(const char *event, const char *words)
{
	const char *found = strstr(event, words);

	return found && found < strchr(event, '\n') && found[-1] == ' ' &&
	       isspace(found[strlen(words)]);
}

static long long number(const char *event, const char *field)
{
	char before[32];
	const char *found;

	snprintf(before, sizeof(before), " %s=", field);
	found = strstr(event, before);
	OK(found && found < strchr(event, '\n'));
	return strtoll(found + strlen(before), NULL, 10);
}

static void life(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 24,
		.max_entries = 1000,
		.max_bytes = 1 << 20,
		.name = NAME,
	};
	struct hmap_set set = { .flags = HMAP_SET_NAME, .name = "renamed" };
	char elem[24] = "";
	const char *event;
	__u64 id;
	int fd;

	trace_begin();
	fd = make(&arg);
	id = info(fd).id;
	for (__u64 key = 0; key < 5; key++)
		EQ(insert(fd, &key, 8, elem, sizeof(elem), 0), 0);
	EQ(clear(fd), 0);
	EQ(call(fd, HMAP_IOC_SET, &set), 0);
	for (__u64 key = 0; key < 3; key++)
		EQ(insert(fd, &key, 8, elem, sizeof(elem), 0), 0);
	EQ(unlink_map(fd, "renamed"), 0);
	close(fd);
	trace_end();

	event = find_event(text, id, "create");
	OK(says(event, "name=" NAME));
	OK(says(event, "key_kind=u64"));
	EQ(number(event, "key_size"), 8);
	EQ(number(event, "elem_size"), 24);
	EQ(number(event, "max_entries"), 1000);
	EQ(number(event, "max_bytes"), 1 << 20);
	event = find_event(event, id, "clear");
	OK(says(event, "name=" NAME));
	EQ(number(event, "count"), 5);
	event = find_event(event, id, "destroy");
	OK(says(event, "name=renamed"));
	EQ(number(event, "count"), 3);
}

static void kinds(void)
{
	static const struct {
		const char *says;
		__u32 kind, size;
	} kinds[] = {
		{ "key_kind=u32", HMAP_KIND_U32, 4 },
		{ "key_kind=u64", HMAP_KIND_U64, 8 },
		{ "key_kind=bytes", HMAP_KIND_BYTES, 6 },
		{ "key_kind=string", HMAP_KIND_STRING, 0 },
	};
	__u64 ids[ARRAY_SIZE(kinds)];
	const char *event;
	int fd;

	trace_begin();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd = make(&(struct hmap_create){
			.key_kind = kinds[i].kind,
			.key_size = kinds[i].size,
			.elem_size = i,
		});
		ids[i] = info(fd).id;
		close(fd);
	}
	trace_end();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		event = find_event(text, ids[i], "create");
		OK(says(event, kinds[i].says));
		EQ(number(event, "key_size"), kinds[i].size);
		EQ(number(event, "elem_size"), i);
	}
}

/* What the events say of a map that one process fills. */
struct growth {
	bool same_size;
	int growths, from_B, to_B;
	long long count, moved;
	unsigned int evacuated, overflows;
	bool seen[1 << 10];
};

static void check_start(struct growth *g, const char *event)
{
	long long full;

	EQ(g->evacuated, 0);
	g->growths++;
	g->from_B = number(event, "from_B");
	g->to_B = number(event, "to_B");
	g->count = number(event, "count");
	g->same_size = says(event, "same-size");
	OK(g->same_size || says(event, "doubling"));
	EQ(g->to_B, g->from_B + !g->same_size);
	if (g->same_size) {
		OK(number(event, "noverflow") >= 1 << g->from_B);
	} else {
		full = g->from_B ? 13 << (g->from_B - 1) : 8;
		if (g->from_B > 8)
			full -= full / 64;	/* CPUs count apart */
		OK(g->count >= full);
	}
}

static void check_evacuate(struct growth *g, const char *event)
{
	long long bucket = number(event, "bucket");

	OK(bucket >= 0 && bucket < 1 << g->from_B);
	OK(!g->seen[bucket]);
	g->seen[bucket] = true;
	g->evacuated++;
	g->moved += number(event, "to_x") + number(event, "to_y");
	if (g->same_size)
		EQ(number(event, "to_y"), 0);
}

static void check_done(struct growth *g, const char *event)
{
	EQ(number(event, "buckets"), 1 << g->from_B);
	EQ(g->evacuated, 1 << g->from_B);
	OK(number(event, "duration") > 0);
	/* A small array is made by an insert, and so between two of them. */
	if (g->to_B <= 4)
		EQ(g->moved, g->count);
	else
		OK(g->moved >= g->count);
	g->evacuated = 0;
	g->moved = 0;
	memset(g->seen, 0, sizeof(g->seen));
}

static void check_overflow(struct growth *g, const char *event)
{
	g->overflows++;
	OK(number(event, "bucket") < 1 << g->to_B);
	OK(number(event, "length") >= 2 && number(event, "length") < 20);
}

static void check_growth(struct growth *g, __u64 id)
{
	const char *event = text;
	char what[32];

	while ((event = next_event(event, id, what))) {
		trying("%.120s", event);
		OK(says(event, "name=" NAME));
		if (!strcmp(what, "grow_start"))
			check_start(g, event);
		else if (!strcmp(what, "evacuate"))
			check_evacuate(g, event);
		else if (!strcmp(what, "grow_done"))
			check_done(g, event);
		else if (!strcmp(what, "overflow"))
			check_overflow(g, event);
	}
	EQ(g->evacuated, 0);
}

static void doubling(void)
{
	static struct growth g;
	struct hmap_info i;
	int fd;

	trace_begin();
	fd = make_u64(NAME, 0600);
	for (__u64 key = 0; key < 5000; key++)
		EQ(put(fd, key, key), 0);
	settle(fd);
	i = info(fd);
	trace_end();
	check_growth(&g, i.id);
	EQ(g.growths, i.growths + i.same_size_growths);
	EQ(g.to_B, i.log2_buckets);
	OK(g.overflows);
}

/* A moving window of keys leaves overflow buckets with holes behind. */
static void same_size(void)
{
	static struct growth g;
	struct hmap_info i;
	__u64 key = 0;
	int fd;

	trace_begin();
	fd = make_u64(NAME, 0600);
	do {
		EQ(put(fd, key, key), 0);
		if (key++ >= 100)
			EQ(del(fd, key - 100), 0);
		i = info(fd);
	} while (!i.same_size_growths && key < 100000);
	settle(fd);
	trace_end();
	EQ(i.same_size_growths, 1);
	check_growth(&g, i.id);
	OK(g.same_size);
	EQ(g.growths, i.growths + 1);
}

/* Insert until a limit forbids it. */
static __u64 fill(struct hmap_create *arg, int error)
{
	static char elem[2000];
	int fd = make(arg), err = 0;
	__u64 id = info(fd).id;

	for (__u64 key = 0; !err && key < 100000; key++)
		err = insert(fd, &key, 8, elem, sizeof(elem), 0);
	EQ(err, error);
	close(fd);
	return id;
}

/* The first event of that limit. */
static void check_limit(__u64 id, const char *which, int error)
{
	const char *event = text;

	do
		event = find_event(event + 1, id, "limit");
	while (!says(event, which));
	OK(says(event, "name=" NAME));
	EQ(number(event, "error"), error);
}

static struct hmap_create limited(void)
{
	return (struct hmap_create){
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 2000,
		.name = NAME,
	};
}

static __u64 *user_id;

static void fill_as_user(void)
{
	struct hmap_create arg = limited();

	*user_id = fill(&arg, -EDQUOT);
}

static void limits(void)
{
	struct hmap_create arg = limited();
	__u64 entries, bytes;

	user_id = shared(sizeof(*user_id));
	set_parameter("max_user_bytes", 1 << 20);
	trace_begin();
	arg.max_entries = 3;
	entries = fill(&arg, -ENOSPC);
	unlink_map(dev(O_RDWR), NAME);
	arg.max_entries = 0;
	arg.max_bytes = 1 << 20;
	bytes = fill(&arg, -ENOSPC);
	unlink_map(dev(O_RDWR), NAME);
	as(1000, fill_as_user);
	trace_end();

	check_limit(entries, "which=entries", -ENOSPC);
	check_limit(bytes, "which=bytes", -ENOSPC);
	check_limit(*user_id, "which=owner", -EDQUOT);
}

/* Four times the load, while there is room for overflow buckets only. */
static void refused_growth(void)
{
	struct hmap_set set = { .flags = HMAP_SET_MAX_BYTES };
	__u64 id, key = 0;
	int fd, err;

	trace_begin();
	fd = make(&(struct hmap_create){
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = 100,
		.name = NAME,
	});
	id = info(fd).id;
	do {
		set.max_bytes = info(fd).bytes + 1000;
		EQ(call(fd, HMAP_IOC_SET, &set), 0);
		err = put(fd, key, key);
	} while (!err && ++key < 1000);
	trace_end();
	EQ(err, -ENOSPC);
	EQ(info(fd).log2_buckets, 4);
	EQ(key, 4 * 13 * 8);
	check_limit(id, "which=load", -ENOSPC);
}

/* The longest chain there can be, made of keys with the same low bits of hash. */
static void longest_chain(void)
{
	const struct hmap_control *control;
	unsigned int length = 1;
	const char *event = text;
	__u64 id, key, nr = 0;
	char what[32];
	int fd, err = 0;

	trace_begin();
	fd = make(&(struct hmap_create){
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.elem_size = 8,
		.hint = 1500,
		.flags = HMAP_CREATE_MAPPED,
		.name = NAME,
	});
	id = info(fd).id;
	control = mmap(NULL, sizeof(*control), PROT_READ, MAP_SHARED, fd, 0);
	OK(control != MAP_FAILED);
	EQ(control->present.log2_buckets, 8);
	for (key = 0; !err; key++) {
		if ((hmap_view_hash_u64(control->secret, key,
					control->present.hash0) & 255) != 77)
			continue;
		err = put(fd, key, key);
		nr += !err;
	}
	trace_end();
	EQ(err, -ENOSPC);
	EQ(nr, 128 * 8);
	check_limit(id, "which=chain", -ENOSPC);
	while ((event = next_event(event, id, what))) {
		if (strcmp(what, "overflow"))
			continue;
		EQ(number(event, "bucket"), 77);
		EQ(number(event, "length"), ++length);
	}
	EQ(length, 128);
}

static void filter_by_id(void)
{
	int one, other;
	__u64 id;
	char what[32], expr[32];

	trace_begin();
	one = make_u64(NAME, 0600);
	id = info(one).id;
	snprintf(expr, sizeof(expr), "id == %llu", id);
	write_file(INSTANCE "events/hmap/filter", expr);
	other = make_u64("other", 0600);
	EQ(clear(one), 0);
	EQ(clear(other), 0);
	trace_end();
	find_event(text, id, "clear");
	OK(!next_event(text, info(other).id, what));
}

static const struct test tests[] = {
	TEST(life),
	TEST(kinds),
	TEST(doubling),
	TEST(same_size),
	TEST(limits),
	TEST(refused_growth),
	TEST(longest_chain),
	TEST(filter_by_id),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
