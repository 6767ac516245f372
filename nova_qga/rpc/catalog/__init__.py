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

"""The operations that can be asked for: arguments, checks, what is called.

Each joins the name in a message to a function of
:mod:`nova_qga.operations`. They are found by the entry points of the
namespace ``nova_qga.operations``, those of other packages too; nothing that
is not there can be run.
"""
