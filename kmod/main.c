// SPDX-License-Identifier: GPL-2.0
/*
 * The hmap module: Go's map for kernel code (core/) and, through /dev/hmap,
 * for processes (here).
 */
#include <linux/init.h>
#include <linux/module.h>

#include "../core/internal.h"
#include "chardev.h"
#include "cursor.h"
#include "debugfs.h"
#include "registry.h"
#include "view.h"

unsigned int hmap_max_maps = 1024;
module_param_named(max_maps, hmap_max_maps, uint, 0644);
MODULE_PARM_DESC(max_maps, "Maps that processes may have made at a time, but for CAP_SYS_RESOURCE");

unsigned long hmap_max_entries = 1UL << 26;
module_param_named(max_entries, hmap_max_entries, ulong, 0644);
MODULE_PARM_DESC(max_entries, "Entries per map (0 = no limit)");

unsigned long hmap_max_bytes;
module_param_named(max_bytes, hmap_max_bytes, ulong, 0644);
MODULE_PARM_DESC(max_bytes, "Bytes of memory per map (0 = a quarter of RAM)");

unsigned int hmap_max_user_maps = 256;
module_param_named(max_user_maps, hmap_max_user_maps, uint, 0644);
MODULE_PARM_DESC(max_user_maps, "Maps that one user may have made");

static int set_max_user_bytes(const char *val, const struct kernel_param *kp)
{
	int err = param_set_ulong(val, kp);

	if (!err)
		hmap_registry_limit_owners();
	return err;
}

static const struct kernel_param_ops max_user_bytes_ops = {
	.set = set_max_user_bytes,
	.get = param_get_ulong,
};

unsigned long hmap_max_user_bytes;
module_param_cb(max_user_bytes, &max_user_bytes_ops, &hmap_max_user_bytes, 0644);
__MODULE_PARM_TYPE(max_user_bytes, "ulong");
MODULE_PARM_DESC(max_user_bytes, "Bytes of memory for all maps of one user (0 = a quarter of RAM)");

unsigned int hmap_explain_for = EXPLAIN_FOR_ADMIN;
module_param_named(explain, hmap_explain_for, uint, 0644);
MODULE_PARM_DESC(explain, "Who may ask for the way of a lookup (0 = nobody, 1 = CAP_SYS_ADMIN, 2 = a map's owner, too)");

module_param_named(finish_delay_ms, hmap_finish_delay_ms, uint, 0644);
MODULE_PARM_DESC(finish_delay_ms, "Milliseconds until what writes have left of a growth is done; long, to look at one");

static int __init hmap_init(void)
{
	int err;

	err = hmap_core_init();
	if (err)
		return err;

	err = hmap_view_init();
	if (err)
		goto core_exit;
	hmap_cursor_init();
	hmap_debugfs_init();
	err = hmap_chardev_init();
	if (err)
		goto debugfs_exit;
	return 0;

debugfs_exit:
	hmap_debugfs_exit();
	hmap_view_exit();
core_exit:
	hmap_core_exit();
	return err;
}

static void __exit hmap_exit(void)
{
	hmap_chardev_exit();
	hmap_registry_exit();
	hmap_debugfs_exit();
	hmap_view_exit();
	hmap_core_exit();
}

module_init(hmap_init);
module_exit(hmap_exit);
MODULE_DESCRIPTION("Go's bucketed map as a kernel hash table");
MODULE_AUTHOR("The hmap authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(HMAP_VERSION);
