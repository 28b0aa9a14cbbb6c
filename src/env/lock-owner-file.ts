/**
 * The lock of last resort, where the system's lock call is out of reach: a file `LOCK.owner` that holds the process id
 * and the process's start time. It is stale when no such process runs. On Linux a C++ holder is at least seen, in
 * /proc/locks. Only Pumice heeds this lock.
 *
 * Taking over a stale file must have one winner: whoever creates `LOCK.owner.<stale id>` may remove that owner, and
 * looks again whether it still stands there, for it may hold the token late.
 */
import fs from 'node:fs';

const OWNER_BYTES_MAX = 64;

/** Linux: field 22 of /proc/<pid>/stat; elsewhere unknown, and then a living process with that id counts as the owner. */
function startTimeOf(pid: number): string {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in brackets, which may hold blanks and brackets itself.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function ownId(): string {
  return `${process.pid}-${startTimeOf(process.pid)}`;
}

/** Whether the process that wrote `id` lives. What nobody of us wrote counts as living: a person must look at it. */
function isAlive(id: string): boolean {
  const match = /^(\d{1,10})-(\d{1,20})$/.exec(id);
  if (match === null) return true;
  const pid = Number(match[1]);
  return isRunning(pid) && (match[2] === '0' || startTimeOf(pid) === match[2]);
}

function readOwner(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'latin1').slice(0, OWNER_BYTES_MAX).trim();
  } catch {
    return undefined;
  }
}

function createExclusively(path: string, text: string): boolean {
  try {
    fs.writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the dead owner `id` unless another process is at it. */
function breakStaleOwner(ownerPath: string, id: string): void {
  const token = `${ownerPath}.${id}`;
  if (!createExclusively(token, ownId())) return;
  try {
    if (readOwner(ownerPath) === id) fs.unlinkSync(ownerPath);
  } finally {
    fs.unlinkSync(token);
  }
}

/** `major:minor:inode` as /proc/locks prints it: hexadecimal, hexadecimal, decimal. */
function procLocksName(identity: { dev: bigint; ino: bigint }): string {
  const major = ((identity.dev >> 8n) & 0xfffn) | ((identity.dev >> 32n) & 0xfffff000n);
  const minor = (identity.dev & 0xffn) | ((identity.dev >> 12n) & 0xffffff00n);
  const hex = (part: bigint) => part.toString(16).padStart(2, '0');
  return `${hex(major)}:${hex(minor)}:${identity.ino}`;
}

/** Whether Linux lists a lock on this file. */
function isLockedBySystem(identity: { dev: bigint; ino: bigint }): boolean {
  try {
    return fs.readFileSync('/proc/locks', 'latin1').includes(` ${procLocksName(identity)} `);
  } catch {
    return false;
  }
}

/** Claims the lock file `path`, whose device and inode are `identity`. False when another living process has it. */
export function claimOwnerFile(path: string, identity: { dev: bigint; ino: bigint }): boolean {
  if (isLockedBySystem(identity)) return false;
  const ownerPath = `${path}.owner`;
  if (createExclusively(ownerPath, ownId())) return true;
  const id = readOwner(ownerPath);
  if (id !== undefined && isAlive(id)) return false;
  if (id !== undefined) breakStaleOwner(ownerPath, id);
  return createExclusively(ownerPath, ownId());
}

/** Gives the claim back. */
export function releaseOwnerFile(path: string): void {
  fs.rmSync(`${path}.owner`, { force: true });
}
