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
# Set this checkout up on Debian 12 or newer: the system's packages that
# bindep.txt lists, and nova-qga with its libraries in .venv. Of what the
# packages bring, no service is started. Again, with nothing changed since,
# it does nothing.
#
# usage: tools/setup.sh [--test | --nova <release>]
#   --test             add what tools/test.sh needs
#   --nova <release>   make .venv-nova<release>, with that Nova and what the
#                      tests of the extension need
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tests=no nova='' venv=.venv
case $#-${1-} in
0-) ;;
1---test) tests=yes ;;
2---nova)
    nova=$2 venv=.venv-nova$2
    if [ ! -e "tools/constraints/nova-$nova.txt" ]; then
        echo "setup: there is no tools/constraints/nova-$nova.txt" >&2
        exit 2
    fi
    ;;
*)
    echo 'usage: tools/setup.sh [--test | --nova <release>]' >&2
    exit 2
    ;;
esac

log=$(mktemp "${TMPDIR:-/tmp}/nova-qga-setup.XXXXXX")
policy=/usr/sbin/policy-rc.d
our_policy=no
clean_up() {
    rm -f "$log"
    [ "$our_policy" = no ] || rm -f "$policy"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# step TEXT COMMAND...: say what is done, do it, show its output if it fails.
step() {
    local text=$1
    shift
    echo "setup: $text"
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" | sed 's/^/  /' >&2
        echo "setup: failed: $text" >&2
        exit 1
    fi
}

# What python3 is new enough? First the one that operators of Debian run.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3; do
        if "$candidate" -c \
            'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo 'setup: Python 3.11 or newer is needed: python3 is older' >&2
    return 1
}

update_apt() {
    # Once is enough.
    [ "${apt_is_fresh-}" = yes ] || apt-get -q update
    apt_is_fresh=yes
}

install_packages() {
    if [ "$(id -u)" != 0 ]; then
        echo "to install $* run this as root"
        return 1
    fi
    if [ ! -e "$policy" ]; then
        # Debian starts the services of what it installs unless told not to;
        # a machine-wide libvirtd or RabbitMQ is nothing that we need.
        our_policy=yes
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    update_apt && DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
}

constraints=tools/constraints/nova-${nova:-34}.txt

# What the stamp holds, so that any change of these sets up again.
digest() {
    local file
    for file in bindep.txt requirements.txt test-requirements.txt \
        doc/requirements.txt "$constraints" tools/constraints/extension.txt \
        tools/setup.sh setup.cfg setup.py pyproject.toml; do
        [ ! -e "$file" ] || sha256sum "$file"
    done | sha256sum | cut -d ' ' -f 1
}

stamp=$venv/nova-qga-setup
want=$(digest)
if [ -x "$venv/bin/python" ] && [ -e "$stamp" ]; then
    read -r had had_tests <"$stamp"
    if [ "$had" = "$want" ] && { [ "$tests" = no ] \
        || [ "$had_tests" = yes ]; }; then
        echo "setup: everything is in place${nova:+ for Nova $nova}"
        exit 0
    fi
    # What was there for tests stays.
    [ "$had_tests" = no ] || tests=yes
fi

python=$(find_python)
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    step 'installing python3-venv' install_packages python3-venv
fi
if [ ! -x "$venv/bin/pip" ]; then
    step "making a virtual environment in $venv with $python" \
        "$python" -m venv "$venv"
fi
# uv takes a quarter of the time that pip takes.
step "installing uv and bindep into $venv" \
    "$venv/bin/python" -m pip --disable-pip-version-check install \
    -c tools/constraints/nova-34.txt uv bindep

# It exits with 1 where something is missing, and lists that.
if ! missing=$("$venv/bin/bindep" -b test); then
    mapfile -t missing <<<"$missing"
    step "installing ${missing[*]}" install_packages "${missing[@]}"
    step 'looking for what is still missing' "$venv/bin/bindep" test
fi

libraries=("libvirt-python==$(pkg-config --modversion libvirt)" fixtures)
for_what='installing nova-qga'
if [ -n "$nova" ]; then
    libraries+=(nova -r tools/constraints/extension.txt)
    for_what+=" and Nova $nova with what the tests of the extension need"
elif [ "$tests" = yes ]; then
    libraries+=(-r test-requirements.txt -r doc/requirements.txt)
    for_what+=' and what its tests need'
fi
# As pip does; where Python writes none, each start would compile anew.
step "$for_what into $venv" \
    "$venv/bin/uv" pip install --compile-bytecode --python "$venv/bin/python" \
    -c "$constraints" -e . "${libraries[@]}"
echo "$want $tests" >"$stamp"
