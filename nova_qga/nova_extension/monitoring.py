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


"""How a guest's image or flavor says that it is not to be monitored.

nova-qga-agent knows a guest by its definition in libvirt alone, and Nova's own
metadata in there lack image properties that Nova does not know. So a no is
written beside them, in a namespace of ours.

Pure: it knows neither Nova nor libvirt.

Source: https://libvirt.org/formatdomain.html#general-metadata; the names of
image properties and extra specs are as Nova's: ``hw_rng_model``,
``hw_rng:allowed``.
"""

#: The flavor's extra spec: whether its guests are monitored.
EXTRA_SPEC = 'qga:monitoring'

#: The image's properties that say the same.
IMAGE_PROPERTIES = (EXTRA_SPEC, 'qga_monitoring')

#: Of the element ``instance`` in a domain's metadata.
NAMESPACE = 'http://openstack.org/xmlns/libvirt/nova-qga/1.0'
