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
# usage: build.sh RELEASE KIND OUT
#
# Build a Debian guest into OUT: disk.raw, and vmlinuz and initrd out of it.
# RELEASE is bookworm, trixie ...; KIND is
#   element     with the agents, by the element nova-qga-guest
#   cloud-init  without an agent, with cloud-init to install one
# diskimage-builder does it, which must be on PATH.
set -euo pipefail

release=$1 kind=$2 out=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
elements=$here/../../etc/guest/diskimage-builder/elements
export PATH=$PATH:/usr/sbin:/sbin

# Plain partitions and boot loaders are none of our business: the file system
# is the disk, and QEMU loads the kernel.
packages=linux-image-cloud-amd64,initramfs-tools,udev,procps
names=(debian-minimal)
case $kind in
element) names+=(nova-qga-guest) ;;
cloud-init) packages+=,cloud-init,ifupdown,isc-dhcp-client,iproute2 ;;
*)
    echo "build.sh: there is no kind '$kind'" >&2
    exit 2
    ;;
esac

digest() {
    {
        sha256sum "${BASH_SOURCE[0]}"
        [ "$kind" != element ] \
            || tar -C "$elements" --sort=name --mtime=@0 --owner=0 --group=0 \
                -cf - . | sha256sum
        echo "$release $packages"
    } | sha256sum | cut -d ' ' -f 1
}

want=$(digest)
if [ "$(cat "$out/digest" 2>/dev/null)" = "$want" ]; then
    echo "guest images: $out is up to date"
    exit 0
fi
new=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$new"' EXIT
echo "guest images: building $release ($kind); the log is $out.log"
export ELEMENTS_PATH=$elements DIB_RELEASE=$release TMPDIR=$new
export DIB_IMAGE_CACHE=$new/cache DIB_IMAGE_SIZE=3 USER=${USER-root}
export DIB_DEBIAN_SECURITY_MIRROR=http://deb.debian.org/debian-security
if ! nice disk-image-create -n --no-tmpfs -t raw -o "$new/disk" \
    -p "$packages" "${names[@]}" >"$out.log" 2>&1 </dev/null; then
    tail -n 40 "$out.log" | sed 's/^/  /' >&2
    exit 1
fi

# Not the plain kernel, which debian-minimal brings too.
in_boot() {
    debugfs -R 'ls -p /boot' "$new/disk.raw" 2>/dev/null \
        | cut -d / -f 6 | grep "^$1-.*-cloud-amd64$"
}
for file in vmlinuz initrd; do
    debugfs -R "dump /boot/$(in_boot "$file.*") $new/$file" \
        "$new/disk.raw" 2>/dev/null
    [ -s "$new/$file" ]
done
# diskimage-builder wants DHCP on these, cloud-init on what it finds.
for card in eth0 eth1; do
    debugfs -w -R "rm /etc/network/interfaces.d/$card" "$new/disk.raw" \
        2>/dev/null
done
echo "$want" >"$new/digest"
rm -rf "$new/cache" "$new/disk.d" "$out"
mv "$new" "$out"
trap - EXIT
