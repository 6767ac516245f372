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
# Build whole guests with diskimage-builder, boot them, and check that the
# second guest agent runs as promised: installed by the element and by
# cloud-init, with the port there from the start, plugged in later, or never.
# Nothing is left running; the images and logs stay.
#
# usage: tools/guest_images/run.sh [RELEASE]...
#   RELEASE   of Debian: bookworm and trixie unless given
#
# It runs as root, with what bindep.txt lists for tests and guest-images, and
# works in ${NOVA_QGA_CACHE:-/var/tmp/nova-qga}/guest-images.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
(($#)) || set -- bookworm trixie
folder=${NOVA_QGA_CACHE:-/var/tmp/nova-qga}/guest-images
python=${VIRTUAL_ENV:-$PWD/.venv}/bin/python
builder=$folder/diskimage-builder
mkdir -p "$folder"

if [ ! -x "$builder/bin/disk-image-create" ]; then
    echo "guest images: installing diskimage-builder into $builder"
    python3 -m venv "$builder"
    "$builder/bin/python" -m pip --disable-pip-version-check -q install \
        diskimage-builder==3.43.0 2>"$folder/pip.log" || {
        cat "$folder/pip.log" >&2
        exit 1
    }
fi
export PATH=$builder/bin:$PATH
ELEMENTS_DIR=etc/guest/diskimage-builder/elements LIB_DIR=tools/guest_images \
    dib-lint >"$folder/dib-lint.log" || {
    cat "$folder/dib-lint.log"
    exit 1
}

status=0
for release in "$@"; do
    for kind in element cloud-init; do
        bash tools/guest_images/build.sh "$release" "$kind" \
            "$folder/$release-$kind"
    done
    echo "guest images: $release"
    NOVA_QGA_GUEST_IMAGES=$folder/$release nice "$python" \
        -m unittest discover -v -s tools/guest_images -t tools || status=$?
done
exit "$status"
