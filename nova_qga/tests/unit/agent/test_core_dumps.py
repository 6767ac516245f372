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

"""A process that may hold a secret leaves no core."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest

# prctl(2): 3 is PR_GET_DUMPABLE.
SCRIPT = textwrap.dedent("""
    import ctypes, resource
    from nova_qga.agent import core_dumps
    resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096))
    {call}
    print(*resource.getrlimit(resource.RLIMIT_CORE))
    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
""")

# It does what comes before, forbids cores unless that was nothing, and dies.
DIES = textwrap.dedent("""
    import os, resource
    from nova_qga.agent import core_dumps
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if not os.geteuid():
        hard = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    class Nothing:
        RLIMIT_CORE = 4
        def CDLL(self, *_): return self
        def prctl(self, *_): return 0
        def setrlimit(self, *_): pass

    before = {before!r}
    exec(before)
    if before != 'pass':
        core_dumps.forbid()
    os.abort()
""")


class CoreDumpsTest(unittest.TestCase):
    def after(self, call):
        done = subprocess.run(
            [sys.executable, '-c', SCRIPT.format(call=call)],
            capture_output=True,
            text=True,
        )
        return done.stdout.split()

    def test_they_are_limited_to_nothing_and_the_memory_is_nobodys(self):
        self.assertEqual(['4096', '4096', '1'], self.after('pass'))
        self.assertEqual(['0', '0', '0'], self.after('core_dumps.forbid()'))

    def test_each_of_the_two_is_enough(self):
        for before, dumped in (
            ('pass', True),
            ('core_dumps.ctypes = Nothing()', False),
            ('core_dumps.resource = Nothing()', False),
        ):
            with self.subTest(before=before):
                self.assertEqual(dumped, self.dumps_core(before))

    def dumps_core(self, before):
        with tempfile.TemporaryDirectory() as folder:
            child = subprocess.Popen(
                [sys.executable, '-c', DIES.format(before=before)], cwd=folder
            )
            _, status = os.waitpid(child.pid, 0)
            child.returncode = status
        self.assertEqual(signal.SIGABRT, os.WTERMSIG(status))
        return os.WCOREDUMP(status)

    def test_where_limits_are_set_by_others_theirs_will_do(self):
        refuse = (
            'resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n'
            'def refuse(*_): raise OSError(1, "forbidden")\n'
            'resource.setrlimit = refuse\n'
            'core_dumps.forbid()'
        )
        self.assertEqual(['0', '0', '0'], self.after(refuse))
