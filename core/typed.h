/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Maps with C types for keys and elems, whose sizes the compiler knows: lookups,
 * inserts and deletes are made for them.  That takes the map's insides, which are not for use.
 */
#ifndef _HMAP_TYPED_H
#define _HMAP_TYPED_H

#include <linux/build_bug.h>

#include "update.h"

/* A struct of as many bytes need not be aligned as an integer is. */
#define HMAP_IS_INTEGER(type)						\
	(__builtin_types_compatible_p(type, int) ||			\
	 __builtin_types_compatible_p(type, unsigned int) ||		\
	 __builtin_types_compatible_p(type, long) ||			\
	 __builtin_types_compatible_p(type, unsigned long) ||		\
	 __builtin_types_compatible_p(type, long long) ||		\
	 __builtin_types_compatible_p(type, unsigned long long))

#define HMAP_KIND_OF(type)						\
	(HMAP_IS_INTEGER(type) ?					\
	 (sizeof(type) == 4 ? HMAP_KEY_U32 : HMAP_KEY_U64) :		\
	 HMAP_KEY_BYTES)

/* hmap_lookup() in a map of a type that is a constant. */
static __always_inline int hmap_lookup_typed(struct hmap *h,
					     const struct hmap_type t,
					     const void *key, void *elem)
{
	int ret = -EAGAIN;

	if (!t.indirect_elem) {
		rcu_read_lock();
		ret = hmap_read_try(h, &t, t.key_kind, key, elem);
		rcu_read_unlock();
	}
	return likely(ret != -EAGAIN) ? ret : hmap_lookup(h, key, elem);
}

/* hmap_insert(), likewise. */
static __always_inline int hmap_insert_typed(struct hmap *h,
					     const struct hmap_type t,
					     const void *key, const void *elem,
					     enum hmap_mode mode, gfp_t gfp)
{
	int ret = hmap_insert_try(h, &t, t.key_kind, key, elem, mode);

	return likely(ret != -EAGAIN) ? ret :
					hmap_insert_any(h, key, elem, mode, gfp);
}

/* hmap_take(), likewise. */
static __always_inline int hmap_take_typed(struct hmap *h,
					   const struct hmap_type t,
					   const void *key, void *elem)
{
	int ret = hmap_take_try(h, &t, t.key_kind, key, elem);

	return likely(ret != -EAGAIN) ? ret : hmap_take_any(h, key, elem);
}

/**
 * HMAP_DEFINE() - Define a map with C types for keys and elems.
 * @name: prefix of the functions
 * @key_t: type of a key; if a struct, one without padding, or with zeros in it
 * @elem_t: type of an elem
 *
 * ``HMAP_DEFINE(ports, u32, struct port)`` defines ports_create(),
 * ports_lookup(), ports_insert(), ports_take() and ports_delete(), which are
 * what their namesakes in hmap.h are, but take a key by value and no other
 * types.
 */
#define HMAP_DEFINE(name, key_t, elem_t)				\
static inline struct hmap *name##_create(unsigned long hint)		\
{									\
	const struct hmap_params params = {				\
		.key_kind = HMAP_KIND_OF(key_t),			\
		.key_size = sizeof(key_t),				\
		.elem_size = sizeof(elem_t),				\
		.hint = hint,						\
	};								\
									\
	BUILD_BUG_ON(sizeof(key_t) > HMAP_MAX_KEY_SIZE);		\
	BUILD_BUG_ON(sizeof(elem_t) > HMAP_MAX_ELEM_SIZE);		\
	return hmap_create(&params);					\
}									\
									\
static inline int name##_lookup(struct hmap *h, key_t key, elem_t *elem) \
{									\
	return hmap_lookup_typed(h, hmap_type_of(HMAP_KIND_OF(key_t),	\
						 sizeof(key_t),		\
						 sizeof(elem_t), false), \
				 &key, elem);				\
}									\
									\
static inline int name##_insert(struct hmap *h, key_t key,		\
				const elem_t *elem,			\
				enum hmap_mode mode, gfp_t gfp)		\
{									\
	return hmap_insert_typed(h, hmap_type_of(HMAP_KIND_OF(key_t),	\
						 sizeof(key_t),		\
						 sizeof(elem_t), false), \
				 &key, elem, mode, gfp);		\
}									\
									\
static inline int name##_take(struct hmap *h, key_t key, elem_t *elem)	\
{									\
	return hmap_take_typed(h, hmap_type_of(HMAP_KIND_OF(key_t),	\
					       sizeof(key_t),		\
					       sizeof(elem_t), false),	\
			       &key, elem);				\
}									\
									\
static inline int name##_delete(struct hmap *h, key_t key)		\
{									\
	return name##_take(h, key, NULL);				\
}

#endif /* _HMAP_TYPED_H */
