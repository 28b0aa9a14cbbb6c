#!/bin/sh
# LevelDB: random overwrites of what leveldb-2 loaded. Published: 600 micros/op, 1.6K ops/sec, 1.3 MB/s.
set -eu
. "$(dirname "$0")/settings.sh"

echo "Overwriting the 1B keys in database in random order...."
wbs=$(scaled 268435456 262144); r=$(scaled 1000000000); t=1; vs=800; cs=1048576; of=500000
run "$DB_BENCH_LEVELDB" --benchmarks=overwrite --num=$r --threads=$t --value_size=$vs --cache_size=$cs --bloom_bits=10 \
  --open_files=$of --db="$DIRECTORY" --compression_ratio=$RATIO --write_buffer_size=$wbs --use_existing_db=1
