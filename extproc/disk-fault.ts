import { SkilltapeError } from './errors.ts';

type Fault = { reason: string; remedy: string };

const noSpace: Fault = {
  reason: 'no space left on the disk',
  remedy: 'Make room on the disk that holds it (`df` and `df -i` show what is used), or move it to a larger one.',
};
const readOnly: Fault = {
  reason: 'the file system is read-only',
  remedy:
    'Mount it for writing. One that became read-only by itself had a fault: look at the log of the kernel (`dmesg`) and check the disk first.',
};
const denied: Fault = {
  reason: 'permission denied',
  remedy: 'Give it to the user that runs skilltape: directories of its data have mode 700, files 600.',
};
const failing: Fault = {
  reason: 'the disk failed to read or write',
  remedy: 'Look at the log of the kernel (`dmesg`) and at the space left (`df`); repair or replace the disk.',
};
const inTheWay: Fault = {
  reason: 'something else is in its place',
  remedy: 'Move that away, or name another place in skilltape.yaml.',
};

const bySystemCode: Readonly<Record<string, Fault>> = {
  ENOSPC: noSpace,
  EDQUOT: { ...noSpace, reason: 'the disk quota is used up' },
  EROFS: readOnly,
  EACCES: denied,
  EPERM: denied,
  EIO: failing,
  ENOTDIR: inTheWay,
  EEXIST: inTheWay,
};

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html). */
const bySqliteCode: Readonly<Record<number, Fault>> = {
  8: { ...readOnly, reason: 'it is read-only, or its disk is' },
  10: failing,
  13: noSpace,
  14: { ...denied, reason: 'it cannot be opened' },
};

/**
 * What a disk refused, as an operator needs to hear it: `disk_failed` with the place, the reason and the remedy.
 * Undefined for whatever else was thrown, and where neither the error nor the caller knows the place.
 */
export function diskFault(thrown: unknown, path?: string): SkilltapeError | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code, errcode, path: itsOwn, syscall = 'use' } = thrown as SystemError;
  const isSqlite = typeof errcode === 'number';
  // Node makes missing directories above too, and says ENOENT of those that it could not make on such a disk.
  const systemCode = syscall === 'mkdir' && code === 'ENOENT' ? 'EROFS' : code;
  const fault = isSqlite ? bySqliteCode[errcode & 0xff] : bySystemCode[systemCode ?? ''];
  const place = itsOwn ?? path;
  if (fault === undefined || place === undefined) return undefined;
  const said = isSqlite ? `SQLite ${errcode}` : systemCode;
  return new SkilltapeError('disk_failed', `cannot ${syscall} ${place}: ${fault.reason} (${said})`, {
    cause: thrown,
    remedy: fault.remedy,
  });
}

type SystemError = { code?: string; errcode?: unknown; path?: string; syscall?: string };
