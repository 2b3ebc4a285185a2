// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/hmap: its files, which map each is bound to, and its walk.
 *
 * What the calls take and return is in uapi/linux/hmap.h.
 */
#include <linux/build_bug.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>

#include "chardev.h"
#include "entry.h"
#include "registry.h"
#include "user.h"

/* 32-bit callers have the same structures: they have no holes. */
static_assert(sizeof(struct hmap_create) == 6 * 4 + 3 * 8 + HMAP_NAME_LEN);
static_assert(sizeof(struct hmap_next) == 8 + 4 * 4);
static_assert(sizeof(struct hmap_info) == 11 * 8 + 10 * 4 + HMAP_NAME_LEN);

/* The size in a command is the caller's structure's, not what it asks for. */
#define SANS_SIZE(cmd)	((cmd) & ~IOCSIZE_MASK)

/**
 * struct hmap_file - an open file
 * @map: the map it is bound to: set once, under @lock; read without
 * @lock: processes that share the file take turns
 * @cursor: the file's walk
 */
struct hmap_file {
	struct user_map *map;
	struct mutex lock;	/* protects all but reading @map */
	struct hmap_cursor cursor;
};

/* === Binding === */

/* The map of a file that is open for @mode, or an ERR_PTR(). */
static struct user_map *map_of(const struct file *filp, fmode_t mode)
{
	struct hmap_file *f = filp->private_data;
	/* Pairs with the release in bind(). */
	struct user_map *map = smp_load_acquire(&f->map);

	if (!map)
		return ERR_PTR(-EBADFD);
	if ((filp->f_mode & mode) != mode)
		return ERR_PTR(-EACCES);
	return map;
}

static int bind_begin(struct hmap_file *f)
{
	if (mutex_lock_killable(&f->lock))
		return -EINTR;
	if (f->map) {
		mutex_unlock(&f->lock);
		return -EBUSY;
	}
	return 0;
}

static int bind_end(struct hmap_file *f, struct user_map *map)
{
	if (!IS_ERR(map))
		/* Pairs with the acquire in map_of(). */
		smp_store_release(&f->map, map);
	mutex_unlock(&f->lock);
	return PTR_ERR_OR_ZERO(map);
}

static int ioctl_create(struct file *filp, const void __user *arg, size_t size)
{
	struct hmap_file *f = filp->private_data;
	struct hmap_create create;
	int err;

	err = copy_struct_from_user(&create, sizeof(create), arg, size);
	if (err)
		return err;
	if (!(filp->f_mode & FMODE_READ) || !(filp->f_mode & FMODE_WRITE))
		return -EACCES;

	err = bind_begin(f);
	return err ?: bind_end(f, user_map_create(&create));
}

static int ioctl_open(struct file *filp, const void __user *arg, size_t size)
{
	struct hmap_file *f = filp->private_data;
	struct hmap_name name;
	int err;

	err = copy_struct_from_user(&name, sizeof(name), arg, size);
	if (err)
		return err;

	err = bind_begin(f);
	return err ?: bind_end(f, user_map_open(name.name, filp->f_mode));
}

static int ioctl_unlink(struct file *filp, const void __user *arg, size_t size)
{
	struct hmap_name name;
	int err;

	err = copy_struct_from_user(&name, sizeof(name), arg, size);
	if (err)
		return err;
	if (!(filp->f_mode & FMODE_WRITE))
		return -EACCES;

	return user_map_unlink(name.name);
}

/* === The walk === */

static int put_padded(u64 *to, const void *from, u32 len)
{
	u32 pad = HMAP_RECORD_ALIGN(len) - len;

	if (put_bytes(*to, from, len) ||
	    (pad && clear_user(u64_to_user_ptr(*to + len), pad)))
		return -EFAULT;
	*to += len + pad;
	return 0;
}

/* Writes the entry that @iter is at behind those that @next tells of. */
static int put_record(struct hmap_next *next, const struct hmap_iter *iter)
{
	u64 size = HMAP_RECORD_SIZE(iter->key_len, iter->elem_len);
	u64 to = next->buf + next->used;
	const struct hmap_record record = {
		.key_len = iter->key_len,
		.elem_len = iter->elem_len,
	};

	if (size > next->len - next->used) {
		if (!next->count)
			next->used = size;
		return -EMSGSIZE;
	}
	if (put_padded(&to, &record, sizeof(record)) ||
	    put_padded(&to, iter->key, iter->key_len) ||
	    put_padded(&to, iter->elem, iter->elem_len))
		return -EFAULT;
	next->used += size;
	next->count++;
	return 0;
}

/*
 * The walk moves on when all records of a hash have been written.  After the
 * first ones an error can wait: the next call will begin with what failed here.
 */
static int write_records(struct hmap_iter *it, struct hmap_cursor *cursor,
			 struct hmap_next *next)
{
	struct hmap_next done = *next;
	int ret;

	while ((ret = hmap_iter_next(it)) > 0) {
		ret = put_record(next, it);
		if (ret)
			break;
		if (it->last) {
			*cursor = it->cursor;
			done = *next;
		}
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	if (!ret)
		*cursor = it->cursor;
	else if (ret != -EMSGSIZE || done.count)
		*next = done;
	return next->count ? 0 : ret;
}

static int walk(struct hmap_file *f, struct hmap_next *next)
{
	struct hmap_iter it;
	int ret;

	ret = hmap_iter_init(&it, f->map->h, &f->cursor);
	if (!ret) {
		ret = write_records(&it, &f->cursor, next);
		hmap_iter_exit(&it);
	}
	return ret == -ESTALE ? 0 : ret;
}

static int ioctl_next(struct file *filp, void __user *arg, size_t size)
{
	struct user_map *map = map_of(filp, FMODE_READ);
	struct hmap_file *f = filp->private_data;
	struct hmap_next next;
	int err;

	if (IS_ERR(map))
		return PTR_ERR(map);

	err = copy_struct_from_user(&next, sizeof(next), arg, size);
	if (err)
		return err;
	if (next.flags & ~HMAP_NEXT_REWIND)
		return -EINVAL;

	/* If the caller can't be told of records, none must be given. */
	next.used = 0;
	next.count = 0;
	err = put_struct(arg, &next, sizeof(next), size);
	if (err)
		return err;

	if (mutex_lock_killable(&f->lock))
		return -EINTR;
	if (next.flags & HMAP_NEXT_REWIND)
		f->cursor = (struct hmap_cursor){};
	err = walk(f, &next);
	mutex_unlock(&f->lock);

	if (put_struct(arg, &next, sizeof(next), size))
		return -EFAULT;
	return err;
}

/* === What there is to know === */

static void info_fill(struct hmap_info *info, const struct user_map *map)
{
	struct hmap_header hdr;

	hmap_read_header(map->h, &hdr);
	*info = (struct hmap_info) {
		.after = info->after,
		.id = map->id,
		.count = hdr.count,
		.bytes = hdr.bytes,
		.max_entries = hdr.max_entries,
		.max_bytes = hdr.max_bytes,
		.growths = hdr.growths,
		.same_size_growths = hdr.same_size_growths,
		.nevacuate = hdr.nevacuate,
		.key_kind = hdr.key_kind,
		.key_size = hdr.key_size,
		.elem_size = hdr.elem_size,
		.create_flags = map->var_elem ? HMAP_CREATE_VAR_ELEM : 0,
		.mode = map->mode,
		.uid = from_kuid_munged(current_user_ns(), map->uid),
		.log2_buckets = hdr.B,
		.noverflow = hdr.noverflow,
	};
	if (hdr.oldbuckets)
		info->state |= hdr.flags & HMAP_SAME_SIZE_GROW ?
			       HMAP_STATE_SAME_SIZE : HMAP_STATE_GROWING;
	if (map->owner) {
		info->owner_bytes = atomic_long_read(&map->owner->pool.bytes);
		info->owner_max_bytes = READ_ONCE(map->owner->pool.max_bytes);
	}
	if (READ_ONCE(map->unlinked))
		info->state |= HMAP_STATE_UNLINKED;
	else
		memcpy(info->name, map->name, sizeof(info->name));
}

static int ioctl_info(struct file *filp, void __user *arg, size_t size)
{
	struct user_map *map = map_of(filp, FMODE_READ);
	struct hmap_info info;
	int err;

	err = copy_struct_from_user(&info, sizeof(info), arg, size);
	if (err)
		return err;
	if (!(filp->f_mode & FMODE_READ))
		return -EACCES;

	if (!IS_ERR(map)) {
		if (info.after)
			return -EINVAL;
		info_fill(&info, map);
	} else {
		map = user_map_next(info.after);
		if (!map)
			return -ENOENT;
		info_fill(&info, map);
		user_map_put(map);
	}
	return put_struct(arg, &info, sizeof(info), size);
}

/* === The file === */

static int clear(struct user_map *map, void __user *arg, size_t size)
{
	hmap_clear(map->h);
	return 0;
}

typedef int (*map_fn)(struct user_map *map, void __user *arg, size_t size);

/* A call on the map of a file that has to be open for @mode. */
static __always_inline int call(map_fn fn, const struct file *filp,
				fmode_t mode, void __user *arg, size_t size)
{
	struct user_map *map = map_of(filp, mode);

	return IS_ERR(map) ? PTR_ERR(map) : fn(map, arg, size);
}

static long hmap_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;
	size_t size = _IOC_SIZE(cmd);

	switch (SANS_SIZE(cmd)) {
	case SANS_SIZE(HMAP_IOC_LOOKUP):
		return call(hmap_entry_lookup, filp, FMODE_READ, argp, size);
	case SANS_SIZE(HMAP_IOC_INSERT):
		return call(hmap_entry_insert, filp, FMODE_WRITE, argp, size);
	case SANS_SIZE(HMAP_IOC_DELETE):
		return call(hmap_entry_delete, filp, FMODE_WRITE, argp, size);
	case SANS_SIZE(HMAP_IOC_UPDATE):
		return call(hmap_entry_update, filp, FMODE_READ | FMODE_WRITE,
			    argp, size);
	case SANS_SIZE(HMAP_IOC_LOOKUP_BATCH):
		return call(hmap_batch_lookup, filp, FMODE_READ, argp, size);
	case SANS_SIZE(HMAP_IOC_INSERT_BATCH):
		return call(hmap_batch_insert, filp, FMODE_WRITE, argp, size);
	case SANS_SIZE(HMAP_IOC_DELETE_BATCH):
		return call(hmap_batch_delete, filp, FMODE_WRITE, argp, size);
	case SANS_SIZE(HMAP_IOC_CLEAR):
		return call(clear, filp, FMODE_WRITE, argp, size);
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
	struct hmap_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	filp->private_data = f;
	return 0;
}

static int hmap_release_file(struct inode *inode, struct file *filp)
{
	struct hmap_file *f = filp->private_data;

	if (f->map)
		user_map_put(f->map);
	kfree(f);
	return 0;
}

static const struct file_operations hmap_fops = {
	.owner		= THIS_MODULE,
	.open		= hmap_open,
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
