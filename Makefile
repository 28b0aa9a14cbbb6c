# For hands that know RocksDB's: everything here is an npm script.

.PHONY: check crash_test

# Format, lint, types, build, all tests, and the table of the specification's rows.
check:
	npm run check

# The crash test at length: db_stress, killed again and again.
crash_test:
	npm run crash_test
