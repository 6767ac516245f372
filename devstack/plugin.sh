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

# The devstack plugin of nova-qga. Enable it in local.conf with
#
#   enable_plugin nova-qga https://opendev.org/openstack/nova-qga

# devstack turns tracing on for what it runs itself.
_XTRACE_NOVA_QGA=$(set +o | grep xtrace)
set +o xtrace

function install_nova_qga {
    # nova-compute shares this environment (GLOBAL_VENV), so that it finds the
    # extension's entry point.
    setup_develop "$NOVA_QGA_DIR"
}

function configure_nova_qga {
    sudo install -d -o "$STACK_USER" "$NOVA_QGA_CONF_DIR"
    touch "$NOVA_QGA_CONF"
    iniset "$NOVA_QGA_CONF" DEFAULT debug "$ENABLE_DEBUG_LOG_LEVEL"
    # Not into $NOVA_CPU_CONF, which nova-compute reads: it is made as a copy
    # of this one only after this phase.
    iniset "$NOVA_CONF" qga direct_channel "$NOVA_QGA_DIRECT_CHANNEL"
}

function start_nova_qga {
    local command=$NOVA_BIN_DIR/nova-qga-agent
    # The compute host's broker is that of its cell, set in $NOVA_CPU_CONF.
    command+=" --config-file $NOVA_CPU_CONF --config-file $NOVA_QGA_CONF"
    # As root: the guests' sockets are for root and libvirt's QEMU user only.
    run_process nova-qga-agent "$command" "" root
}

function stop_nova_qga {
    stop_process nova-qga-agent
}

function clean_nova_qga {
    sudo rm -rf "$NOVA_QGA_CONF_DIR"
}

if is_service_enabled nova-qga-agent; then
    case "$1 ${2-}" in
        "stack install") install_nova_qga ;;
        "stack post-config") configure_nova_qga ;;
        "stack extra") start_nova_qga ;;
        "unstack "*) stop_nova_qga ;;
        "clean "*) clean_nova_qga ;;
    esac
fi

$_XTRACE_NOVA_QGA
