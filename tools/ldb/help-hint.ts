/** What is said when a command that needs a database is given none. */
export function helpHint(): string {
  return 'commands MUST specify --db=<full_path_to_db_directory> when necessary; see ldb --help';
}
