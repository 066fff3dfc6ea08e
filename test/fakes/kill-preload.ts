/**
 * Loaded with `--import` before the processor, in its main thread and again in each thread that it starts: ends the
 * process at a kill point, and notes what of the journal a power failure could not take. `node:fs` is changed in place:
 * the product looks its functions up at each call.
 */
import fs from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { isMainThread, workerData } from 'node:worker_threads';
import type { KillOperation, KillPoint, KillRole, KillThread } from './kill-point.ts';
import { durableFileVariable, killPointVariable } from './kill-point.ts';

type Done = (error: NodeJS.ErrnoException | null, ...values: unknown[]) => void;
type Loose = Record<string, (...args: unknown[]) => unknown>;

const real = { ...fs } as unknown as Loose;
const patched = fs as unknown as Loose;
const counts = new Map<KillOperation, number>();
/** Paths of open descriptors; only files that matter here. */
const paths = new Map<number, string>();
/** Bytes that each segment has by writes that returned, where it is open for appending. */
const written = new Map<number, number>();
const thread: KillThread | undefined = isMainThread
  ? 'main'
  : Array.isArray((workerData as { journalDirectories?: unknown } | null)?.journalDirectories)
    ? 'shipping'
    : undefined;
const role: KillRole = process.argv[1]?.endsWith('/extproc/worker.ts') === true ? 'worker' : 'primary';

function point(): KillPoint | undefined {
  const text = process.env[killPointVariable];
  const parsed = text === undefined ? undefined : (JSON.parse(text) as KillPoint);
  const isOurs = parsed?.thread === thread && (parsed?.among === undefined || parsed.among.role === role);
  return isOurs ? parsed : undefined;
}

/** A worker that is started again has the same variables as the one that died. */
function isFirst({ among }: KillPoint): boolean {
  if (among === undefined) return true;
  try {
    fs.closeSync(fs.openSync(among.onceFile, 'wx', 0o600));
    return true;
  } catch {
    return false;
  }
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
}

/** Ends the process before the call, or gives what is to be done amid or after it. */
function meet(operation: KillOperation): KillPoint['moment'] | undefined {
  const wanted = point();
  if (wanted?.operation !== operation) return undefined;
  const count = (counts.get(operation) ?? 0) + 1;
  counts.set(operation, count);
  if (count !== wanted.nth || !isFirst(wanted)) return undefined;
  if (wanted.moment === 'before') die();
  return wanted.moment;
}

/** Replaces an asynchronous function of node:fs; `amid` does a part of the work, at once. */
function replace(
  name: string,
  operationOf: (args: unknown[]) => KillOperation | undefined,
  more: { amid?: (args: unknown[]) => void; done?: (args: unknown[], values: unknown[]) => void } = {},
): void {
  patched[name] = (...args: unknown[]) => {
    const operation = operationOf(args);
    const moment = operation === undefined ? undefined : meet(operation);
    if (moment === 'amid' && more.amid !== undefined) {
      more.amid(args);
      die();
    }
    const callback = args.at(-1);
    if (typeof callback !== 'function') return real[name]?.(...args);
    const done: Done = (error, ...values) => {
      if (error === null || error === undefined) more.done?.(args, values);
      if (moment !== undefined) die();
      (callback as Done)(error, ...values);
    };
    return real[name]?.(...args.slice(0, -1), done);
  };
}

const isSegment = (path: string) => path.endsWith('.journal');
const isSmall = (path: string) => path.endsWith('.tmp');
const pathOf = (args: unknown[]) => paths.get(Number(args[0])) ?? '';
const onSegment = (operation: KillOperation) => (args: unknown[]) => (isSegment(pathOf(args)) ? operation : undefined);

replace('open', ([path, flags]) => (isSegment(String(path)) && isCreating(flags) ? 'journal create' : undefined), {
  done: ([path, flags], [descriptor]) => {
    paths.set(Number(descriptor), String(path));
    if (isSegment(String(path)) && isAppending(flags)) {
      written.set(Number(descriptor), fs.fstatSync(Number(descriptor)).size);
    }
  },
});
replace('close', () => undefined, { done: ([descriptor]) => void paths.delete(Number(descriptor)) });
replace('writev', onSegment('journal write'), {
  amid: ([descriptor, buffers]) => {
    const bytes = Buffer.concat(buffers as Uint8Array[]);
    fs.writeSync(Number(descriptor), bytes.subarray(0, Math.floor((point()?.share ?? 0) * bytes.length)));
  },
  done: ([descriptor], [count]) => {
    const before = written.get(Number(descriptor));
    if (before !== undefined) written.set(Number(descriptor), before + Number(count));
  },
});
replace('write', (args) => (isSmall(pathOf(args)) ? 'small write' : undefined), {
  amid: ([descriptor, bytes]) => {
    const all = bytes as Uint8Array;
    fs.writeSync(Number(descriptor), all.subarray(0, Math.floor((point()?.share ?? 0) * all.length)));
  },
});
replace('read', onSegment('journal read'));
replace('fsync', (args) => (isSmall(pathOf(args)) ? 'small sync' : pathOf(args) === '' ? undefined : 'directory sync'));
replace('unlink', ([path]) => (isSegment(String(path)) ? 'journal remove' : undefined));
replace('rename', ([path]) => (isSmall(String(path)) ? 'rename' : undefined));

replace('fdatasync', onSegment('journal sync'));
const killingSync = patched.fdatasync;
patched.fdatasync = (...args: unknown[]) => {
  const descriptor = Number(args[0]);
  // Only what was written before the call is covered by it; a reader syncs what another thread wrote.
  const isSegmentFile = isSegment(pathOf(args));
  const covered = written.get(descriptor) ?? (isSegmentFile ? fs.fstatSync(descriptor).size : undefined);
  const callback = args[1] as Done;
  return killingSync?.(descriptor, ((error, ...values) => {
    if ((error === null || error === undefined) && covered !== undefined) noteDurable(pathOf(args), covered);
    callback(error, ...values);
  }) as Done);
};

function isAppending(flags: unknown): boolean {
  return typeof flags === 'number' && (flags & fs.constants.O_APPEND) !== 0;
}

function isCreating(flags: unknown): boolean {
  return typeof flags === 'number' && (flags & fs.constants.O_CREAT) !== 0;
}

let durableFile: number | undefined;

/** Written before anybody is told that the sync returned; the page cache keeps it when the process is killed. */
function noteDurable(path: string, bytes: number): void {
  const file = process.env[durableFileVariable];
  if (file === undefined || path === '') return;
  durableFile ??= fs.openSync(file, 'a', 0o600);
  fs.writeSync(durableFile, `${basename(dirname(path))}/${basename(path)} ${bytes}\n`);
}

const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
  const operation = sql === 'begin immediate' ? 'index begin' : sql === 'commit' ? 'index commit' : undefined;
  const moment = operation === undefined ? undefined : meet(operation);
  exec.call(this, sql);
  if (moment !== undefined) die();
};

const run = StatementSync.prototype.run as (this: StatementSync, ...values: unknown[]) => never;
StatementSync.prototype.run = function (this: StatementSync, ...values: unknown[]): never {
  const moment = meet('index row');
  const result = run.apply(this, values);
  if (moment !== undefined) die();
  return result;
};
