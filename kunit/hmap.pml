/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of how arrays of buckets replace each other, for spin to check in
 * every order in which things can happen.  tools/model has the configurations
 * that are checked, and the ways in which the model is broken to see it tell.
 *
 * Arrays have two buckets of two slots.  There are two keys, of the same tophash
 * and the same bucket.  Two writers each store or take a key, a reader looks one
 * up, and a worker starts a growth and finishes it.  One key will do for the
 * reader, as they are alike.
 *
 * ONE		arrays have one bucket
 * DOUBLE	the first array has one, and the growth parts its keys
 * CHAIN	the second slot is in an overflow bucket
 * NO_MEMORY	a bucket may be refused its evacuation
 * LOCKED	the reader takes the lock
 * NO_READER	there is none
 * STORE	the writers store, both the same key
 * GROWTHS	how often the map grows; 1
 * NEXT		a writer then evacuates a bucket more, and the worker may leave
 *		a growth to the writers
 * CLAIM	how many buckets a CPU claims at once; 1
 * SHARED_CPU	there is one CPU, which is only kept by having interrupts off
 * CLEAR	somebody clears the map
 * RESEED	somebody changes the seed if the map is empty
 *
 * This is what is checked:
 * - Each lookup and each write finds what was in the map at a moment between its
 *   start and its end, whole and but once.  What is there in the end is what was
 *   stored last and not taken or cleared.
 * - An array is let go once, when all its buckets are marked, and nobody looks at
 *   one that is freed.
 * - A growth whose buckets have all been claimed and marked is over, without
 *   hmap_finish_work().
 * - Nobody waits for what does not come.
 *
 * This is what is assumed, and where the code sees to it:
 * - Memory is sequentially consistent.  The code has a barrier where the order of
 *   two accesses matters: guard.h; old_of() and hmap_grow_done(); evacuated(),
 *   hmap_read_growing() and evac_mark(); hmap_publish(); write_try() and
 *   reseed_done(); part_in(), marked_by(), count_marked() and claim_bucket().
 * - The tophash bytes of a bucket are read, and marked, in one step:
 *   tophash_load(), evac_mark().  A machine of 32 bits does not decide a miss by
 *   them, and marks the first slot last: hmap_read_bucket(), evac_mark().
 * - The sequence of a guard does not come round while a reader looks at the
 *   bucket, so all it tells is whether there was a writer: guard_read_valid().
 * - Overflow buckets are freed with their array, and so may as well be there
 *   from the start: hmap_newoverflow(), hmap_array_destroy().
 * - What is done under hmap.lock is to be seen by one store, and so is one step:
 *   publish_growth(), hmap_replace(), freeze(), hmap_thaw().  In reseed_done()
 *   it is two, and the model has the lock.
 * - No two arrays are published with the same serial, even if they are in the same
 *   memory: hmap_publish(), publish_growth().
 * - An entry is counted before it is put, and until it has been deleted, so that
 *   the count is 0 only if there is none: write_absent(), write_chain().  It is
 *   exact when nobody writes: hmap_lineage_len().
 * - Guards are held with interrupts off, and a part is used by its own CPU, with
 *   interrupts off: guard.h, part_in().
 *
 * Steps are joined where that takes nothing away:
 * - ->old only goes from an array to NULL, when all is marked.  To have loaded it
 *   together with hmap.buckets means no more than to look at marks in vain.
 * - Being in a read section for longer keeps arrays for longer.  So a section ends
 *   at once, and an array that may be freed then is.
 * - The stores that a writer makes under a guard come in two steps, and a reader
 *   may see the first without the second.  The entry is half there between them.
 *   That the guard is held alone is nothing to see: what it would make a reader do
 *   is to try again.
 * - A lookup that tries again loads everything anew.  It differs from another one
 *   only in having begun earlier, which allows it more; so it ends there.
 * - A reader looks at the sequence in the same step as at what it reads first, and
 *   last.  A writer that came between would be one more reason to try again.
 * - A key is compared in one step.  Half of one key and half of another may look
 *   like a third, but a hit counts only if there was no writer, and a miss that
 *   comes of it is true, as the key has been taken: hmap_read_bucket().
 */

#if defined(DOUBLE)
#define OLD_MASK	0
#define NEW_MASK	1
#elif defined(ONE)
#define OLD_MASK	0
#define NEW_MASK	0
#else
#define OLD_MASK	1
#define NEW_MASK	1
#endif
#ifndef GROWTHS
#define GROWTHS		1
#endif
#ifndef CLAIM
#define CLAIM		1
#endif
#ifdef CLEAR
#define LINEAGES	2
#else
#define LINEAGES	1
#endif

#define ARRAYS		(GROWTHS + LINEAGES)
#define NONE		ARRAYS

/* Who there is; each of them is me. */
#define WRITER(n)	(n)
#define READER		2
#define WORKER		3
#define CLEARER		4
#define RESEEDER	5

#ifdef SHARED_CPU
#define CPUS		1
#define CPU		0
#else
#define CPUS		3		/* the writers' and the worker's */
#define CPU		(me == WORKER -> 2 : me)
#endif

#define EMPTY_REST	0
#define EMPTY_ONE	1
#define EVACUATED	2
#define TOP		3		/* of both keys */

#define OLD_ELEM	3		/* what is there in the beginning */
#define NEW_ELEM	(me + 1)

#ifdef DOUBLE
#define HASH(key, seed)	((key) ^ (seed))
#else
#define HASH(key, seed)	(seed)
#endif

typedef bucket {
	bit locked;
	byte top[2];
	bit key[2];
	byte lo[2];			/* an elem is written in two steps */
	byte hi[2]
};

typedef array {
	bucket b[2];
	bit mask;
	bit seed;
	bit frozen;
	byte old = NONE;
	byte serial;
	byte claimed;			/* nevacuate */
	bit lineage;
	bit retired;
	bit freed;
	byte readers			/* whom it waits for to be freed */
};

typedef part {
	byte serial;
	byte next;
	byte end;
	byte marked
};

array A[ARRAYS];
part P[CPUS];
byte buckets;				/* hmap.buckets */
byte made = 1;				/* arrays so far */
byte generation = 1;
bit lineage;				/* of hmap.buckets */
bit seed;				/* its hash0 */
bit hmap_lock;
bit irqs_off;				/* on the one CPU */

/* Who is in a read section, and who was when a grace period began. */
byte inside;
byte waits[2];
#define CLEAR_GP	0
#define RESEED_GP	1

/*
 * What is in the map, by lineage and key, 0 for nothing: an operation that goes
 * on in what was cleared has begun before, and counts as having been before.
 */
typedef contents {
	byte elem[2]
};
contents there[LINEAGES];
byte count[LINEAGES];

#define NOTHING		255

/* The reader: which bucket it looks at, and whether a writer was there. */
bit looking;
bit look_lineage;			/* when it began */
byte seen;				/* bit n: elem n was there since */
byte watched = NOTHING;
bit written;

byte finished;

#define IN(who)		(1 << (who))
#define ID(x, i)	(2 * (x) + (i))
#define BUCKET(x, i)	A[x].b[i]
#define INDEX(x, k)	(HASH(k, hash) & A[x].mask)
#define MARKED(x, i)	(A[x].b[i].top[0] == EVACUATED)
#define ALL_MARKED(x)	(MARKED(x, 0) && (A[x].mask == 0 || MARKED(x, 1)))
#define ALL_CLAIMED(x)	(A[x].claimed > A[x].mask)
#define ALIVE(x)	assert(!A[x].freed)

/* === What is true === */

inline change(x, k, value)
{
	there[A[x].lineage].elem[k] = value;
	if
	:: looking && k == 0 && A[x].lineage >= look_lineage ->
		seen = seen | (1 << (value))
	:: else
	fi
}

#define HAS(x, i, s, k) \
	(BUCKET(x, i).top[s] == TOP && BUCKET(x, i).key[s] == (k))
#define THERE(x, k)	there[A[x].lineage].elem[k]
#define IS_WHOLE(x, i, s, k) \
	(BUCKET(x, i).lo[s] == THERE(x, k) && BUCKET(x, i).hi[s] == THERE(x, k))

/* The true bucket of a key has it once, with its elem, or not at all. */
inline check_entry(x, i, k)
{
	assert(HAS(x, i, 0, k) + HAS(x, i, 1, k) == (THERE(x, k) != 0));
	assert(!HAS(x, i, 0, k) || IS_WHOLE(x, i, 0, k));
	assert(!HAS(x, i, 1, k) || IS_WHOLE(x, i, 1, k))
}

/*
 * What nobody will look at again is forgotten, lest states differ by it: a slot
 * whose tophash byte no longer says that it is in use, unless the reader, which
 * may have seen that it was, is at the bucket.
 */
inline forget(x, i, s)
{
	if
	:: BUCKET(x, i).top[s] != TOP && watched != ID(x, i) ->
		BUCKET(x, i).key[s] = 0;
		BUCKET(x, i).lo[s] = 0;
		BUCKET(x, i).hi[s] = 0
	:: else
	fi
}

inline free(x)
{
	assert(!A[x].freed);
	A[x].freed = 1;
	for (y : 0 .. 1) {
		BUCKET(x, y).top[0] = 0;
		BUCKET(x, y).top[1] = 0;
		forget(x, y, 0);
		forget(x, y, 1)
	}
	y = 0;
	A[x].claimed = 0;
	A[x].old = NONE
}

/* === RCU === */

inline read_lock()
{
	assert(!(inside & IN(me)));
	inside = inside | IN(me)
}

inline read_unlock()
{
	inside = inside & ~IN(me);
	waits[CLEAR_GP] = waits[CLEAR_GP] & ~IN(me);
	waits[RESEED_GP] = waits[RESEED_GP] & ~IN(me);
	for (x : 0 .. ARRAYS - 1) {
		A[x].readers = A[x].readers & ~IN(me);
		if
		:: A[x].retired && !A[x].freed && !A[x].readers -> free(x)
		:: else
		fi
	}
	x = 0
}

inline retire(x)
{
	assert(!A[x].retired && !A[x].freed);
	assert(ALL_MARKED(x));
	A[x].retired = 1;
#ifdef BREAK_NO_GRACE
	free(x);
#endif
	A[x].readers = inside
}

/* === Guards === */

/* Comes first in a step, which waits for it. */
inline guard_lock(x, i)
{
	!BUCKET(x, i).locked && !irqs_off ->
	ALIVE(x);
	BUCKET(x, i).locked = 1;
	local_irq_save();
	if
	:: watched == ID(x, i) -> written = 1
	:: else
	fi
}

inline guard_unlock(x, i)
{
	ALIVE(x);
	BUCKET(x, i).locked = 0
}

inline local_irq_save()
{
#ifdef SHARED_CPU
	irqs_off = 1
#else
	skip
#endif
}

inline local_irq_restore()
{
#ifdef SHARED_CPU
	irqs_off = 0
#else
	skip
#endif
}

/* === Evacuation, see evacuate.c === */

inline evac_copy_slot(s)
{
	if
	:: BUCKET(old, i).top[s] == TOP ->
		y = HASH(BUCKET(old, i).key[s], A[a].seed) & A[a].mask;
		BUCKET(a, y).key[n[y]] = BUCKET(old, i).key[s];
		BUCKET(a, y).lo[n[y]] = BUCKET(old, i).lo[s];
		BUCKET(a, y).hi[n[y]] = BUCKET(old, i).hi[s];
		n[y]++
	:: else
	fi
}

inline evac_put_word(y)
{
	if
	:: n[y] ->
		BUCKET(a, y).top[0] = TOP;
		BUCKET(a, y).top[1] = (n[y] == 2 -> TOP : EMPTY_REST);
		n[y] = 0
	:: else
	fi
}

inline evac_put_words()
{
	evac_put_word(0);
	evac_put_word(1)
}

inline evac_copy()
{
	ALIVE(a);
	evac_copy_slot(0);
	evac_copy_slot(1);
#ifndef BREAK_MARK_FIRST
	evac_put_words();
#endif
	y = 0
}

inline evac_mark()
{
	BUCKET(old, i).top[0] = EVACUATED;
	BUCKET(old, i).top[1] = EVACUATED;
	forget(old, i, 0);
	forget(old, i, 1)
}

inline grow_done()
{
	ALIVE(a);
	if
	:: A[a].old == old -> A[a].old = NONE; retire(old)
	:: else
	fi
}

/*
 * A part only goes on to later growths: whoever comes late finds that it is not
 * in the one of its old array.
 */
#define IS_IN(c, old)	(P[c].serial == A[old].serial)

inline part_in()
{
	ALIVE(old);
	if
#ifdef BREAK_PART_GOES_BACK
	:: P[CPU].serial != A[old].serial ->
#else
	:: P[CPU].serial < A[old].serial ->
#endif
		P[CPU].next = 0;
		P[CPU].end = 0;
		P[CPU].marked = 0;
		P[CPU].serial = A[old].serial
	:: else
	fi
}

/* Whoever has marked a bucket or claimed some asks whether that was all. */
inline end_growth()
{
	if
	:: ALL_CLAIMED(old) ->
		do
		:: c < CPUS && !IS_IN(c, old) -> c++
		:: c < CPUS && IS_IN(c, old) -> d_step {
				/* marked_by() */
				if
#ifdef BREAK_COUNT_OTHERS
				:: true ->
#else
				:: IS_IN(c, old) ->
#endif
					marked = marked + P[c].marked
				:: else
				fi;
				c++
			}
		:: c == CPUS -> break
		od;
		c = 0;
#ifdef BREAK_RETIRE_EARLY
		marked++;
#endif
		d_step {
			if
			:: marked > A[old].mask -> grow_done()
			:: else
			fi;
			marked = 0
		}
	:: else
	fi
}

inline count_marked()
{
#ifdef NEXT
	d_step {
		part_in();
		if
		:: IS_IN(CPU, old) -> P[CPU].marked++
		:: else
		fi
	}
	if
	:: IS_IN(CPU, old) -> end_growth()
	:: else
	fi;
#endif
	local_irq_restore()
}

/*
 * Evacuate a bucket that was not marked a moment ago, or leave it and have w
 * say old.  Nobody sees the copies, nor their tophash bytes, before the mark.
 */
inline evacuate()
{
	if
	:: d_step {
			guard_lock(old, i);
			is_marked = MARKED(old, i);
			if
			:: is_marked -> guard_unlock(old, i); local_irq_restore()
			:: else -> evac_copy()
			fi
		}
		if
		:: is_marked
		:: else ->
#ifdef CHAIN
			BUCKET(old, i).top[1] = EVACUATED;
#endif
			d_step {
				evac_mark();
#ifndef BREAK_MARK_FIRST
				guard_unlock(old, i)
#endif
			}
#ifdef BREAK_MARK_FIRST
			d_step { evac_put_words(); guard_unlock(old, i) }
#endif
			count_marked()
		fi
#ifdef NO_MEMORY
	:: d_step {
			guard_lock(old, i);
			w = (MARKED(old, i) -> a : old);
			guard_unlock(old, i);
			local_irq_restore()
		}
#endif
	fi
}

/* A write's share of the growth: hmap_evacuate_next() and claim_bucket() */
inline evacuate_next()
{
	atomic {
		read_lock();
		a = buckets;
		old = A[a].old;
		if
		:: old == NONE -> goto done
		:: else
		fi
	}
	d_step { !irqs_off -> local_irq_save(); part_in(); i = NONE }
	do
	:: !IS_IN(CPU, old) -> break
	:: IS_IN(CPU, old) && i == NONE && P[CPU].next < P[CPU].end -> d_step {
			ALIVE(old);
			if
			:: !MARKED(old, P[CPU].next) -> i = P[CPU].next
			:: else
			fi;
			P[CPU].next++
		}
	:: IS_IN(CPU, old) && i == NONE && P[CPU].next == P[CPU].end &&
	   !ALL_CLAIMED(old) ->
		d_step {
			ALIVE(old);
			P[CPU].next = A[old].claimed;
			A[old].claimed = A[old].claimed + CLAIM;
			P[CPU].end = A[old].claimed;
			if
			:: P[CPU].end > A[old].mask + 1 ->
				P[CPU].end = A[old].mask + 1
			:: else
			fi
		}
		end_growth()
	:: else -> break
	od;
	local_irq_restore();
	if
	:: i != NONE -> evacuate()
	:: else
	fi
done:
	skip
}

/* === Writers, see update.c === */

inline find(x, i, k)
{
	slot = (HAS(x, i, 0, k) -> 0 : (HAS(x, i, 1, k) -> 1 : 2))
}

/* put_entry() or put_elem(), first half and second */
inline store_begin()
{
	if
	:: slot == 2 ->
		slot = (BUCKET(w, i).top[0] <= EMPTY_ONE -> 0 : 1);
		assert(BUCKET(w, i).top[slot] <= EMPTY_ONE);
		count[A[w].lineage]++;
		BUCKET(w, i).key[slot] = k
	:: else
	fi;
	BUCKET(w, i).lo[slot] = NEW_ELEM
}

inline store_end()
{
	BUCKET(w, i).hi[slot] = NEW_ELEM;
	BUCKET(w, i).top[slot] = TOP;
	change(w, k, NEW_ELEM)
}

/* delete_entry() and mark_empty(), likewise */
inline take_begin()
{
	if
	:: slot != 2 -> BUCKET(w, i).top[slot] = EMPTY_ONE; change(w, k, 0)
	:: else
	fi
}

inline take_end()
{
	if
	:: slot == 1 || (slot == 0 && BUCKET(w, i).top[1] == EMPTY_REST) ->
		BUCKET(w, i).top[slot] = EMPTY_REST;
		if
		:: BUCKET(w, i).top[0] == EMPTY_ONE ->
			BUCKET(w, i).top[0] = EMPTY_REST
		:: else
		fi
	:: else
	fi;
	if
	:: slot != 2 -> forget(w, i, slot); count[A[w].lineage]--
	:: else
	fi
}

proctype writer(byte me; bit k; bit takes)
{
	bit is_marked, hash, start, started;
	byte a, old, w, i, y, c, x, marked, slot;
	byte n[2];

again:
	/* write_try() */
	atomic {
		if
		:: !started -> started = 1; start = lineage
		:: else
		fi;
		read_lock();
		a = buckets;
		w = a;
#ifdef RESEED
		if
		:: A[a].frozen -> goto thaw
		:: else
		fi
	}
	atomic {
		skip;
#endif
		d_step {
			ALIVE(a);
			hash = A[a].seed;
			old = A[a].old;
			is_marked = 1;
			if
			:: old != NONE ->
				i = INDEX(old, k);
				is_marked = MARKED(old, i)
			:: else
			fi
		}
		if
		:: is_marked -> goto write
		:: else
		fi
	}
	evacuate();
write:
	/* write_chain() */
	atomic {
		i = INDEX(w, k);
		d_step {
			guard_lock(w, i);
#ifndef BREAK_NO_RECHECK
			if
			:: MARKED(w, i) ->
				guard_unlock(w, i);
				read_unlock();
				local_irq_restore();
				slot = 3
			:: else ->
#endif
				assert(A[w].lineage >= start);
				check_entry(w, i, k);
				find(w, i, k);
				if
				:: takes -> take_begin()
				:: else -> store_begin()
				fi
#ifndef BREAK_NO_RECHECK
			fi
#endif
		}
		if
		:: slot == 3 -> slot = 0; goto again
		:: else
		fi
	}
	d_step {
		if
		:: takes -> take_end()
		:: else -> store_end()
		fi;
		check_entry(w, i, k);
		guard_unlock(w, i);
		local_irq_restore();
		read_unlock();
		slot = 0; k = 0; hash = 0; takes = 0; start = 0; started = 0;
		is_marked = 0; a = 0; old = 0; w = 0; i = 0
	}
#ifdef NEXT
	evacuate_next();
	d_step {
		read_unlock();
		is_marked = 0; a = 0; old = 0; w = 0; i = 0;
		finished++
	}
#else
	finished++;
#endif
	goto out;
#ifdef RESEED
thaw:
	/* hmap_thaw() */
	atomic {
		!hmap_lock;
		d_step { ALIVE(a); A[a].frozen = 0; read_unlock() }
		goto again
	}
#endif
out:
	skip
}

/* === The reader, see lookup.h and lookup.c === */

#define MISS		0
#define HIT		1
#define MOVED		2
#define AGAIN		3
#define DONE		4

#ifdef LOCKED

/* read_bucket_locked() */
inline read_bucket(x, i)
{
	d_step {
		guard_lock(x, i);
		find(x, i, 0);
		ret = (MARKED(x, i) -> MOVED : (slot != 2 -> HIT : MISS));
		if
		:: ret == HIT ->
			lo = BUCKET(x, i).lo[slot];
			hi = BUCKET(x, i).hi[slot]
		:: else
		fi;
		slot = 0
	}
	d_step {
		guard_unlock(x, i);
		local_irq_restore();
		if
		:: ret != MOVED -> end_lookup(ret)
		:: else
		fi
	}
}

#else

/*
 * The word shows that there are no more keys behind it.  If it does not show the
 * key, either, that is a miss; the code makes no use of it in the old array.
 */
#ifdef CHAIN
#define LAST(x, i)	(BUCKET(x, i).top[0] == EMPTY_REST)
#else
#define LAST(x, i)	(BUCKET(x, i).top[0] == EMPTY_REST || \
			 BUCKET(x, i).top[1] == EMPTY_REST)
#endif

#ifdef BREAK_NO_SEQUENCE
#define VALID		1
#else
#define VALID		(!written)
#endif

/* The key of a slot whose tophash byte matches, and half of its elem. */
inline read_slot(x, i, s)
{
	if
	:: ret == AGAIN && match[s] -> d_step {
			ALIVE(x);
			match[s] = 0;
			if
			:: BUCKET(x, i).key[s] != 0 && !match[1] && last ->
				end_lookup(MISS)
			:: BUCKET(x, i).key[s] == 0 && VALID ->
				last = 0;
				lo = BUCKET(x, i).lo[s];
				ret = HIT
			:: BUCKET(x, i).key[s] == 0 && !VALID ->
				end_lookup(AGAIN)
			:: else
			fi
		}
		if
		:: ret == HIT -> d_step {
				ALIVE(x);
				hi = BUCKET(x, i).hi[s];
				if
				:: VALID -> end_lookup(HIT)
				:: else -> end_lookup(AGAIN)
				fi
			}
		:: else
		fi
	:: else
	fi
}

inline read_bucket(x, i)
{
	d_step {
		ALIVE(x);
		ret = AGAIN;
		written = BUCKET(x, i).locked;
		moved = MARKED(x, i);
		last = LAST(x, i);
		match[0] = (BUCKET(x, i).top[0] == TOP);
#ifndef CHAIN
		match[1] = (BUCKET(x, i).top[1] == TOP);
#endif
		if
		:: last && !match[0] && !match[1] -> end_lookup(MISS)
		:: !last && !VALID -> end_lookup(AGAIN)
		:: else -> watched = ID(x, i)
		fi
	}
	read_slot(x, i, 0);
#ifdef CHAIN
	if
	:: ret == AGAIN && !last ->
		d_step { ALIVE(x); match[1] = (BUCKET(x, i).top[1] == TOP) }
	:: else
	fi;
#endif
	read_slot(x, i, 1);
	if
	:: ret == AGAIN -> d_step {
			if
			:: !VALID -> end_lookup(AGAIN)
			:: VALID && moved -> ret = MOVED
			:: else -> end_lookup(MISS)
			fi;
			moved = 0;
			written = 0;
			watched = NOTHING
		}
	:: else
	fi
}

#endif

inline end_lookup(result)
{
	assert(result != HIT || (lo == hi && (seen & (1 << lo))));
	assert(result != MISS || (seen & 1));
	ret = DONE;
	looking = 0;
	look_lineage = 0;
	seen = 0;
	watched = NOTHING;
	written = 0;
	match[1] = 0;
	last = 0;
	moved = 0;
	a = 0; old = 0; i = 0; lo = 0; hi = 0; hash = 0;
	finished++;
	read_unlock()
}

proctype reader(byte me)
{
	bit hash, moved, last;
	bit match[2];
	byte a, old, i, x, y, lo, hi, slot;
	byte ret = MOVED;

	/* hmap_read_try() */
	d_step {
		read_lock();
		a = buckets;
		hash = A[a].seed;
		old = A[a].old;
		looking = 1;
		look_lineage = lineage;
		seen = 1 << there[lineage].elem[0];
		x = (old != NONE -> old : a);
		i = INDEX(x, 0);
		x = 0
	}
	if
	:: old != NONE -> read_bucket(old, i)
	:: else
	fi;
	if
	:: ret == MOVED -> i = INDEX(a, 0); read_bucket(a, i)
	:: else
	fi;
	if
	:: ret == MOVED -> d_step { end_lookup(AGAIN) }
	:: else
	fi
}

/* === The worker, see grow.c and evacuate.c === */

/* hmap_publish() */
inline publish()
{
	A[made].mask = NEW_MASK;
	A[made].lineage = lineage;
	A[made].seed = seed;
	generation++;
	A[made].serial = generation;
	buckets = made;
	made++
}

/* hmap_grow(), where any number of entries is too many, and publish_growth() */
inline grow()
{
	serial = A[buckets].serial;
	d_step {
		!hmap_lock ->
		if
#ifdef BREAK_PUBLISH_EARLY
		:: A[buckets].serial == serial ->
#else
		:: A[buckets].serial == serial && A[buckets].old == NONE ->
#endif
			A[made].old = buckets;
			publish()
		:: else
		fi;
		serial = generation
	}
}

proctype worker(byte me)
{
	bit is_marked;
	byte a, old, w, i, y, c, x, marked, serial, next, growths;
	byte n[2];

	do
	:: growths == GROWTHS -> break
	:: growths < GROWTHS ->
		growths++;
		grow();
		/* hmap_finish_work() */
		do
#if defined(NEXT) || GROWTHS > 1
		:: true -> break
#endif
		:: A[buckets].serial != serial || A[buckets].old == NONE -> break
		:: d_step {
				A[buckets].serial == serial &&
				A[buckets].old != NONE ->
				read_lock();
				a = buckets;
				w = a;
				old = A[a].old;
				i = next;
				is_marked = (next > A[old].mask || MARKED(old, i))
			}
			if
			:: is_marked
			:: else -> evacuate()
			fi;
			d_step {
				if
				:: next > A[old].mask -> grow_done()
				:: else
				fi;
				next++;
				read_unlock()
			}
			if
			:: w == old -> break
			:: else
			fi
		od;
		next = 0;
		d_step {
			serial = 0; is_marked = 0;
			a = 0; old = 0; w = 0; i = 0
		}
	od;
	growths = 0;
	finished++
}

/* === Clear, see map.c === */

#ifdef CLEAR
proctype clearer(byte me)
{
	byte a, x, y;

	/* hmap_replace() */
	d_step {
		!hmap_lock ->
		a = buckets;
		lineage = 1;
		seed = !seed;
		if
		:: looking -> seen = seen | 1
		:: else
		fi;
		publish();
		waits[CLEAR_GP] = inside
	}
	d_step {
		waits[CLEAR_GP] == 0 ->
		x = A[a].old;
		if
		:: x != NONE -> assert(!A[x].retired); free(x)
		:: else
		fi;
		assert(!A[a].retired);
		free(a);
		x = 0;
		a = 0;
		finished++
	}
}
#endif

/* === Another seed, see seed.c === */

#ifdef RESEED
#define MAY_RESEED(a)	(A[a].old == NONE && count[lineage] == 0)

proctype reseeder(byte me)
{
	byte a;

	/* reseed_work(), freeze() */
	d_step {
		!hmap_lock ->
		a = NONE;
		if
		:: MAY_RESEED(buckets) ->
			a = buckets;
			A[a].frozen = 1;
#ifndef BREAK_RESEED_NO_GRACE
			waits[RESEED_GP] = inside
#endif
		:: else
		fi
	}
	if
	:: a != NONE ->
		/* reseed_done() */
		waits[RESEED_GP] == 0;
		d_step { !hmap_lock -> hmap_lock = 1 }
		if
		:: a == buckets && A[a].frozen ->
			if
			:: MAY_RESEED(a) -> d_step {
					assert(there[lineage].elem[0] == 0 &&
					       there[lineage].elem[1] == 0);
					seed = !seed;
					A[a].seed = seed
				}
			:: else
			fi;
			A[a].frozen = 0
		:: else
		fi;
		hmap_lock = 0
	:: else
	fi;
	d_step { finished++; a = 0 }
}
#endif

/* === The whole === */

#ifdef CLEAR
#define CLEARERS	1
#else
#define CLEARERS	0
#endif
#ifdef RESEED
#define RESEEDERS	1
#else
#define RESEEDERS	0
#endif
#ifdef NO_READER
#define READERS		0
#else
#define READERS		1
#endif
#define ALL		(3 + READERS + CLEARERS + RESEEDERS)

/* What is there in the beginning. */
inline begin_with(s, k)
{
	BUCKET(0, 0).top[s] = TOP;
	BUCKET(0, 0).key[s] = k;
	BUCKET(0, 0).lo[s] = OLD_ELEM;
	BUCKET(0, 0).hi[s] = OLD_ELEM;
	there[0].elem[k] = OLD_ELEM;
	count[0]++
}

inline check_key(k)
{
	x = buckets;
	if
	:: A[x].old != NONE && !MARKED(A[x].old, INDEX(A[x].old, k)) ->
		x = A[x].old
	:: else
	fi;
	y = INDEX(x, k);
	check_entry(x, y, k)
}

init {
	bit hash;
	byte x, y;

	atomic {
		A[0].mask = OLD_MASK;
		A[0].serial = 1;
		if
		:: skip
		:: begin_with(0, 0)
		:: begin_with(1, 0); BUCKET(0, 0).top[0] = EMPTY_ONE
		:: begin_with(0, 1); begin_with(1, 0)
		fi;
		/* Writers are alike, so each pair of operations once will do. */
#ifndef STORE
		select(x : 0 .. 3);
		select(y : x .. 3);
#endif
		run writer(WRITER(0), x & 1, x >> 1);
		run writer(WRITER(1), y & 1, y >> 1);
#ifndef NO_READER
		run reader(READER);
#endif
		run worker(WORKER);
#ifdef CLEAR
		run clearer(CLEARER);
#endif
#ifdef RESEED
		run reseeder(RESEEDER)
#endif
	}
	d_step {
		finished == ALL ->
		hash = seed;
		check_key(0);
		check_key(1);
		y = A[buckets].old;
		assert(y == NONE || !ALL_CLAIMED(y) || !ALL_MARKED(y));
		x = 0;
		y = 0;
		hash = 0
	}
}
