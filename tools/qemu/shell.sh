#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What `make shell` runs in the guest: makes it look like a machine that hmap is
# installed on, and gives a shell.

# The terminal's name and size; see tools/qemu/shell.  Only the guest has it.
terminal=$(sed -n 's/.*\<shell=\([^ ]*\).*/\1/p' /proc/cmdline)
[ -n "$terminal" ] || exit
size=${terminal#*:}


# What a system has, and a guest has not
export HOME=/root USER=root SHELL=/bin/bash LANG=C.UTF-8 PAGER=less
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /etc /root /run /home/you
hostname hmap
printf '%s\n' root:x:0:0:root:/root:/bin/bash you:x:1000:1000::/home/you:/bin/bash \
	nobody:x:65534:65534::/:/bin/false >/etc/passwd
printf '%s\n' root:x:0: hmap:x:100:you you:x:1000: nogroup:x:65534: >/etc/group
echo '127.0.0.1 localhost hmap' >/etc/hosts
# shellcheck disable=SC2016
printf '%s\n' 'PS1="\u@\h:\w\\$ "' '. /usr/share/bash-completion/bash_completion' |
	tee /etc/profile >/root/.bashrc
chown -R you:you /home/you
ip link set lo up 2>/dev/null
# shellcheck disable=SC2016
printf '#!/bin/sh\nexec mman "$@"\n' >/usr/local/bin/man
chmod +x /usr/local/bin/man

modprobe hmap || exit
chgrp hmap /dev/hmap
chmod 660 /dev/hmap
cd || exit

[ ! -e /readme.py ] || exec python3 /readme.py /README.md

export TERM="${terminal%%:*}"
stty rows "${size%:*}" cols "${size#*:}"
echo "Linux $(uname -r), hmap $(cat /sys/module/hmap/version).  Begin with 'man hmapctl',"
echo "'man 4 hmap', 'ls examples'.  What you change here is gone after exit."
bash
exit 0
