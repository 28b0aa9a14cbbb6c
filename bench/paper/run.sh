#!/bin/sh
# Runs the eleven command lines in order and prints the table beside the published figures.
#
#   SCALE=1e-5 bench/paper/run.sh [rocksdb|leveldb]...
#
# settings.sh lists what else can be set. RESULTS=FILE keeps the table in a file, too; LOGS=DIR keeps what each line printed.
set -eu
. "$(dirname "$0")/settings.sh"
export SCALE DIRECTORY

logs=${LOGS:-$(mktemp -d -t pumice-paper-logs.XXXXXX)}
mkdir -p "$logs"
if [ $# -eq 0 ]; then set -- rocksdb leveldb; fi

published() {
  case $1 in
    rocksdb-2-*) echo '103 min with both passes, 80 MB/s' ;;
    rocksdb-3-*) echo '36 min, 370 MB/s' ;;
    rocksdb-4-*) echo '56.295 micros/op, 17K ops/s, 13.8 MB/s' ;;
    rocksdb-6-*) echo '8 micros/op, 126K ops/s' ;;
    leveldb-1-*) echo 'many many days' ;;
    leveldb-2-*) echo '91 min, 146 MB/s' ;;
    leveldb-3-*) echo '600 micros/op, 1.6K ops/s, 1.3 MB/s' ;;
    leveldb-5-*) echo '12 micros/op, 83K ops/s' ;;
    *) echo '' ;;
  esac
}

# One row: the report line of the workload, the bytes on disk, and amplification where the program prints it.
row() {
  awk -v name="$1" -v published="$2" -v disk="$(($(du -s -k "$DIRECTORY" | cut -f 1) * 1024))" '
    / micros\/op / {
      for (i = 2; i <= NF; i++) {
        if ($i == "micros/op") micros = $(i - 1)
        if ($i == "ops/sec") ops = $(i - 1)
        if ($i == "seconds") seconds = $(i - 1)
        if ($i == "MB/s") rate = $(i - 1)
      }
    }
    /^Final disk bytes:/ {
      split($0, part, /[:;] */)
      disk = part[2]; space = part[4]; write = part[6]; levels = part[8]
    }
    END { printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", name, seconds, micros, ops, rate, disk, space, write, levels, published }
  ' "$3"
}

table() {
  echo "## Published benchmarks at SCALE=$SCALE, $(date -u +%Y-%m-%d)"
  echo
  echo "Machine: $(uname -srm); $(getconf _NPROCESSORS_ONLN) CPUs;" \
    "$(awk '/^MemTotal/ { printf "%.0f MB", $2 / 1024 }' /proc/meminfo 2>/dev/null || echo unknown) of memory;" \
    "$(df -PT "$logs" 2>/dev/null | awk 'NR == 2 { print $2 " on " $1 }'); memory limit: ${MEMORY_MAX:-none}."
  echo 'Published on: 12 CPUs (24 threads) X5650 at 2.67 GHz, 144 GB, two FusionIO devices, Linux 2.6.38.'
  echo
  echo '| line | seconds | micros/op | ops/s | MB/s | disk bytes | space amp. | write amp. | files by level | published |'
  echo '|---|---|---|---|---|---|---|---|---|---|'
  cat "$logs/rows"
}

: > "$logs/rows"
for kind in "$@"; do
  for script in "$here/$kind"-*.sh; do
    name=$(basename "$script" .sh)
    echo "$name" >&2
    if ! "$script" > "$logs/$name.log" 2>&1; then
      echo "$name failed:" >&2
      tail -n 20 "$logs/$name.log" >&2
      exit 1
    fi
    row "$name" "$(published "$name")" "$logs/$name.log" >> "$logs/rows"
  done
done
table
if [ -n "${RESULTS:-}" ]; then table > "$RESULTS"; fi
