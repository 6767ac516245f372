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

# The devstack plugin of nova-qga. Enable it on every node, in local.conf:
#
#   [[local|localrc]]
#   enable_plugin nova-qga https://opendev.org/openstack/nova-qga
#
# A node that runs nova-compute gets the extension and, unless the service
# qga-agent is disabled, the agent; the others get the command line.

# devstack turns tracing on for what it runs itself.
_XTRACE_NOVA_QGA=$(set +o | grep xtrace)
set +o xtrace

# check_nova_qga_platform() - End early where nothing could work later
function check_nova_qga_platform {
    if ! is_service_enabled n-cpu; then
        return 0
    fi
    if [[ "$VIRT_DRIVER" != "libvirt" ]]; then
        die $LINENO "nova-qga needs VIRT_DRIVER=libvirt, not $VIRT_DRIVER"
    fi
    if [[ ! "$LIBVIRT_TYPE" =~ ^(kvm|qemu)$ ]]; then
        die $LINENO \
            "nova-qga needs LIBVIRT_TYPE kvm or qemu, not $LIBVIRT_TYPE"
    fi
}

# install_nova_qga() - Install into the environment that Nova runs from
function install_nova_qga {
    # There nova-compute finds the extension, and nova-api the check of extra
    # specs, by their entry points. Without USE_VENV it is the one of all.
    PIP_VIRTUAL_ENV=${PROJECT_VENV["nova"]:-} setup_develop "$NOVA_QGA_DIR"
    if [[ "$GLOBAL_VENV" == "True" ]]; then
        # As devstack does for nova-manage: no shell's PATH has that one.
        sudo ln -sf "$NOVA_BIN_DIR/nova-qga" "$NOVA_BIN_DIR/nova-qga-status" \
            /usr/local/bin
    fi
}

# _nova_qga_set file section option variable - Set an option from a variable,
# or leave it at its default where there is no such variable
function _nova_qga_set {
    if [[ -v $4 ]]; then
        iniset "$1" "$2" "$3" "${!4}"
    else
        inidelete "$1" "$2" "$3"
    fi
}

# configure_nova_qga() - Write nova-qga.conf, and what others must know
function configure_nova_qga {
    sudo install -d -o "$STACK_USER" "$NOVA_QGA_CONF_DIR"
    # From scratch, as devstack does; it will hold the broker's password.
    install -m 0640 /dev/null "$NOVA_QGA_CONF"
    iniset "$NOVA_QGA_CONF" DEFAULT debug "$ENABLE_DEBUG_LOG_LEVEL"
    setup_logging "$NOVA_QGA_CONF"
    if [[ "$CELLSV2_SETUP" != "singleconductor" ]]; then
        # A compute host's broker is that of its cell, and nova.conf names
        # another: so the command line need not be told.
        iniset_rpc_backend nova "$NOVA_QGA_CONF" DEFAULT \
            "nova_cell$NOVA_CPU_CELL"
    fi
    if is_service_enabled n-cpu; then
        configure_nova_qga_channels
        configure_nova_qga_agent
    fi
    if is_service_enabled ceilometer-anotification; then
        configure_nova_qga_meters
    fi
}

# configure_nova_qga_channels() - Say which channels guests get
function configure_nova_qga_channels {
    # Not in $NOVA_CPU_CONF, which nova-compute and our agent read: devstack
    # makes it as a copy of this one after this phase (start_nova_compute).
    _nova_qga_set "$NOVA_CONF" qga enabled NOVA_QGA_ENABLED
    _nova_qga_set "$NOVA_CONF" qga channel_policy NOVA_QGA_CHANNEL_POLICY
    _nova_qga_set "$NOVA_CONF" qga direct_channel NOVA_QGA_DIRECT_CHANNEL
    _nova_qga_set "$NOVA_CONF" qga direct_channel_dir \
        NOVA_QGA_DIRECT_CHANNEL_DIR
    if [[ -n "${NOVA_QGA_DIRECT_CHANNEL_DIR-}" ]]; then
        # QEMU makes sockets in it, and libvirt would not make the folder.
        local qemu_user=qemu
        if is_ubuntu; then
            qemu_user=libvirt-qemu
        fi
        sudo install -d -o "$qemu_user" -m 0750 "$NOVA_QGA_DIRECT_CHANNEL_DIR"
    fi
}

# configure_nova_qga_agent() - Say what the agent measures, and for whom
function configure_nova_qga_agent {
    iniset "$NOVA_QGA_CONF" qga_agent state_path "$NOVA_QGA_STATE_PATH"
    _nova_qga_set "$NOVA_QGA_CONF" qga_monitor interval NOVA_QGA_INTERVAL
    _nova_qga_set "$NOVA_QGA_CONF" qga_monitor collectors NOVA_QGA_COLLECTORS
    _nova_qga_set "$NOVA_QGA_CONF" qga_monitor publishers NOVA_QGA_PUBLISHERS
    if [[ ! -v NOVA_QGA_PUBLISHERS ]] && ! is_service_enabled ceilometer; then
        # Nova's own notifications are on (create_nova_conf), so ours would be
        # sent too, into a queue that grows with nobody to read it.
        iniset "$NOVA_QGA_CONF" qga_monitor publishers ""
    fi
}

# configure_nova_qga_meters() - Make Ceilometer take our metrics
function configure_nova_qga_meters {
    sudo install -d -o "$STACK_USER" "$CEILOMETER_CONF_DIR" \
        "$CEILOMETER_CONF_DIR/meters.d"
    install -m 0644 "$NOVA_QGA_DIR/etc/ceilometer/meters.d/nova_qga.yaml" \
        "$CEILOMETER_CONF_DIR/meters.d"
}

# start_nova_qga() - Start the agent; nova-compute and libvirt run already
function start_nova_qga {
    local command=$NOVA_BIN_DIR/nova-qga-agent
    command+=" --config-file $NOVA_CPU_CONF --config-file $NOVA_QGA_CONF"
    # As root: the guests' sockets are for root and libvirt's QEMU user only.
    run_process qga-agent "$command" "" root
}

# check_nova_qga() - End where the node cannot work as it is configured
function check_nova_qga {
    local command=("$NOVA_BIN_DIR/nova-qga-status")
    local result=0
    if is_service_enabled n-cpu; then
        command+=(--config-file "$NOVA_CPU_CONF")
    else
        command+=(--controller --config-file "$NOVA_CONF")
    fi
    command+=(--config-file "$NOVA_QGA_CONF" upgrade check)
    # As the agent: this user may not be in libvirt's group yet.
    sudo "${command[@]}" || result=$?
    # 1 is for warnings.
    if ((result > 1)); then
        die $LINENO "nova-qga cannot work here: see the failures above"
    fi
}

# configure_nova_qga_tempest() - Turn on what an image with an agent can do
function configure_nova_qga_tempest {
    local has_agent
    has_agent=$(trueorfalse False NOVA_QGA_TEMPEST_IMAGE_HAS_AGENT)
    if [[ "$has_agent" == "True" ]]; then
        iniset "$TEMPEST_CONFIG" compute-feature-enabled change_password True
    fi
}

# clean_nova_qga() - Remove what the phases above and the agent have made
function clean_nova_qga {
    sudo rm -rf "$NOVA_QGA_CONF_DIR" "$NOVA_QGA_STATE_PATH"
    if [[ "$GLOBAL_VENV" == "True" ]]; then
        sudo rm -f /usr/local/bin/nova-qga /usr/local/bin/nova-qga-status
    fi
    if [[ -d "${CEILOMETER_CONF_DIR-}/meters.d" ]]; then
        sudo rm -f "$CEILOMETER_CONF_DIR/meters.d/nova_qga.yaml"
        # Ceilometer's plugin expects no folder in its own.
        sudo rmdir --ignore-fail-on-non-empty "$CEILOMETER_CONF_DIR/meters.d"
    fi
}

case "$1 ${2-}" in
    "stack pre-install")
        check_nova_qga_platform
        ;;
    "stack install")
        echo_summary "Installing nova-qga"
        install_nova_qga
        ;;
    "stack post-config")
        echo_summary "Configuring nova-qga"
        configure_nova_qga
        ;;
    "stack extra")
        if is_service_enabled n-cpu && is_service_enabled qga-agent; then
            echo_summary "Starting nova-qga-agent"
            start_nova_qga
        fi
        if is_service_enabled nova; then
            echo_summary "Checking nova-qga"
            check_nova_qga
        fi
        ;;
    "stack test-config")
        if is_service_enabled tempest; then
            configure_nova_qga_tempest
        fi
        ;;
    "unstack "*)
        stop_process qga-agent
        ;;
    "clean "*)
        clean_nova_qga
        ;;
esac

$_XTRACE_NOVA_QGA
