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

"""What one message of a guest agent says: a value, a refusal, or nothing."""

from typing import Any

from nova_qga import errors

#: Stands for a message that answers nothing.
STRAY = object()
#: Said of a message that is a request.
ECHO = 'the request came back: something echoes, and it is no guest agent'
_UNSUPPORTED = ('CommandNotFound', 'CommandDisabled')


def reply(message: dict[str, Any]) -> Any:
    """Return the value, or a CommandError, that a message carries.

    A QMP greeting or an event is :data:`STRAY`: it answers nothing.

    :raises MalformedMessage: it carries neither, or both
    """
    if 'return' in message:
        if 'error' in message:
            raise errors.MalformedMessage('both a result and an error')
        return message['return']
    error = message.get('error')
    if type(error) is not dict:
        if 'QMP' in message or 'event' in message:
            return STRAY
        if 'execute' in message:
            raise errors.MalformedMessage(ECHO)
        raise errors.MalformedMessage('neither a result nor an error')
    error_class = error.get('class')
    description = error.get('desc')
    if type(error_class) is not str or type(description) is not str:
        raise errors.MalformedMessage('an error without class or text')
    if error_class in _UNSUPPORTED:
        return errors.CommandUnsupported(error_class, description)
    return errors.CommandError(error_class, description)
