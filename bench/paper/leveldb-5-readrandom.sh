#!/bin/sh
# LevelDB: random reads, 32 at a time, checksums not verified. Published: 102 hours, 12 micros/op, 83K ops/sec.
set -eu
. "$(dirname "$0")/settings.sh"

echo "Reading the 1B keys in database in random order...."
wbs=$(scaled 268435456 262144); r=$(scaled 1000000000); t=32; vs=800; cs=1048576; of=500000
run "$DB_BENCH_LEVELDB" --benchmarks=readrandom --num=$r --threads=$t --value_size=$vs --cache_size=$cs --bloom_bits=10 \
  --open_files=$of --db="$DIRECTORY" --compression_ratio=$RATIO --write_buffer_size=$wbs --use_existing_db=1
