#!/bin/sh
# LevelDB: bulk load in sequential order. Published: 91 minutes, 146 MB/s, 760 GB on disk.
set -eu
. "$(dirname "$0")/settings.sh"

echo "Load 1B keys sequentially into database....."
wbs=$(scaled 134217728 262144); r=$(scaled 1000000000); t=1; vs=800; cs=1048576; of=500000
run "$DB_BENCH_LEVELDB" --benchmarks=fillseq --num=$r --threads=$t --value_size=$vs --cache_size=$cs --bloom_bits=10 \
  --open_files=$of --db="$DIRECTORY" --compression_ratio=$RATIO --write_buffer_size=$wbs --use_existing_db=0
