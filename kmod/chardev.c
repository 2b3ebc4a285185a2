// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/hmap: its files, which map each is bound to, and walks.
 *
 * What the calls take and return is in uapi/linux/hmap.h.
 */
#include <linux/build_bug.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

#include "../core/compat.h"
#include "chardev.h"
#include "cursor.h"
#include "entry.h"
#include "registry.h"
#include "user.h"
#include "view.h"

/* 32-bit callers have the same structures: they have no holes. */
static_assert(sizeof(struct hmap_create) == 6 * 4 + 4 * 8 + HMAP_NAME_LEN);
static_assert(sizeof(struct hmap_open) == 2 * 4 + HMAP_NAME_LEN);
static_assert(sizeof(struct hmap_unlink) == HMAP_NAME_LEN);
static_assert(sizeof(struct hmap_set) == 4 * 4 + 2 * 8 + HMAP_NAME_LEN);
static_assert(sizeof(struct hmap_clear) == 8);
static_assert(sizeof(struct hmap_next) == 4 * 8 + 4 * 4);
static_assert(sizeof(struct hmap_info) == 15 * 8 + 12 * 4 + HMAP_NAME_LEN);

/* What a command asks for, whatever size the caller's structure has. */
#define SANS_SIZE(cmd)	((cmd) & ~IOCSIZE_MASK)

static const struct file_operations hmap_fops;

/* === Binding === */

/*
 * A file's private data is NULL, then BINDING while a call binds it, and then
 * the map that it is bound to for good.
 */
#define BINDING		ERR_PTR(-EBUSY)

/* The map that a file is bound to and open for @fmode on, or an ERR_PTR(). */
static struct user_map *map_of(const struct file *filp, fmode_t fmode)
{
	/* Pairs with the release in bind_end(). */
	struct user_map *map = smp_load_acquire(&filp->private_data);

	if (IS_ERR_OR_NULL(map))
		return ERR_PTR(-EBADFD);
	if ((filp->f_mode & fmode) != fmode)
		return ERR_PTR(-EACCES);
	return map;
}

static int bind_begin(struct file *filp)
{
	return cmpxchg(&filp->private_data, NULL, BINDING) ? -EBUSY : 0;
}

static int bind_end(struct file *filp, struct user_map *map)
{
	/* Where there are mappings to be; there are none yet. */
	if (!IS_ERR(map) && map->view)
		filp->f_mapping = map->view->inode->i_mapping;
	/* Pairs with the acquire in map_of(). */
	smp_store_release(&filp->private_data, IS_ERR(map) ? NULL : map);
	return PTR_ERR_OR_ZERO(map);
}

static int ioctl_create(struct file *filp, void __user *arg, size_t size)
{
	struct hmap_create create;
	int err;

	err = GET_STRUCT(&create, name, arg, size);
	if (err)
		return err;
	if (!(filp->f_mode & FMODE_READ) || !(filp->f_mode & FMODE_WRITE))
		return -EACCES;
	/* Do not commit a change whose result cannot be reported. */
	err = put_struct(arg, &create, sizeof(create), size);
	if (err)
		return err;

	err = bind_begin(filp);
	if (err)
		return err;
	err = bind_end(filp, hmap_registry_create(&create));
	if (err)
		return err;
	return put_struct(arg, &create, sizeof(create), size);
}

static struct user_map *open_map_of(unsigned int fd, fmode_t fmode)
{
	struct file *other = fget(fd);
	struct user_map *map;
	int err;

	if (!other)
		return ERR_PTR(-EBADF);
	if (other->f_op == &hmap_fops)
		map = map_of(other, 0);
	else
		map = ERR_PTR(-EINVAL);
	if (!IS_ERR(map)) {
		err = hmap_registry_open_again(map, fmode);
		if (err)
			map = ERR_PTR(err);
	}
	fput(other);
	return map;
}

static int ioctl_open(struct file *filp, void __user *arg, size_t size)
{
	fmode_t fmode = filp->f_mode & (FMODE_READ | FMODE_WRITE);
	struct hmap_open open;
	bool by_fd;
	int err;

	err = GET_STRUCT(&open, name, arg, size);
	if (err)
		return err;
	by_fd = open.flags & HMAP_OPEN_FD;
	if (open.flags & ~HMAP_OPEN_FD || (!by_fd && open.fd) ||
	    (by_fd && memchr_inv(open.name, 0, sizeof(open.name))))
		return -EINVAL;
	/* Every map's mode allows nothing at all: don't hold a map for that. */
	if (!fmode)
		return -EACCES;

	err = bind_begin(filp);
	if (err)
		return err;
	return bind_end(filp, by_fd ? open_map_of(open.fd, fmode) :
				      hmap_registry_open(open.name, fmode));
}

static int ioctl_unlink(struct file *filp, void __user *arg, size_t size)
{
	struct hmap_unlink unlink;
	int err;

	err = GET_STRUCT(&unlink, name, arg, size);
	if (err)
		return err;
	if (!(filp->f_mode & FMODE_WRITE))
		return -EACCES;

	return hmap_registry_unlink(unlink.name);
}

/* === Walks === */

static int put_padded(u64 *to, const void *from, u32 len)
{
	u32 pad = HMAP_RECORD_ALIGN(len) - len;

	if (put_bytes(*to, from, len) ||
	    (pad && clear_user(u64_to_user_ptr(*to + len), pad)))
		return -EFAULT;
	*to += len + pad;
	return 0;
}

static int put_record(u64 to, const struct hmap_iter *it)
{
	const struct hmap_record record = {
		.key_len = it->key_len,
		.elem_len = it->elem_len,
	};

	if (put_padded(&to, &record, sizeof(record)) ||
	    put_padded(&to, it->key, it->key_len) ||
	    put_padded(&to, it->elem, it->elem_len))
		return -EFAULT;
	return 0;
}

/*
 * Fill the buffer with records.  A cursor can only point between two hashes, so
 * records count, and the cursor moves on, once all entries with one hash have
 * been written.
 */
static int put_records(struct hmap_next *next, struct hmap_iter *it,
		       struct hmap_cursor *cursor)
{
	u32 used = 0, count = 0;
	int ret;

	while ((ret = hmap_iter_next(it)) > 0) {
		u32 size = HMAP_RECORD_SIZE(it->key_len, it->elem_len);
		bool full = size > next->len || used > next->len - size;

		if (full && next->count)
			return 0;
		if (!full && put_record(next->buf + used, it))
			return -EFAULT;
		used += size;
		count++;
		if (!it->last)
			continue;

		if (used > next->len) {
			next->used = used;
			return -EMSGSIZE;
		}
		next->used = used;
		next->count = count;
		*cursor = it->cursor;
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	if (ret != 0 && ret != -EINTR)
		return ret;
	/* The last with a hash may be gone before it was its turn. */
	if (used > next->len) {
		next->used = used;
		return -EMSGSIZE;
	}
	next->used = used;
	next->count = count;
	*cursor = it->cursor;
	return ret;
}

static int ioctl_next(struct file *filp, void __user *arg, size_t size)
{
	struct user_map *map = map_of(filp, FMODE_READ);
	struct hmap_cursor cursor;
	struct hmap_next next;
	struct hmap_iter it;
	int err;

	if (IS_ERR(map))
		return PTR_ERR(map);
	err = GET_STRUCT(&next, count, arg, size);
	if (err)
		return err;
	if (next.flags)
		return -EINVAL;

	next.used = 0;
	next.count = 0;
	hmap_cursor_unseal(&cursor, next.cursor);
	err = hmap_iter_init(&it, map->h, &cursor);
	if (!err) {
		err = put_records(&next, &it, &cursor);
		hmap_iter_exit(&it);
	}
	hmap_cursor_seal(next.cursor, &cursor);

	/* Report records first: an error that lasts will come up again. */
	if (next.count)
		err = 0;
	if (put_struct(arg, &next, sizeof(next), size))
		return -EFAULT;
	return err;
}

/* === What there is to know === */

static void info_header(struct hmap_info *info, const struct user_map *map)
{
	struct map_calls calls;
	struct hmap_header hdr;

	hmap_read_header(map->h, &hdr);
	info->key_kind = hdr.key_kind;
	info->key_size = hdr.key_size;
	info->elem_size = hdr.elem_size;
	info->create_flags = (map->var_elem ? HMAP_CREATE_VAR_ELEM : 0) |
			     (map->view ? HMAP_CREATE_MAPPED : 0);
	if (!(info->access & HMAP_ACCESS_READ))
		return;

	info->epoch = hdr.epoch;
	info->count = hdr.count;
	info->bytes = hdr.bytes;
	info->max_entries = hdr.max_entries;
	info->max_bytes = hdr.max_bytes;
	info->growths = hdr.growths;
	info->same_size_growths = hdr.same_size_growths;
	info->nevacuate = hdr.nevacuate;
	info->log2_buckets = hdr.B;
	info->noverflow = hdr.noverflow;
	if (hdr.oldbuckets)
		info->state |= hdr.flags & HMAP_SAME_SIZE_GROW ?
			       HMAP_STATE_SAME_SIZE : HMAP_STATE_GROWING;
	hmap_registry_calls(map, &calls);
	info->lookups = calls.lookups;
	info->inserts = calls.inserts;
	info->deletes = calls.deletes;
	if (map->owner) {
		info->owner_bytes = atomic_long_read(&map->owner->pool.bytes);
		info->owner_max_bytes = READ_ONCE(map->owner->pool.max_bytes);
	}
}

/* @fmode is what the file is open for; if it is not bound, the mode counts, too. */
static void info_fill(struct hmap_info *info, struct user_map *map,
		      fmode_t fmode, bool bound)
{
	struct user_namespace *ns = current_user_ns();
	struct map_attrs attrs;

	hmap_registry_attrs(map, &attrs);
	if (!bound)
		fmode = hmap_registry_access(&attrs, fmode);
	*info = (struct hmap_info) {
		.after = info->after,
		.id = map->id,
		.mode = attrs.mode,
		.uid = from_kuid_munged(ns, attrs.uid),
		.gid = from_kgid_munged(ns, attrs.gid),
	};
	if (fmode & FMODE_READ)
		info->access |= HMAP_ACCESS_READ;
	if (fmode & FMODE_WRITE)
		info->access |= HMAP_ACCESS_WRITE;
	if (attrs.named)
		memcpy(info->name, attrs.name, sizeof(info->name));
	else if (attrs.name[0] && fmode & FMODE_READ)
		info->state |= HMAP_STATE_UNLINKED;
	if (info->access)
		info_header(info, map);
	/* The caller has a reference to a map that the file is not bound to. */
	if (fmode & FMODE_READ)
		info->holders = hmap_registry_holders(map) - !bound;
}

static int ioctl_info(struct file *filp, void __user *arg, size_t size)
{
	fmode_t fmode = filp->f_mode & (FMODE_READ | FMODE_WRITE);
	struct user_map *map = map_of(filp, 0);
	struct hmap_info info;
	int err;

	err = GET_STRUCT(&info, name, arg, size);
	if (err)
		return err;
	if (!fmode)
		return -EACCES;

	if (!IS_ERR(map)) {
		if (info.after)
			return -EINVAL;
		info_fill(&info, map, fmode, true);
	} else {
		map = hmap_registry_next(info.after);
		if (!map)
			return -ENOENT;
		info_fill(&info, map, fmode, false);
		hmap_registry_put(map);
	}
	return put_struct(arg, &info, sizeof(info), size);
}

/* === Changing the map as a whole === */

static int ioctl_set(struct user_map *map, void __user *arg, size_t size)
{
	struct hmap_set set;
	int err;

	err = GET_STRUCT(&set, name, arg, size);
	if (err)
		return err;
	return hmap_registry_set(map, &set);
}

static int ioctl_clear(struct user_map *map, void __user *arg, size_t size)
{
	struct hmap_clear clear;
	int err;

	err = GET_STRUCT(&clear, flags, arg, size);
	if (err)
		return err;
	if (clear.flags)
		return -EINVAL;
	return hmap_clear(map->h);
}

/* === The file === */

typedef int (*map_fn)(struct user_map *map, void __user *arg, size_t size);

/* Call @fn on the map that the file is bound to, if it is open for @fmode. */
static __always_inline int call_on_map(map_fn fn, const struct file *filp,
				       fmode_t fmode, void __user *arg,
				       size_t size)
{
	struct user_map *map = map_of(filp, fmode);

	return IS_ERR(map) ? PTR_ERR(map) : fn(map, arg, size);
}

static long hmap_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;
	size_t size = _IOC_SIZE(cmd);

	switch (SANS_SIZE(cmd)) {
	case SANS_SIZE(HMAP_IOC_LOOKUP):
		return call_on_map(hmap_entry_lookup, filp, FMODE_READ, argp,
				   size);
	case SANS_SIZE(HMAP_IOC_INSERT):
		return call_on_map(hmap_entry_insert, filp, FMODE_WRITE, argp,
				   size);
	case SANS_SIZE(HMAP_IOC_DELETE):
		return call_on_map(hmap_entry_delete, filp, FMODE_WRITE, argp,
				   size);
	case SANS_SIZE(HMAP_IOC_UPDATE):
		return call_on_map(hmap_entry_update, filp,
				   FMODE_READ | FMODE_WRITE, argp, size);
	case SANS_SIZE(HMAP_IOC_EXPLAIN):
		return call_on_map(hmap_entry_explain, filp, FMODE_READ, argp,
				   size);
	case SANS_SIZE(HMAP_IOC_LOOKUP_BATCH):
		return call_on_map(hmap_batch_lookup, filp, FMODE_READ, argp,
				   size);
	case SANS_SIZE(HMAP_IOC_INSERT_BATCH):
		return call_on_map(hmap_batch_insert, filp, FMODE_WRITE, argp,
				   size);
	case SANS_SIZE(HMAP_IOC_DELETE_BATCH):
		return call_on_map(hmap_batch_delete, filp, FMODE_WRITE, argp,
				   size);
	case SANS_SIZE(HMAP_IOC_CLEAR):
		return call_on_map(ioctl_clear, filp, FMODE_WRITE, argp, size);
	case SANS_SIZE(HMAP_IOC_SET):
		return call_on_map(ioctl_set, filp, 0, argp, size);
	case SANS_SIZE(HMAP_IOC_NEXT):
		return ioctl_next(filp, argp, size);
	case SANS_SIZE(HMAP_IOC_CREATE):
		return ioctl_create(filp, argp, size);
	case SANS_SIZE(HMAP_IOC_OPEN):
		return ioctl_open(filp, argp, size);
	case SANS_SIZE(HMAP_IOC_UNLINK):
		return ioctl_unlink(filp, argp, size);
	case SANS_SIZE(HMAP_IOC_INFO):
		return ioctl_info(filp, argp, size);
	default:
		return -ENOTTY;
	}
}

static int hmap_open(struct inode *inode, struct file *filp)
{
	filp->private_data = NULL;	/* misc_open() has set it */
	return 0;
}

static int hmap_release_file(struct inode *inode, struct file *filp)
{
	if (filp->private_data)
		hmap_registry_put(filp->private_data);
	return 0;
}

static int hmap_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct user_map *map = map_of(filp, FMODE_READ);

	return IS_ERR(map) ? PTR_ERR(map) : hmap_view_mmap(map, vma);
}

/*
 * Before it calls hmap_mmap(), most kernels count a mapping where f_mapping is, and
 * take that back where it is afterwards.  A file that is not bound must be refused
 * before that, lest it be bound meanwhile; this is called first.
 */
static unsigned long hmap_get_unmapped_area(struct file *filp,
					    unsigned long addr,
					    unsigned long len,
					    unsigned long pgoff,
					    unsigned long flags)
{
	struct user_map *map = map_of(filp, FMODE_READ);

	if (IS_ERR(map))
		return PTR_ERR(map);
	return hmap_get_area(filp, addr, len, pgoff, flags);
}

static const struct file_operations hmap_fops = {
	.owner		= THIS_MODULE,
	.open		= hmap_open,
	.mmap		= hmap_mmap,
	.get_unmapped_area = hmap_get_unmapped_area,
	.release	= hmap_release_file,
	.unlocked_ioctl	= hmap_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice hmap_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "hmap",
	.fops	= &hmap_fops,
	.mode	= 0600,
};

int __init hmap_chardev_init(void)
{
	return misc_register(&hmap_misc);
}

void hmap_chardev_exit(void)
{
	misc_deregister(&hmap_misc);
}
