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
# Build a qemu-ga that has guest-get-statvfs: Debian's source of QEMU with the
# patch of examples/nova-qga-statvfs, and of it the guest agent alone.
#
# usage: tools/extended_agent/build.sh OUT
#   OUT   folder for qemu-ga; what it was built in is removed
#
# Nothing is done if OUT has one of the same parts, and nothing is installed:
# what bindep.txt lists for extended-agent must be there. apt gets a
# configuration of its own.
set -euo pipefail

out=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
patch=$(realpath "$here/../../examples/nova-qga-statvfs/qemu-ga-statvfs.patch")
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

digest() {
    { sha256sum <"${BASH_SOURCE[0]}"; sha256sum <"$patch"; echo "$release"; } \
        | sha256sum | cut -d ' ' -f 1
}

want=$(digest)
if [ "$(cat "$out/digest" 2>/dev/null)" = "$want" ]; then
    echo "extended agent: $out/qemu-ga is up to date"
    exit 0
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "$out/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# say TEXT COMMAND...: do it; its output is shown if it fails.
say() {
    local text=$1
    shift
    echo "extended agent: $text"
    "$@" >"$work/log" 2>&1 </dev/null || {
        tail -n 40 "$work/log" >&2
        echo "extended agent: failed: $text" >&2
        exit 1
    }
}

# The machine's own apt has no sources of source packages, and need not.
write_apt() {
    local key=/usr/share/keyrings/debian-archive-keyring.gpg
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
    printf 'deb-src [signed-by=%s] http://deb.debian.org/%s main\n' \
        "$key" "debian $release" \
        "$key" "debian-security $release-security" >"$work/apt/sources"
    cat >"$work/apt/conf" <<END
Dir::Etc::SourceList "$work/apt/sources";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
APT::Sandbox::User "root";
END
}

write_apt
export APT_CONFIG=$work/apt/conf
cd "$work"
say "asking for Debian's sources ($release)" apt-get -q update
say "fetching the source of QEMU" apt-get -q source qemu
source=$(echo "$work"/qemu-*/)
cd "$source"
say "adding guest-get-statvfs" patch -p1 -i "$patch"

# Debian's source has no meson of its own, so it and Python are the machine's.
options=(--disable-system --disable-user --disable-tools --disable-docs
    --disable-install-blobs --without-default-features --enable-guest-agent)
./configure --help | grep -q -- '--meson=' && options+=(--meson=/usr/bin/meson)
export PYTHON=/usr/bin/python3 PATH=/usr/bin:/bin
say "configuring" nice ./configure "${options[@]}"
say "compiling" nice ninja -C build qga/qemu-ga
strip -o "$out/qemu-ga" build/qga/qemu-ga
echo "$want" >"$out/digest"
echo "extended agent: built $out/qemu-ga in $SECONDS s"
