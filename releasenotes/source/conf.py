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

"""Sphinx settings of nova-qga's release notes."""

extensions = [
    'openstackdocstheme',
    'reno.sphinxext',
]

project = 'nova-qga Release Notes'
copyright = '2026, OpenStack Foundation'

# Release notes are of no one version.
version = ''
release = ''

openstackdocs_repo_name = 'openstack/nova-qga'
openstackdocs_bug_project = 'nova-qga'
openstackdocs_bug_tag = 'doc'
openstackdocs_auto_name = False

html_theme = 'openstackdocs'
html_copy_source = False
pygments_style = 'native'
