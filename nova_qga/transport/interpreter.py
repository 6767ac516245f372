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

"""Set Python up for a thread that must not wait: the loop's.

It is for the whole process. What it changes was measured with 5,000 guests.
"""

import gc
import sys

#: Seconds for which another thread may go on when the loop's is to run.
#: Python's own 5 ms, at each read and each write, added up to 2 s while
#: notifications were made.
SWITCH = 0.0005
#: Objects that are made, less those that are freed, before the garbage
#: collector looks at the young ones, and how many such looks there are before
#: it looks at older ones. All threads stand still meanwhile: with Python's own
#: 700, 10 and 10, for up to 0.4 s, several times a minute, since each group of
#: guests makes some 1,000 samples. Nearly all is freed without it.
THRESHOLDS = 5_000, 10, 50


def prepare() -> None:
    """Do so."""
    sys.setswitchinterval(SWITCH)
    gc.set_threshold(*THRESHOLDS)
