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
# Show nova-qga at work on a real guest: set up, boot, and check each thing
# that is done from inside the guest. It leaves nothing running.
#
# usage: tools/demo.sh [--local | --monitoring [--folder <folder>]]
#
#   --local        no broker and no agent service: the command line talks to
#                  the guests of its own host
#   --monitoring   start all that monitors a guest, with a Prometheus and a
#                  Ceilometer, for whoever follows the monitoring guide; it
#                  runs until Ctrl-C
#   --folder       for what the guide needs; /tmp/nova-qga-demo unless given
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=tools/demo.py
if [ "${1-}" = --monitoring ]; then
    shift
    program=tools/monitoring_demo.py
fi
tools/setup.sh
exec .venv/bin/python -I "$program" "$@"
