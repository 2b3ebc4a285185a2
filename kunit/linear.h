/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histories of what was done to a key, and whether they are linearizable: there
 * must be an order of the operations in which each one gives what it gave, and in
 * which none that replied before another was called comes after it.  The search
 * for such an order is Wing and Gong's, with Lowe's memory of what led nowhere.
 *
 * tools/e2e/linear.c includes this, too.
 */
#ifndef _LINEAR_H
#define _LINEAR_H

enum op {
	LOOKUP,
	INSERT,
	NOEXIST,
	EXIST,
	DELETE,
	TAKE,
	XCHG,
	CMPXCHG,
	ADD,
	NR_KEY_OPS,
	CLEAR = NR_KEY_OPS,
};

struct event {
	enum op op;
	int ret;
	u64 arg;		/* to store, or to add */
	u64 expect;		/* CMPXCHG */
	u64 got;		/* what was there */
	u64 call;
	u64 reply;
};

#define MAX_EVENTS	64	/* one bit each */

struct history {
	unsigned int nr;
	struct event event[MAX_EVENTS];
};

/* What is stored for the key. */
struct state {
	bool present;
	u64 val;
};

/* What has been put in order, and what can come next. */
struct step {
	u64 done;
	struct state state;
	u64 first_reply;	/* of what has not; a later call cannot be next */
	unsigned int next;
};

#define SEEN_BITS	10

struct checker {
	struct step step[MAX_EVENTS + 1];
	struct {
		u64 done;
		struct state state;
	} seen[1 << SEEN_BITS];	/* forgets: that costs time only */
};

/* Whether the event can happen in this state; which it then changes. */
static bool happen(const struct event *e, struct state *s)
{
	const struct state before = *s;

	if (e->op == CLEAR) {
		s->present = false;
		return true;
	}
	if (!before.present && e->op != INSERT && e->op != NOEXIST)
		return e->ret == -ENOENT;

	switch (e->op) {
	case INSERT:
	case EXIST:
		*s = (struct state){ true, e->arg };
		return !e->ret;
	case NOEXIST:
		if (before.present)
			return e->ret == -EEXIST;
		*s = (struct state){ true, e->arg };
		return !e->ret;
	case LOOKUP:
		return !e->ret && e->got == before.val;
	case DELETE:
		s->present = false;
		return !e->ret;
	case TAKE:
		s->present = false;
		return !e->ret && e->got == before.val;
	case XCHG:
		s->val = e->arg;
		return !e->ret && e->got == before.val;
	case CMPXCHG:
		if (before.val != e->expect)
			return e->ret == -ESTALE;
		s->val = e->arg;
		return !e->ret;
	case ADD:
		s->val += e->arg;
		return !e->ret && e->got == before.val;
	default:
		return false;
	}
}

static void set_step(struct step *step, const struct history *h, u64 done,
		     struct state state)
{
	unsigned int i;

	*step = (struct step){ done, state, U64_MAX, 0 };
	for (i = 0; i < h->nr; i++)
		if (!(done & BIT_ULL(i)))
			step->first_reply = min(step->first_reply,
						h->event[i].reply);
}

/* Whether this was tried before, and led nowhere. */
static bool seen(struct checker *c, u64 done, struct state state)
{
	u64 key = state.present ? done ^ state.val * 3 : ~done;
	typeof(c->seen[0]) *seen = &c->seen[hash_64(key, SEEN_BITS)];

	if (seen->done == done && seen->state.present == state.present &&
	    (!state.present || seen->state.val == state.val))
		return true;
	seen->done = done;
	seen->state = state;
	return false;
}

/* Whether there is an order that explains a key's history. */
static bool is_linear(struct checker *c, const struct history *h)
{
	u64 done, all = h->nr == 64 ? U64_MAX : BIT_ULL(h->nr) - 1;
	unsigned int i, depth = 0;
	struct state state = {};
	struct step *step;

	memset(c->seen, 0, sizeof(c->seen));
	set_step(c->step, h, 0, state);
	for (;;) {
		step = &c->step[depth];
		if (step->done == all)
			return true;
		i = step->next++;
		if (i == h->nr) {
			if (!depth--)
				return false;
			continue;
		}
		done = step->done | BIT_ULL(i);
		state = step->state;
		if (done != step->done &&
		    h->event[i].call < step->first_reply &&
		    happen(&h->event[i], &state) && !seen(c, done, state))
			set_step(&c->step[++depth], h, done, state);
	}
}

#endif /* _LINEAR_H */
