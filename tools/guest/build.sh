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
# usage: build.sh [OUT]
#
# Build the test guest into OUT: vmlinuz (Debian's cloud kernel), initramfs
# (busybox, the real qemu-ga and chpasswd, and what is in root/ here) and
# disk.img (an ext4 for /mnt, so that there is something to freeze).
# Nothing is done if OUT was built from the same parts; nothing is installed.
# The cache is ${NOVA_QGA_CACHE:-/var/tmp/nova-qga}.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${NOVA_QGA_CACHE:-/var/tmp/nova-qga}
out=${1:-$cache/guest}
export PATH=$PATH:/usr/sbin:/sbin
programs=(qemu-ga chpasswd)
modules=(virtio_pci virtio_console virtio_blk virtio_net virtio_balloon ext4)

digest_of_parts() {
    local parts=("$here/build.sh" "$(command -v busybox)") program
    for program in "${programs[@]}"; do
        parts+=("$(command -v "$program")")
    done
    {
        sha256sum "${parts[@]}"
        # Modes count too: a script that lost its x bit is another guest.
        tar -C "$here/root" --sort=name --mtime=@0 --owner=0 --group=0 \
            -cf - . | sha256sum
    } | sha256sum | cut -d ' ' -f 1
}

# Copy a program or library to its own path in the guest, and all that it
# is linked to.
copy_linked() {
    local file root=$1
    shift
    for file in "$@" $(ldd "$@" | grep -o '/[^ :]*' | sort -u); do
        mkdir -p "$root$(dirname "$file")"
        cp -Lu "$file" "$root$file"
    done
}

# Leave Debian's kernel, unpacked, in $cache/kernel/<version>.
fetch_kernel() {
    local package work
    apt-cache show linux-image-cloud-amd64 > /dev/null 2>&1 \
        || apt-get update -qq
    package=$(apt-cache depends linux-image-cloud-amd64 \
        | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
    kernel=$cache/kernel/$package
    [ ! -d "$kernel" ] || return 0
    work=$(mktemp -d "$cache/kernel.XXXXXX")
    (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$package")
    dpkg-deb -x "$work"/*.deb "$work/tree"
    # Debian 13 has moved the modules to /usr/lib.
    [ -d "$work/tree/lib/modules" ] || ln -s usr/lib "$work/tree/lib"
    mkdir -p "$cache/kernel"
    mv "$work/tree" "$kernel"
    rm -rf "$work"
}

# Put busybox and its names, the programs and their libraries into $1.
add_programs() {
    local root=$1 name pam program
    cp "$(command -v busybox)" "$root/bin/busybox"
    for name in $(busybox --list); do
        # Ours, and busybox itself, stay as they are.
        [ -e "$root/sbin/$name" ] || [ -e "$root/bin/$name" ] \
            || ln -s busybox "$root/bin/$name"
    done
    for program in "${programs[@]}"; do
        rm -f "$root/bin/$program"
        copy_linked "$root" "$(command -v "$program")"
    done
    # chpasswd asks PAM, which loads this module by name.
    pam=$(dpkg -L libpam-modules | grep '/pam_unix\.so$')
    copy_linked "$root" "$pam"
    ln -sf bin/busybox "$root/init"
    # qemu-ga sets no clock without it, and looks for it nowhere else.
    ln -sf ../bin/busybox "$root/sbin/hwclock"
}

# Put the kernel's modules that the guest loads into $1.
add_modules() {
    local root=$1 version file
    version=$(basename "$kernel"/boot/vmlinuz-*)
    version=${version#vmlinuz-}
    depmod -b "$kernel" "$version"
    for file in $(modprobe -d "$kernel" -S "$version" -aD "${modules[@]}" \
        | awk '$1 == "insmod" {print $2}' | sort -u); do
        mkdir -p "$root/lib/modules/$version"
        cp "$file" "$root/lib/modules/$version/"
    done
    # Debian 13 compresses them, which busybox does not read.
    find "$root/lib/modules" -name '*.xz' -exec xz -d {} +
    cp "$kernel/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} \
        "$root/lib/modules/$version/"
    depmod -b "$root" "$version"
    cp "$kernel/boot/vmlinuz-$version" "$new/vmlinuz"
}

# One login, so that guest-get-users has somebody to name.
write_utmp() {
    python3 - > "$1" <<'PYTHON'
import struct
import sys

sys.stdout.buffer.write(
    struct.pack(
        '<hxxi32s4s32s256shhiii16x20x',
        *(7, 1, b'tty1', b'1', b'ubuntu', b'', 0, 0, 0, 1700000000, 0),
    )
)
PYTHON
}

build() {
    local root
    new=$(mktemp -d "$cache/guest.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    root=$new/root
    mkdir -p "$root"/{bin,dev,proc,sys,run,tmp,root,mnt,home/ubuntu,var/log}
    cp -R "$here/root/." "$root"
    chmod 600 "$root/etc/shadow"
    chmod 700 "$root/root"
    chmod 1777 "$root/tmp"
    ln -s ../run "$root/var/run"
    write_utmp "$root/etc/utmp.seed"
    fetch_kernel
    add_programs "$root"
    add_modules "$root"
    (cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) | gzip -1 \
        > "$new/initramfs"
    mkdir "$new/disk"
    echo 'This is the disk of the test guest.' > "$new/disk/README"
    truncate -s 16M "$new/disk.img"
    mke2fs -q -t ext4 -E lazy_itable_init=0 -L data -d "$new/disk" "$new/disk.img"
    rm -rf "$root" "$new/disk"
    echo "$digest" > "$new/digest"
    chmod 755 "$new"
    rm -rf "$out"
    mkdir -p "$(dirname "$out")"
    mv "$new" "$out"
    trap - EXIT
}

mkdir -p "$cache"
exec 9> "$cache/guest.lock"
flock 9
digest=$(digest_of_parts)
if [ "$(cat "$out/digest" 2>/dev/null)" = "$digest" ]; then
    echo "guest: $out is up to date"
    exit 0
fi
build
echo "guest: built $out"
