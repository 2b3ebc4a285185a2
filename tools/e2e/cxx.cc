// SPDX-License-Identifier: GPL-2.0
/*
 * What view calls: lookups from C++.
 */
#include <hmap.h>
#include <hmap_view.h>

namespace {

struct point {
	__s32 x, y;
};

HMAP_VIEW_DEFINE(points, __u32, point)

} /* namespace */

/*
 * How many of the first @nr keys are there, with the points they should have; ~0 if
 * the map is of another type.
 */
extern "C" __u32 cxx_count_points(int fd, __u32 nr)
{
	struct hmap_view *view = hmap_view(fd);
	__u32 n = 0;

	for (__u32 key = 0; key < nr && ~n; key++) {
		point p;

		if (!points_lookup(view, key, &p))
			n += p.x == (__s32)key && p.y == -(__s32)key;
		else if (errno != ENOENT)
			n = ~0U;
	}
	hmap_view_close(view);
	return n;
}
