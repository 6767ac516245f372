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
# Write tools/constraints/nova-<release>.txt: the last point release of a Nova
# and the libraries as they were on a day, such as that of its first release.
#
# usage: tools/constraints/freeze.sh <release> <day>
#        tools/constraints/freeze.sh 33 2026-04-16
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ $# != 2 ]; then
    echo 'usage: tools/constraints/freeze.sh <release> <day>' >&2
    exit 2
fi
release=$1 day=$2
file=tools/constraints/nova-$release.txt
frozen=$(mktemp "${TMPDIR:-/tmp}/nova-qga-freeze.XXXXXX")
trap 'rm -f "$frozen"' EXIT

echo "nova==$release.*" |
    .venv/bin/uv pip compile -q --python-version 3.11 --no-header \
        --no-annotate --exclude-newer "$day" \
        --exclude-newer-package nova="$(date +%F)" \
        - requirements.txt tools/constraints/extension.txt -o "$frozen"
{
    sed -n '/^#/p' "$file" 2>/dev/null || true
    # It must be of the version of the machine's libvirt.
    grep -v '^libvirt-python' "$frozen"
} >"$frozen.new"
mv "$frozen.new" "$file"
