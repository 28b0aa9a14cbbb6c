#!/bin/sh
# LevelDB: bulk load in random order. Published: many many days (200 million keys in 20 hours).
set -eu
. "$(dirname "$0")/settings.sh"

echo "Bulk load database ...."
wbs=$(scaled 268435456 262144); r=$(scaled 1000000000); t=1; vs=800; cs=1048576; of=500000
run "$DB_BENCH_LEVELDB" --benchmarks=fillrandom --num=$r --threads=$t --value_size=$vs --cache_size=$cs --bloom_bits=10 \
  --open_files=$of --db="$DIRECTORY" --compression_ratio=$RATIO --write_buffer_size=$wbs --use_existing_db=0
