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
# Install Ceilometer and Gnocchi, as the tests need them, into a virtual
# environment of their own, OUT/venv: their libraries are not ours. Nothing is
# done where it was made of the same list of versions.
#
# usage: tools/ceilometer/install.sh [OUT]
#
# OUT is ${NOVA_QGA_CACHE:-/var/tmp/nova-qga}/ceilometer unless given.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-${NOVA_QGA_CACHE:-/var/tmp/nova-qga}/ceilometer}
venv=$out/venv

mkdir -p "$out"
# Of several tests that need it at once, one makes it.
exec 9>"$out/lock"
flock 9

want=$(cat "$here"/{install.sh,requirements.txt,constraints.txt} \
    | sha256sum | cut -d ' ' -f 1)
if [ -e "$out/made" ] && [ "$(cat "$out/made")" = "$want" ]; then
    exit 0
fi

rm -rf "$venv" "$out/made"
python3 -m venv "$venv"
if uv=$(command -v uv); then
    install=("$uv" pip install --compile-bytecode --python "$venv/bin/python")
else
    install=("$venv/bin/python" -m pip --disable-pip-version-check install)
fi
"${install[@]}" -q -r "$here/requirements.txt" -c "$here/constraints.txt"
echo "$want" >"$out/made"
