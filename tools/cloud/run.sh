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
# Start a real OpenStack cloud with two compute hosts on this machine, with
# nova-qga installed as an operator would, and check from its API and from
# inside its guests that all is as promised. It leaves nothing running; the
# logs stay. The last line is the tally.
#
# usage: tools/cloud/run.sh [--only SCENARIO]...
#
# What is installed, built and logged is in
# ${NOVA_QGA_CACHE:-/var/tmp/nova-qga}/cloud.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cloud=${NOVA_QGA_CACHE:-/var/tmp/nova-qga}/cloud
cloud/install.sh "$cloud"
exec "$cloud/venv/bin/python" -m cloud "$@"
