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
# Try a real extended agent: build a qemu-ga with guest-get-statvfs, install
# the package of examples/nova-qga-statvfs beside nova-qga in a virtual
# environment of its own, and run the command line on that agent, which looks
# at this machine and changes nothing. Nothing is left running.
#
# usage: tools/extended_agent/run.sh
#
# It needs what bindep.txt lists for tests and extended-agent, and works in
# ${NOVA_QGA_CACHE:-/var/tmp/nova-qga}/extended-agent.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=${NOVA_QGA_CACHE:-/var/tmp/nova-qga}/extended-agent
mkdir -p "$folder"

bash tools/extended_agent/build.sh "$folder"

if [ ! -x "$folder/venv/bin/python" ]; then
    python3 -m venv "$folder/venv"
fi
echo "extended agent: installing the example into $folder/venv"
# A copy of it: setuptools writes beside what it installs.
cp -r examples/nova-qga-statvfs "$folder/example"
trap 'rm -rf "$folder/example"' EXIT
"$folder/venv/bin/python" -m pip --disable-pip-version-check -q install \
    -c tools/constraints/nova-34.txt \
    "libvirt-python==$(pkg-config --modversion libvirt)" \
    fixtures -e . "$folder/example" >"$folder/pip.log" 2>&1 || {
    cat "$folder/pip.log" >&2
    exit 1
}
NOVA_QGA_EXTENDED_AGENT=$folder/qemu-ga "$folder/venv/bin/python" -W ignore \
    -m unittest discover -v -s tools/extended_agent -t tools
