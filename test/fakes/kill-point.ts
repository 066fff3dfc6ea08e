/**
 * The place at which a process ends itself by SIGKILL, as far inside a system call as a program can be.
 * - `before` the call, `after` it (what waits for it is never told), or `amid`: of a write a part was taken.
 * - `nth` counts the calls of that kind in that thread, from 1.
 */
export type KillPoint = {
  thread: KillThread;
  operation: KillOperation;
  nth: number;
  moment: 'before' | 'amid' | 'after';
  /** Of a write, how much of it is taken `amid`: 0 to 1. */
  share: number;
  /** Where there are several processes: which of them it is for, and a file that the first one to die makes. */
  among?: { role: KillRole; onceFile: string };
};

export type KillRole = 'primary' | 'worker';

export type KillThread = 'main' | 'shipping';

/** `journal …` is met on segment files, `small …` and `rename` on cursor, lock and key, `index …` on the embedded index. */
export type KillOperation =
  | 'journal create'
  | 'journal write'
  | 'journal sync'
  | 'journal read'
  | 'journal remove'
  | 'small write'
  | 'small sync'
  | 'rename'
  | 'directory sync'
  | 'index begin'
  | 'index row'
  | 'index commit';

/** Read by `kill-preload.ts` in each thread. Not of the product's own, which takes no variables it does not know. */
export const killPointVariable = 'TEST_KILL_POINT';
/** A file that is kept saying how much of each segment is on disk: lines `<folder of the journal>/<file name> <bytes>`. */
export const durableFileVariable = 'TEST_DURABLE_FILE';
