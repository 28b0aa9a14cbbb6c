/** What the tools say they are. The release named is the one whose command lines, texts and exit codes they follow. */
export const VERSION_TEXT = 'Pumice, after RocksDB 7.8.3';
