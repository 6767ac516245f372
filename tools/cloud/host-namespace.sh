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
# usage: unshare --mount --uts --propagation private host-namespace.sh \
#            NAME ROOT
#
# Be the compute host NAME: its folders below ROOT are /run, /var/lib/nova and
# so on in a mount namespace of its own, and its name is NAME. So two hosts
# run side by side, and the machine's own libvirt and Nova are not touched.
# The network is the machine's: the hosts differ by their loopback addresses.
# Programs enter it by nsenter(1); ROOT/ready appears when they may.
set -euo pipefail
name=$1 root=$2

# A small /dev, without kvm: where /dev/kvm exists but does not work, libvirt
# probes QEMU again, for seconds, whenever it is asked for capabilities.
small_dev() {
    local dev=$root/dev node
    mkdir -p "$dev"
    mount -t tmpfs -o mode=755,size=1m dev "$dev"
    for node in null zero full random urandom tty ptmx; do
        cp -a "/dev/$node" "$dev"
    done
    ln -s /proc/self/fd "$dev/fd"
    mkdir "$dev/pts" "$dev/shm"
    mount --bind /dev/pts "$dev/pts"
    mount --bind /dev/shm "$dev/shm"
    # Not hidden but detached: libvirt looks at every mount named in
    # /proc/mounts below /dev.
    umount --recursive --lazy /dev
    mount --move "$dev" /dev
}

hostname "$name"
mount --bind "$root/hosts" /etc/hosts
for pair in run:/run ssh:/root/.ssh lib:/var/lib/libvirt \
    cache:/var/cache/libvirt log:/var/log/libvirt etc:/etc/libvirt \
    nova:/var/lib/nova nova-qga:/var/lib/nova-qga; do
    mkdir -p "${pair#*:}"
    mount --bind "$root/${pair%%:*}" "${pair#*:}"
done
small_dev
touch "$root/ready"
exec sleep infinity
