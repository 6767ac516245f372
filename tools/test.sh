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
# Set up what tests need, then run everything: lint, types, documentation,
# packaging, unit and functional tests, and those of the Nova extension on
# older Novas. What comes after a failure still runs.
# The last line is the tally over all of it: a check counts as one, and so
# does each test.
#
# Usage: tools/test.sh [lint|unit|functional|matrix]...

set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

case ${1-} in
-h | --help)
    echo "usage: tools/test.sh [lint|unit|functional|matrix]..."
    exit 0
    ;;
esac
for part in "$@"; do
    if [[ ! $part =~ ^(lint|unit|functional|matrix)$ ]]; then
        echo "tools/test.sh: there is no part '$part';" \
            "choose among lint, unit, functional and matrix" >&2
        exit 2
    fi
done
(($#)) || set -- lint unit functional matrix

PASSED=0
FAILED=0
SKIPPED=0
TMP=$(mktemp -d "${TMPDIR:-/tmp}/nova-qga-test.XXXXXX") || exit 1
trap 'rm -rf "$TMP"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
FAILURES=()

# check NAME COMMAND...: run it as one check; its output is shown if it fails.
check() {
    local name=$1 began=$SECONDS status
    shift
    "$@" >"$TMP/check.log" 2>&1 </dev/null
    status=$?
    count "$name" "$status" "$began"
    ((status == 0)) || sed 's/^/  /' "$TMP/check.log"
}

# count NAME STATUS BEGAN: add one check that ended, and say so.
count() {
    local name=$1 status=$2 seconds=$((SECONDS - $3))
    if ((status == 0)); then
        PASSED=$((PASSED + 1))
        printf 'passed   %4d s     %s\n' "$seconds" "$name"
    else
        FAILED=$((FAILED + 1))
        FAILURES+=("$name")
        printf 'failed   %4d s     %s (exit code %d)\n' \
            "$seconds" "$name" "$status"
    fi
}

shell_scripts() {
    git ls-files --cached --others --exclude-standard \
        '*.sh' .ci/run devstack/settings \
        'tools/guest/root/sbin/*' tools/guest/root/etc/init.d/rcS \
        'etc/guest/*/system-generators/*' 'etc/guest/*/post-install.d/*'
}

lint_shell() {
    local scripts
    mapfile -t scripts < <(shell_scripts)
    shellcheck "${scripts[@]}"
}

build_docs() {
    python -m sphinx -q -W --keep-going -b html doc/source "$TMP/html"
}

# In a repository of their own: reno reads the history, and cannot where the
# clone is shallow.
build_release_notes() {
    local repo=$TMP/notes
    mkdir "$repo" && cp -r releasenotes "$repo" || return
    git -C "$repo" init -q && git -C "$repo" add . &&
        git -C "$repo" -c user.name=test -c user.email=test@localhost \
            commit -q -m 'Release notes' || return
    (cd "$repo" && reno -q lint &&
        python -m sphinx -q -W --keep-going -b html \
            releasenotes/source "$TMP/notes-html")
}

generate_config() {
    oslo-config-generator \
        --config-file etc/nova-qga/nova-qga-config-generator.conf \
        --output-file "$TMP/nova-qga.conf.sample" &&
        grep -q '^\[qga_agent\]' "$TMP/nova-qga.conf.sample"
}

# What is committed makes a wheel, with our package and etc/ and no more.
build_wheel() {
    local unwanted wanted data folders=(
        etc/nova-qga etc/ceilometer/meters.d
        etc/ceilometer/gnocchi_resources.d etc/logrotate.d
        etc/grafana etc/prometheus/rules
        lib/systemd/system lib/sysusers.d lib/tmpfiles.d
    )
    git clone -q . "$TMP/clone" &&
        python -m pip wheel -q --no-deps --no-build-isolation \
            -w "$TMP/wheel" "$TMP/clone" || return
    python -m zipfile -l "$TMP"/wheel/*.whl | awk 'NR > 1 {print $1}' \
        >"$TMP/files"
    for wanted in nova_qga/py.typed "${folders[@]/%//}"; do
        if ! grep -q "$wanted" "$TMP/files"; then
            echo "the wheel lacks $wanted"
            return 1
        fi
    done
    data=$(IFS='|' && echo "${folders[*]}")
    unwanted=$(grep -Ev \
        "^nova_qga(/|-[^/]*\.(dist-info|data/data/($data))/)" \
        "$TMP/files")
    if [[ -n $unwanted ]]; then
        echo "the wheel should not have: $unwanted"
        return 1
    fi
}

# Nor has what sdist packs the examples: they are packages of their own.
build_sdist() {
    (cd "$TMP/clone" && python setup.py -q sdist -d "$TMP/sdist") &&
        tar -tzf "$TMP"/sdist/*.tar.gz >"$TMP/files" &&
        grep -q '/nova_qga/py.typed$' "$TMP/files" || return
    if grep '^[^/]*/examples/' "$TMP/files"; then
        echo 'the source distribution has examples'
        return 1
    fi
}

run_lint() {
    check 'ruff check' ruff check .
    check 'ruff format' ruff format --check --diff .
    check 'hacking' flake8 nova_qga examples
    check 'mypy' mypy
    check 'shellcheck' lint_shell
    check 'bashate' bashate -i E005,E006 devstack/plugin.sh devstack/settings
    check 'pre-commit configuration' pre-commit validate-config
    check 'documentation' build_docs
    check 'release notes' build_release_notes
    check 'sample configuration' generate_config
    check 'wheel' build_wheel
    check 'source distribution' build_sdist
}

# run_tests NAME MINUTES [FOLDER]: run the tests of nova_qga/tests/FOLDER.
run_tests() {
    local name=$1 minutes=$2 passed failed skipped
    local path=./nova_qga/tests/${3-$1}
    # A repository of its own leaves a developer's last run alone.
    local stestr=(stestr --test-path "$path" --repo-url "$TMP/$name")
    # More than there are processors: most tests wait for something real.
    local runner=("${stestr[@]}" run --subunit --concurrency 4)
    mkdir "$TMP/$name"
    # Without a repository it lists nothing.
    "${stestr[@]}" init
    if ! "${stestr[@]}" list >/dev/null 2>&1; then
        # stestr runs nothing where one module cannot be imported; this
        # reports that module as failed and runs the others.
        runner=(python -m stestr.subunit_runner.run discover -t . "$path")
    fi
    # The limit is for a hung runner: the tests under way count as failed.
    timeout --kill-after 20 "${minutes}m" "${runner[@]}" \
        </dev/null 2>"$TMP/$name.log" |
        python tools/report_tests.py "$TMP/$name.counts"
    local status=${PIPESTATUS[0]}
    read -r passed failed skipped <"$TMP/$name.counts" ||
        passed=0 failed=1 skipped=0
    if ((status && (failed == 0 || status > 100))); then
        echo "the runner of the $name tests ended with exit code $status"
        ((failed)) || failed=1
    fi
    if ((failed)); then
        FAILURES+=("$name tests: $failed")
        sed 's/^/  /' "$TMP/$name.log"
    fi
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
    SKIPPED=$((SKIPPED + skipped))
}

# The releases beside the one that .venv has.
run_matrix() {
    local release began status folder
    for release in 32 33; do
        began=$SECONDS
        bash tools/setup.sh --nova "$release" </dev/null
        status=$?
        count "setup for Nova $release" "$status" "$began"
        # They would run with the Nova that .venv has.
        ((status == 0)) || continue
        for folder in unit functional; do
            PATH=$PWD/.venv-nova$release/bin:$PATH \
                run_tests "nova$release-$folder" 10 "$folder/nova_extension"
        done
    done
}

export PYTHONUNBUFFERED=1
# Not by check: the first time it takes minutes, and shows what it does.
bash tools/setup.sh --test </dev/null
count 'setup' $? 0
export PATH=$PWD/.venv/bin:$PATH VIRTUAL_ENV=$PWD/.venv

for part in "$@"; do
    echo "== $part"
    case $part in
    lint) run_lint ;;
    unit) run_tests unit 10 ;;
    functional) run_tests functional 40 ;;
    matrix) run_matrix ;;
    esac
done

echo
((FAILED == 0)) || printf 'failed: %s\n' "${FAILURES[@]}"
echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
((FAILED == 0))
