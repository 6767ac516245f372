#!/usr/bin/env bash
#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.
#
# usage: guest-disk.sh IMAGE
#
# Make one bootable raw disk of the test guest that tools/guest/build.sh
# builds: a FAT with syslinux, kernel and initramfs, and the ext4 that the
# guest mounts. A kernel and a ramdisk would not do: Nova takes a kernel for a
# disk with a bad partition table when it fetches one for a migration.
set -euo pipefail
image=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
guest=${NOVA_QGA_CACHE:-/var/tmp/nova-qga}/guest
export PATH=$PATH:/usr/sbin:/sbin
sector=512
# In sectors: where the first partition starts, and how long both are.
start=2048
boot=65536

"$here/../guest/build.sh" "$guest"
digest=$(sha256sum "$here/guest-disk.sh" "$guest/digest")
if [ -e "$image" ] && [ "$(cat "$image.digest" 2> /dev/null)" = "$digest" ]
then
    exit 0
fi
work=$(mktemp -d "$image.XXXXXX")
trap 'rm -rf "$work"' EXIT
cat > "$work/syslinux.cfg" << 'CONFIGURATION'
DEFAULT guest
LABEL guest
    KERNEL vmlinuz
    APPEND initrd=initramfs console=ttyS0 panic=1 quiet
CONFIGURATION
truncate -s "$((boot * sector))" "$work/boot"
mkfs.vfat -F 16 -n BOOT "$work/boot"
mcopy -i "$work/boot" "$guest/vmlinuz" "$guest/initramfs" \
    "$work/syslinux.cfg" ::
truncate -s "$((start * sector))" "$work/disk"
cat "$work/boot" "$guest/disk.img" >> "$work/disk"
sfdisk -q "$work/disk" << TABLE
label: dos
start=$start, size=$boot, type=e, bootable
start=$((start + boot)), type=83
TABLE
dd if=/usr/lib/syslinux/mbr/mbr.bin of="$work/disk" bs=440 count=1 \
    conv=notrunc status=none
syslinux --offset "$((start * sector))" --install "$work/disk"
mv "$work/disk" "$image"
echo "$digest" > "$image.digest"
