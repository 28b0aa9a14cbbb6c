# What the eleven command lines share; each script reads this file first.
#
#   SCALE        part of the published 1,000,000,000 keys; buffers, files and levels shrink with it.   Default 1e-5.
#   DIRECTORY    where the database goes.                                Default: a fixed place below the temporary files.
#   DB_BENCH     the program that runs the lines for RocksDB.                             Default: this package's db_bench.
#   DB_BENCH_LEVELDB   the program that runs the lines for LevelDB.                       Default: this package's db_bench.
#   DROP_FLAGS   flags, with spaces between them, that the program does not know any more.              Default: none.
#   EXTRA_FLAGS  flags to add.                                                                          Default: none.
#   RATIO        compression_ratio.                                                        Default: 50, as published.
#   MEMORY_MAX   memory limit of the program, for a data : memory ratio as published: 400M, say.        Default: none.

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
SCALE=${SCALE:-1e-5}
DIRECTORY=${DIRECTORY:-$(dirname "$(mktemp -u)")/pumice-paper}

if [ -x "$root/node_modules/.bin/tsx" ]; then
  own_db_bench="$root/node_modules/.bin/tsx $root/bench/db-bench/main.ts"
else
  own_db_bench="node $root/dist/bench/db-bench/main.js"
fi
DB_BENCH=${DB_BENCH:-$own_db_bench}
DB_BENCH_LEVELDB=${DB_BENCH_LEVELDB:-$own_db_bench}

RATIO=${RATIO:-50}

# scaled NUMBER [LEAST]: the number times SCALE, not below LEAST (default 1), not above the number itself.
scaled() {
  awk -v n="$1" -v least="${2:-1}" -v scale="$SCALE" \
    'BEGIN { x = int(n * scale + 0.5); if (x < least) x = least; if (x > n) x = n; printf "%.0f", x }'
}

# limited PROGRAM FLAG...: runs the program in MEMORY_MAX bytes, its page cache included.
limited() {
  if command -v systemd-run > /dev/null && [ -d /run/systemd/system ]; then
    systemd-run --scope --quiet -p MemoryMax="$MEMORY_MAX" -- "$@"
    return
  fi
  if [ -d /sys/fs/cgroup/memory ]; then
    group=/sys/fs/cgroup/memory/pumice-paper.$$
    limit=memory.limit_in_bytes
  else
    group=/sys/fs/cgroup/pumice-paper.$$
    limit=memory.max
  fi
  mkdir "$group" && echo "$MEMORY_MAX" > "$group/$limit" || {
    echo "MEMORY_MAX needs systemd-run or a control group that may be made: $group" >&2
    return 1
  }
  status=0
  sh -c 'echo $$ > "$0/cgroup.procs" && exec "$@"' "$group" "$@" || status=$?
  rmdir "$group"
  return $status
}

# run PROGRAM FLAG...: runs the program without the flags that it does not know.
run() {
  program=$1
  shift
  for flag in "$@"; do
    shift
    name=${flag%%=*}
    case " ${DROP_FLAGS:-} " in
      *" ${name#--} "*) ;;
      *) set -- "$@" "$flag" ;;
    esac
  done
  # shellcheck disable=SC2086 # a program may be several words
  if [ -n "${MEMORY_MAX:-}" ]; then
    limited $program "$@" ${EXTRA_FLAGS:-}
  else
    $program "$@" ${EXTRA_FLAGS:-}
  fi
}
