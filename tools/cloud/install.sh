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
# usage: install.sh FOLDER
#
# Install what the cloud consists of: the system's packages that bindep.txt
# lists, OpenStack's services and this checkout's nova-qga in FOLDER/venv, and
# a guest's disk. Of what the packages bring no service is started. What is
# there already is not installed again, but for nova-qga itself.
set -euo pipefail
folder=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(dirname "$(dirname "$here")")
venv=$folder/venv
log=$folder/install.log
# What nova-qga, glance, keystone, neutron and placement need is in there too.
services=(nova==34.0.0 keystone glance neutron openstack-placement)
tools=(PyMySQL waitress openstacksdk python-openstackclient fixtures passlib)

# step TEXT COMMAND...: say what is done, do it, show its output if it fails.
step() {
    local text=$1
    shift
    echo "cloud: $text"
    if ! "$@" > "$log" 2>&1 < /dev/null; then
        tail -n 40 "$log" | sed 's/^/  /' >&2
        echo "cloud: failed: $text" >&2
        exit 1
    fi
}

install_packages() {
    local policy=/usr/sbin/policy-rc.d ours=no status=0
    if [ ! -e "$policy" ]; then
        # Debian starts the services of what it installs unless told not to.
        ours=yes
        printf '#!/bin/sh\nexit 101\n' > "$policy"
        chmod 755 "$policy"
    fi
    apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@" \
        || status=$?
    [ "$ours" = no ] || rm -f "$policy"
    return "$status"
}

pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check install \
        -c "$here/constraints.txt" "$@"
}

# What the stamp holds, so that a change of these installs anew.
digest() {
    sha256sum "$here/install.sh" "$here/constraints.txt" \
        "$checkout/requirements.txt" | sha256sum | cut -d ' ' -f 1
}

if [ "$(id -u)" != 0 ]; then
    echo 'cloud: it starts libvirtd and its guests: run it as root' >&2
    exit 1
fi
mkdir -p "$folder"
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
    step 'installing python3-venv' install_packages python3-venv
fi
if [ ! -x "$venv/bin/pip" ]; then
    step "making a virtual environment in $venv" "$python" -m venv "$venv"
    step 'installing bindep' pip bindep
fi
# It exits with 1 where something is missing, and lists that.
if ! missing=$("$venv/bin/bindep" -b -f "$checkout/bindep.txt" test cloud)
then
    mapfile -t missing <<< "$missing"
    step "installing ${missing[*]}" install_packages "${missing[@]}"
fi
if [ "$(cat "$venv/stamp" 2> /dev/null)" != "$(digest)" ]; then
    step 'installing OpenStack' pip "${services[@]}" "${tools[@]}" \
        "libvirt-python==$(pkg-config --modversion libvirt)" \
        setuptools -r "$checkout/requirements.txt"
    digest > "$venv/stamp"
fi
step 'installing nova-qga' pip --no-deps --force-reinstall "$checkout"
step 'building the guest' "$here/guest-disk.sh" "$folder/guest.img"
