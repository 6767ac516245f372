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

"""Sphinx settings of nova-qga's documentation."""

extensions = [
    'openstackdocstheme',
    'oslo_config.sphinxconfiggen',
    'oslo_config.sphinxext',
    'cliff.sphinxext',
    'sphinx.ext.autodoc',
]

project = 'nova-qga'
copyright = '2026, OpenStack Foundation'

openstackdocs_repo_name = 'openstack/nova-qga'
openstackdocs_bug_project = 'nova-qga'
openstackdocs_bug_tag = 'doc'
openstackdocs_auto_name = False

config_generator_config_file = [
    (
        '../../etc/nova-qga/nova-qga-config-generator.conf',
        '_static/nova-qga',
    ),
]

html_theme = 'openstackdocs'
html_static_path = ['_static']
html_copy_source = False
pygments_style = 'native'

autoprogram_cliff_application = 'nova-qga'
autoprogram_cliff_app_dist_name = 'nova-qga'
