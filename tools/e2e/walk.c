// SPDX-License-Identifier: GPL-2.0
/* What NEXT promises, whether or not the map changes meanwhile. */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "device.h"

#define NR		1000
#define RECORD		24	/* bytes of a record of u64 -> u64 */
#define NR_FOREIGN	20000	/* keys from NR on, that come and go */

static void on_alarm(int sig)
{
	(void)sig;
}

/* How often each key was given, over the calls to step() */
static unsigned char given[NR + NR_FOREIGN];

static int filled(const char *name)
{
	int fd = make_u64(name, 0600);

	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, i), 0);
	return fd;
}

/* Note up to @want more entries in given[]; return how many there were. */
static __u32 step(int fd, struct hmap_next *n, __u32 want)
{
	static char buf[NR * RECORD];
	const struct hmap_record *rec;
	__u32 count = 0;

	EQ(next(fd, n, buf, want * RECORD), 0);
	EQ(n->used, n->count * RECORD);
	OK(n->count <= want);
	while ((rec = take_record(n))) {
		__u64 key = *(__u64 *)record_key(rec);

		EQ(rec->key_len, 8);
		EQ(rec->elem_len, 8);
		OK(key < ARRAY_SIZE(given));
		given[key]++;
		count++;
	}
	EQ(count, n->count);
	return count;
}

static void finish(int fd, struct hmap_next *n, __u32 want)
{
	while (step(fd, n, want))
		;
}

/* A whole walk, @want entries a call */
static void walk(int fd, __u32 want)
{
	struct hmap_next n = { 0 };

	memset(given, 0, sizeof(given));
	finish(fd, &n, want);
}

/* Go on with a walk, and return the error.  A failure must not move it. */
static int try_step(int fd, const struct hmap_next *at)
{
	static char buf[NR * RECORD];
	struct hmap_next n = *at;
	int err = next(fd, &n, buf, sizeof(buf));

	if (err) {
		EQ(n.count, 0);
		SAME_BYTES(n.cursor, at->cursor, sizeof(n.cursor));
	}
	return err;
}

static void check_given(__u64 from, __u64 to, unsigned int times)
{
	for (__u64 i = from; i < to; i++)
		if (given[i] != times)
			fail(__FILE__, __LINE__,
			     "key %llu was given %u times, not %u", i, given[i],
			     times);
}

static void any_step(void)
{
	static const __u32 steps[] = { 1, 2, 7, 8, 9, 64, NR };
	int fd = filled(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		walk(fd, steps[i]);
		check_given(0, NR, 1);
	}
}

static void empty_and_tiny(void)
{
	int fd = make_u64(NULL, 0);
	struct hmap_next n = { 0 };

	EQ(step(fd, &n, 1), 0);
	EQ(step(fd, &n, 0), 0);
	for (__u64 nr = 1; nr <= 20; nr++) {
		EQ(put(fd, nr - 1, 0), 0);
		walk(fd, 3);
		check_given(0, nr, 1);
		check_given(nr, 21, 0);
	}
	for (__u64 nr = 20; nr > 0; nr--)
		EQ(del(fd, nr - 1), 0);
	walk(fd, 3);
	check_given(0, 21, 0);
}

static void end_is_the_end(void)
{
	struct hmap_next n = { 0 }, again = { 0 };
	int fd = filled(NULL);

	finish(fd, &n, 100);
	EQ(put(fd, NR, 0), 0);
	EQ(step(fd, &n, 100), 0);
	EQ(step(fd, &n, 0), 0);
	EQ(step(fd, &again, NR), NR);
	EQ(step(fd, &again, 2), 1);
	check_given(0, NR, 2);
}

static void starts_anywhere(void)
{
	int fd = filled(NULL), differ = 0;
	__u64 first = 0, buf[3];

	for (int i = 0; i < 64; i++) {
		struct hmap_next n = { 0 };

		EQ(next(fd, &n, buf, RECORD), 0);
		EQ(n.count, 1);
		differ += i && buf[1] != first;
		first = buf[1];
	}
	OK(differ > 32);
}

static void again_from_halfway(void)
{
	int fd = filled(NULL);
	struct hmap_next n = { 0 }, kept;

	EQ(step(fd, &n, NR / 2), NR / 2);
	kept = n;
	finish(fd, &n, 10);
	check_given(0, NR, 1);
	finish(fd, &kept, 7);
	for (int i = 0, twice = 0; i < NR; i++) {
		twice += given[i] == 2;
		OK(given[i] == 1 || given[i] == 2);
		if (i == NR - 1)
			EQ(twice, NR - NR / 2);
	}
}

/* Doublings and same-size growths happen between any two steps. */
static void while_the_map_grows(void)
{
	int fd = filled(NULL);
	__u64 new = NR, growths = info(fd).growths;
	struct hmap_next n = { 0 };

	do {
		for (int i = 0; i < 40 && new < NR + NR_FOREIGN; i++, new++) {
			EQ(put(fd, new, new), 0);
			if (new % 3 == 0)
				EQ(del(fd, new), 0);
		}
	} while (step(fd, &n, 2));
	OK(info(fd).growths >= growths + 3);
	check_given(0, NR, 1);
	for (__u64 i = NR; i < NR + NR_FOREIGN; i++)
		OK(given[i] <= 1);
}

/*
 * A moving window of keys makes each of the 16 buckets chain an overflow bucket
 * sooner or later, and that many trigger a same-size growth.
 */
static void while_the_map_is_squeezed(void)
{
	const __u64 stay = 16, window = 84;
	int fd = make_u64(NULL, 0);
	struct hmap_next n = { 0 };
	__u64 new = NR;

	for (__u64 i = 0; i < stay; i++)
		EQ(put(fd, i, i), 0);
	do {
		for (int i = 0; i < 200; i++, new++) {
			EQ(put(fd, new, new), 0);
			if (new >= NR + window)
				EQ(del(fd, new - window), 0);
		}
		OK(new < ARRAY_SIZE(given));
	} while (step(fd, &n, 2));
	OK(info(fd).same_size_growths);
	EQ(info(fd).log2_buckets, 4);
	check_given(0, stay, 1);
	for (__u64 i = NR; i < new; i++)
		OK(given[i] <= 1);
}

static void churn(int fd)
{
	for (__u64 round = 0;; round++) {
		for (__u64 i = 0; i < NR_FOREIGN; i++)
			EQ(put(fd, NR + i, round), 0);
		for (__u64 i = 0; i < NR_FOREIGN; i++)
			EQ(del(fd, NR + i), 0);
	}
}

static void while_another_writes(void)
{
	int fd = filled("churned");
	__u64 growths = info(fd).growths;
	pid_t pid = spawn();

	if (!pid) {
		churn(dev_open_map("churned", O_RDWR));
		exit(0);
	}
	do {
		walk(fd, 10);
		check_given(0, NR, 1);
	} while (info(fd).growths < growths + 3);
	EQ(kill(pid, SIGKILL), 0);
	EQ(waitpid(pid, NULL, 0), pid);
}

static void deleted_before_reached(void)
{
	int fd = filled(NULL);
	bool deleted[NR] = { false };
	struct hmap_next n = { 0 };

	do {
		for (__u64 i = 0; i < NR; i++) {
			if (!given[i] && random_u32() % 4 == 0)
				deleted[i] |= !del(fd, i);
		}
	} while (step(fd, &n, NR / 50));
	for (__u64 i = 0; i < NR; i++)
		EQ(given[i], !deleted[i]);
}

/* A walk returns present elems, even if the map has grown since it began. */
static void replaced_before_reached(void)
{
	static char buf[NR * RECORD];
	const struct hmap_record *rec;
	struct hmap_next n = { 0 };
	int fd = filled(NULL);

	EQ(step(fd, &n, NR / 3), NR / 3);
	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, ~i), 0);
	for (__u64 i = NR; i < 4 * NR; i++)
		EQ(put(fd, i, ~i), 0);
	do {
		EQ(next(fd, &n, buf, sizeof(buf)), 0);
		while ((rec = take_record(&n))) {
			__u64 key = *(__u64 *)record_key(rec);

			EQ(*(__u64 *)record_elem(rec), ~key);
			given[key]++;
		}
	} while (n.count);
	check_given(0, NR, 1);
}

/* A walk that cannot be completed must not look as if it were. */
static void clear_is_told(void)
{
	int fd = filled("cleared"), other = dev_open_map("cleared", O_RDONLY);
	struct hmap_next half = { 0 }, first = { 0 }, ended = { 0 };

	EQ(step(fd, &half, NR / 2), NR / 2);
	EQ(step(other, &first, 1), 1);
	finish(fd, &ended, 100);
	EQ(clear(fd), 0);
	EQ(try_step(fd, &half), -ESTALE);
	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, i), 0);
	EQ(try_step(fd, &half), -ESTALE);
	EQ(try_step(other, &first), -ESTALE);
	EQ(try_step(fd, &ended), -ESTALE);
	walk(other, NR);
	check_given(0, NR, 1);
}

/* A map that becomes empty between two steps may or may not draw a new seed. */
static void emptied_by_deletes(void)
{
	int fd = filled(NULL), err;
	struct hmap_next n = { 0 };

	EQ(step(fd, &n, NR / 2), NR / 2);
	for (__u64 i = 0; i < NR; i++)
		EQ(del(fd, i), 0);
	err = try_step(fd, &n);
	OK(err == 0 || err == -ESTALE);
	for (__u64 i = 0; i < NR; i++)
		EQ(put(fd, i, i), 0);
	walk(fd, NR);
	check_given(0, NR, 1);
}

/* There can be any number of walks, through one file or several. */
static void many_walks(void)
{
	static struct hmap_next walks[50];
	int fd = filled("walked"), fds[3] = {
		fd, dev_open_map("walked", O_RDONLY),
		dev_open_map("walked", O_RDWR)
	};
	__u32 left = 0;

	do {
		left = 0;
		for (size_t i = 0; i < ARRAY_SIZE(walks); i++)
			left += step(fds[random_u32() % 3], &walks[i], 1 + i);
	} while (left);
	check_given(0, NR, ARRAY_SIZE(walks));
}

/* Parent and child each get all of the rest. */
static void fork_during_a_walk(void)
{
	struct hmap_next n = { 0 };
	int fd = filled(NULL);
	pid_t pid;

	EQ(step(fd, &n, NR / 3), NR / 3);
	pid = spawn();
	finish(fd, &n, pid ? 3 : 5);
	check_given(0, NR, 1);
	if (!pid)
		exit(0);
	join(pid);
}

static void cursor_of_another_map(void)
{
	int fd = filled(NULL), other = filled(NULL);
	struct hmap_next n = { 0 };

	EQ(step(fd, &n, NR / 2), NR / 2);
	EQ(try_step(other, &n), -ESTALE);
	finish(fd, &n, 10);
	EQ(try_step(other, &n), -ESTALE);
}

/* Whatever the cursor, NEXT fails cleanly or returns entries of the map. */
static void forged_cursors(void)
{
	static struct hmap_next real[64];
	__u32 stale = 0, nr = 20000;
	int fd = filled(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(real); i++)
		step(fd, &real[i], 1 + i * NR / ARRAY_SIZE(real));
	for (__u32 i = 0; i < nr; i++) {
		struct hmap_next n = real[random_u32() % ARRAY_SIZE(real)];
		int err, word = random_u32() % 3;

		switch (i % 4) {
		case 0:
			n.cursor[word] ^= 1ULL << random_u32() % 64;
			break;
		case 1:
			n.cursor[word] = (__u64)random_u32() << 32 | random_u32();
			break;
		case 2:
			n.cursor[word] = 0;
			break;
		case 3:
			n.cursor[word] = real[random_u32() % 64].cursor[word];
			break;
		}
		err = try_step(fd, &n);
		stale += err == -ESTALE;
		OK(!err || err == -ESTALE || err == -EINVAL);
	}
	OK(stale > nr / 4);
	walk(fd, 7);
	check_given(0, NR, 1);
}

static int compare_words(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

/*
 * It does not show what the cursors of a walk have in common, nor their order: no
 * word occurs twice, each bit is set in about half of them, and consecutive
 * cursors differ in it about half of the time.  Only the end of a walk may show.
 */
static void cursors_tell_nothing(void)
{
	enum { CURSORS = NR - 1, WORDS = 3 * CURSORS, SIGMAS = 6 };
	static __u64 words[WORDS];
	struct hmap_next n = { 0 };
	int fd = filled(NULL);
	const double off = SIGMAS * 0.5 * 32;	/* sqrt(CURSORS) is below 32 */

	for (int i = 0; i < CURSORS; i++) {
		EQ(step(fd, &n, 1), 1);
		for (int w = 0; w < 3; w++)
			words[3 * i + w] = n.cursor[w];
	}
	for (int bit = 0; bit < 3 * 64; bit++) {
		int w = bit / 64, set = 0, flips = 0;

		for (int i = 0; i < CURSORS; i++) {
			__u64 word = words[3 * i + w];
			__u64 last = i ? words[3 * (i - 1) + w] : 0;

			set += word >> bit % 64 & 1;
			flips += (word ^ last) >> bit % 64 & 1;
		}
		trying("bit %d, set %d times, changed %d times", bit, set,
		       flips);
		OK(set > CURSORS / 2 - off && set < CURSORS / 2 + off);
		OK(flips > CURSORS / 2 - off && flips < CURSORS / 2 + off);
	}
	qsort(words, WORDS, sizeof(*words), compare_words);
	for (int i = 1; i < WORDS; i++)
		OK(words[i] != words[i - 1]);
}

#define LONG_NR	200000

/* A signal does not have to wait until a large buffer is full. */
static void signals_cut_calls_short(void)
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { 0 };
	char *buf = malloc(LONG_NR * RECORD);
	struct hmap_next n = { 0 };
	int fd = make_u64(NULL, 0), short_calls = 0;
	__u32 count = 0;

	OK(buf);
	for (__u64 i = 0; i < LONG_NR; i++)
		EQ(put(fd, i, i), 0);
	signal(SIGALRM, on_alarm);
	EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
	do {
		int err = next(fd, &n, buf, LONG_NR * RECORD);

		OK(!err || err == -EINTR);
		short_calls += n.count != LONG_NR;
		count += n.count;
	} while (count < LONG_NR);
	EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
	EQ(count, LONG_NR);
	printf("# %d calls were cut short\n", short_calls);
	OK(short_calls);
}

/* Nor does it have to wait for a search in a large array without entries. */
static void signals_reach_an_empty_walk(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_U64,
		.key_size = 8,
		.hint = 1 << 21,
	};
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } }, never = { 0 };
	int fd = make(&arg), interrupted = 0, err;
	struct hmap_next n = { 0 };
	char buf[RECORD];

	signal(SIGALRM, on_alarm);
	EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
	while ((err = next(fd, &n, buf, sizeof(buf)))) {
		EQ(err, -EINTR);
		EQ(n.count, 0);
		interrupted++;
	}
	EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
	EQ(n.count, 0);
	printf("# %d calls were interrupted\n", interrupted);
	OK(interrupted);
}

/* A walk makes progress even if there is always a signal pending. */
static void signals_all_the_time(void)
{
	static char buf[NR * RECORD];
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { 0 };
	const struct hmap_record *rec;
	struct hmap_next n = { 0 };
	int fd = filled(NULL), short_calls = 0;

	signal(SIGALRM, on_alarm);
	EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
	for (int walks = 0; walks < 50; walks++) {
		memset(&n, 0, sizeof(n));
		memset(given, 0, sizeof(given));
		for (bool ended = false; !ended;) {
			int err = next(fd, &n, buf, sizeof(buf));

			OK(!err || err == -EINTR);
			ended = !err && !n.count;
			short_calls += n.count && n.count < NR;
			while ((rec = take_record(&n)))
				given[*(__u64 *)record_key(rec)]++;
		}
		check_given(0, NR, 1);
	}
	EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
	printf("# %d calls were cut short\n", short_calls);
}

static void emsgsize_waits(void)
{
	const struct hmap_create arg = {
		.key_kind = HMAP_KIND_STRING,
		.elem_size = 65536,
		.flags = HMAP_CREATE_VAR_ELEM,
	};
	static char elem[65536], buf[1 << 17];
	int fd = make(&arg), refused = 0;
	const struct hmap_record *rec;
	struct hmap_next n = { 0 };
	__u32 seen = 0, len = 0;
	bool ended = false;

	for (__u32 i = 0; i < 60; i++)
		EQ(insert(fd, &i, 4, elem, 1 << (i % 17), 0), 0);
	while (!ended) {
		int err = next(fd, &n, buf, len);

		if (err) {
			EQ(err, -EMSGSIZE);
			EQ(n.count, 0);
			OK(n.used > len && n.used <= 16 + 65536);
			refused++;
			len = n.used;
			continue;
		}
		len = n.used / 2;
		while ((rec = take_record(&n))) {
			__u32 i = *(__u32 *)record_key(rec);

			OK(i < 60 && !given[i]);
			given[i] = 1;
			EQ(rec->elem_len, 1 << (i % 17));
			seen++;
		}
		ended = !n.count;
	}
	EQ(seen, 60);
	OK(refused > 3);
}

/* A failed call leaves the cursor alone, so nothing is lost. */
static void efault_loses_nothing(void)
{
	static char buf[100 * RECORD];
	struct hmap_next n = { 0 };
	int fd = filled(NULL);
	__u32 count = 0;

	while (count < NR) {
		char *cut = edge(count % 100 * RECORD + RECORD / 2);
		const struct hmap_record *rec;
		int err;

		EQ(next(fd, &n, KERNEL_MEMORY, sizeof(buf)), -EFAULT);
		n.buf = (uintptr_t)buf;
		n.len = sizeof(buf);
		EQ(call(fd, HMAP_IOC_NEXT, readonly(&n, sizeof(n))), -EFAULT);
		err = next(fd, &n, cut, sizeof(buf));
		EQ(err, n.count ? 0 : -EFAULT);
		while ((rec = take_record(&n)))
			given[*(__u64 *)record_key(rec)]++;
		count += n.count + step(fd, &n, 7);
	}
	EQ(step(fd, &n, 7), 0);
	check_given(0, NR, 1);
}

static const struct test tests[] = {
	TEST(any_step),
	TEST(empty_and_tiny),
	TEST(end_is_the_end),
	TEST(starts_anywhere),
	TEST(again_from_halfway),
	TEST(while_the_map_grows),
	TEST(while_the_map_is_squeezed),
	TEST(while_another_writes),
	TEST(deleted_before_reached),
	TEST(replaced_before_reached),
	TEST(clear_is_told),
	TEST(emptied_by_deletes),
	TEST(many_walks),
	TEST(fork_during_a_walk),
	TEST(cursor_of_another_map),
	TEST(forged_cursors),
	TEST(cursors_tell_nothing),
	TEST(signals_cut_calls_short),
	TEST(signals_reach_an_empty_walk),
	TEST(signals_all_the_time),
	TEST(emsgsize_waits),
	TEST(efault_loses_nothing),
};

int main(void)
{
	return run_device_tests(tests, ARRAY_SIZE(tests));
}
