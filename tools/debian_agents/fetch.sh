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
# usage: fetch.sh RELEASE OUT
#
# Leave the qemu-ga of a Debian release in OUT, with the libraries of that
# release, so that it runs on another: OUT/qemu-ga starts it. RELEASE is
# bullseye (agent 5.2), bookworm (7.2), trixie (10.0) ...
#
# Nothing is done if OUT has one of this script's, and nothing is installed:
# apt gets a configuration of its own, in which no package is.
set -euo pipefail

release=$1 out=$2
mkdir -p "$(dirname "$out")"
exec 9>"$out.lock"
flock 9
want=$(sha256sum <"${BASH_SOURCE[0]}" | cut -d ' ' -f 1)
if [ "$(cat "$out/digest" 2>/dev/null)" = "$want" ]; then
    exit 0
fi
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/apt/{lists,cache/archives}/partial

key=/usr/share/keyrings/debian-archive-keyring.gpg
printf 'deb [signed-by=%s] http://deb.debian.org/%s main\n' \
    "$key" "debian $release" \
    "$key" "debian-security $release-security" >"$work/apt/sources"
: >"$work/apt/status"
cat >"$work/apt/conf" <<END
Dir::Etc::SourceList "$work/apt/sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$work/apt";
Dir::State::Lists "$work/apt/lists";
Dir::State::Status "$work/apt/status";
Dir::Cache "$work/apt/cache";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
END
export APT_CONFIG=$work/apt/conf
{
    apt-get -q update
    apt-get -q -y --download-only install qemu-guest-agent
} >"$work/log" 2>&1 </dev/null || {
    tail -n 20 "$work/log" >&2
    exit 1
}

for package in "$work"/apt/cache/archives/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done
rm -r "$work/root/usr/share"
cd "$work/root"
# Below lib, or below usr/lib: releases differ.
loader=$(find . -path '*-linux-gnu*/ld-linux*' -print -quit)
triplet=$(basename "$(dirname "$loader")")
cat >"$work/qemu-ga" <<END
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")/root
path=\$root/lib/$triplet:\$root/usr/lib/$triplet
exec "\$root/${loader#./}" --library-path "\$path" "\$root/usr/sbin/qemu-ga" "\$@"
END
chmod +x "$work/qemu-ga"
"$work/qemu-ga" --version >/dev/null
echo "$want" >"$work/digest"
rm -rf "$work/apt" "$out"
mv "$work" "$out"
trap - EXIT
