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

"""Drop messages that would cost much to decode, and what is no request.

A hundred megabytes of JSON become gigabytes of objects, a compressed message
may hold a thousand times its size, and a codec that it names may take hours.
So a message is looked at before oslo.messaging decodes it. Nothing of what is
dropped is logged but its size: it may hold a secret.

Source: Consumer in oslo_messaging/_drivers/impl_rabbit.py of 17.1 and 18.3,
Message in kombu/message.py, dispatch_method() in amqp/abstract_channel.py.
"""

import bz2
from collections.abc import Callable
import functools
import json
import re
from typing import Any
import zlib

from oslo_log import log as logging

LOG = logging.getLogger(__name__)

#: Bytes of a message, unpacked. The largest that an operation can use is an
#: ``execute`` with as many arguments as Linux takes, 2 MiB, in a script of
#: which JSON makes 2.4 times as much, and 1 MiB of input in base64.
MOST = 8 << 20

#: Of oslo.messaging since 2013.
_ENVELOPE = {'oslo.version', 'oslo.message'}
_VERSION = '2.0'
#: What oslo.messaging's kombu_compression may be.
_UNPACKERS: dict[str, Callable[[], Any]] = {
    'application/x-gzip': zlib.decompressobj,
    'application/x-bz2': bz2.BZ2Decompressor,
}
_METHOD = re.compile(r'[A-Za-z0-9_]{0,64}')
_WORD = re.compile(r'[ -~]{0,255}')
_WORDS = ('_unique_id', '_msg_id', '_reply_q')
_LONGEST_NAME = 255
_METHOD_VERSION = re.compile(r'[0-9]{1,4}(\.[0-9]{1,4}){0,2}')
#: Seconds for which a caller may want to hear that its call goes on.
_LONGEST = 86400


class _UnusableError(Exception):
    """A message is dropped; why, in words of ours."""


def guard(listener: Any, is_stopping: Callable[[], bool]) -> None:
    """Have a listener that is not started look at messages first.

    Once we stop, none is taken: the broker keeps what was not acknowledged.
    That of a driver other than RabbitMQ's is left as it is.
    """
    reader = listener._poll_style_listener
    if not hasattr(reader, 'conn'):
        return
    for consumer in reader.conn._consumers:
        consumer.consume = functools.partial(_consume, consumer.consume)
        consumer._callback = functools.partial(
            _take, consumer._callback, is_stopping
        )


def _consume(consume: Callable[..., None], connection: Any, tag: Any) -> None:
    """Begin to consume, on a channel that decodes nothing by itself."""
    connection.channel.auto_decode = False
    consume(connection, tag)


def _take(
    take: Callable[[Any], None], is_stopping: Callable[[], bool], message: Any
) -> None:
    """Hand a message on, or drop it."""
    if is_stopping():
        return
    size = len(message.body)
    try:
        message.body = _unpacked(message)
        _check_request(message.body)
    except _UnusableError as error:
        why = str(error)
    else:
        take(message)
        return
    LOG.warning(
        'a message of %(bytes)d bytes was dropped: %(why)s',
        {'bytes': size, 'why': why},
    )
    message.channel.basic_reject(message.delivery_tag, requeue=False)


def _unpacked(message: Any) -> bytes:
    """Return the body of a message, and leave no work for other decoders."""
    body: bytes = message.body
    _check_size(len(body))
    properties = message.properties
    headers = properties.get('application_headers') or {}
    packed = headers.pop('compression', None)
    if packed:
        unpacker = isinstance(packed, str) and _UNPACKERS.get(packed)
        if not unpacker:
            raise _UnusableError('it is compressed in a way unknown here')
        try:
            body = unpacker().decompress(body, MOST + 1)
        except (OSError, EOFError, ValueError, zlib.error):
            raise _UnusableError('it cannot be decompressed') from None
        _check_size(len(body))
    if properties.get('content_type') != 'application/json':
        raise _UnusableError('it is not JSON')
    properties['content_encoding'] = 'utf-8'
    return body


def _check_size(size: int) -> None:
    if size > MOST:
        raise _UnusableError(f'it holds over {MOST} bytes')


def _check_request(body: bytes) -> None:
    """Refuse what oslo.messaging would not send.

    Its reader and its dispatcher take the types of these for granted, and
    write them into the log where they are wrong.
    """
    envelope = _parsed(body)
    if (
        set(envelope) != _ENVELOPE
        or envelope['oslo.version'] != _VERSION
        or not isinstance(envelope['oslo.message'], str)
    ):
        raise _UnusableError('it is not in the envelope of oslo.messaging')
    request = _parsed(envelope['oslo.message'])
    patience = request.get('_timeout') or 0
    if not (
        _matches(_METHOD, request.get('method'))
        and _matches(_METHOD_VERSION, request.get('version', '1.0'))
        and isinstance(request.get('args', {}), dict)
        and request.get('namespace') is None
        and all(_matches(_WORD, request.get(each) or '') for each in _WORDS)
        and type(patience) is int
        and 0 <= patience <= _LONGEST
        and all(len(name) <= _LONGEST_NAME for name in request)
    ):
        raise _UnusableError('it is no request')


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise _UnusableError('it is not valid JSON') from None
    if not isinstance(parsed, dict):
        raise _UnusableError('it is no request')
    return parsed


def _matches(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
