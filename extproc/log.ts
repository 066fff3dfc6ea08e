import type { Logger } from 'pino';
import { pino } from 'pino';
import { SkilltapeError } from './errors.ts';

export type Log = Logger;

/**
 * Structured log on standard error. It takes ids, codes, counts and our own words only: what a caller or an upstream
 * wrote has no field here (inv. 6). `err` gives type, code, message, remedy and frames of our errors and of the
 * system's; of other errors, whose messages may quote what they choked on (`JSON.parse` does), all but the message.
 * Each line of a worker process has its number.
 */
export function createLog(level: string, worker?: number): Log {
  const options = {
    level,
    base: { service: 'skilltape', ...(worker !== undefined && { worker }) },
    mixin: (_fields: object, level: number) => (level >= warnLevel ? { guide } : {}),
    serializers: { err: loggedError },
    hooks: { logMethod: withoutBorrowedMessage },
  };
  return pino(options, pino.destination({ fd: 2, sync: false }));
}

/** pino's number of `warn`. */
const warnLevel = 40;
/** Where every line that asks for somebody is explained, by its message. */
const guide = 'docs/operations.md#log-lines';

/** What nobody caught ends the process. Node's own report of it would quote the message, and so what a caller wrote. */
export function endOnFault(log: Log, end: () => void): void {
  process.on('uncaughtException', (err) => {
    log.fatal({ err }, 'a fault that nobody caught: ending');
    end();
  });
}

function loggedError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error;
  const { code, remedy } = error as { code?: unknown; remedy?: unknown };
  return {
    type: error.name,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(isOurWords(error) && { message: error.message }),
    ...(typeof remedy === 'string' && { remedy }),
    frames: framesOf(error),
    ...(error.cause !== undefined && depth < causesMax && { cause: loggedError(error.cause, depth + 1) }),
  };
}

const causesMax = 3;

/** `SkilltapeError.from` takes over the message of what it wraps, and the whole of what is no error. */
function isOurWords(error: Error): boolean {
  if (!(error instanceof SkilltapeError)) return 'errno' in error && 'syscall' in error;
  const { cause } = error;
  if (error.code === 'internal' || (cause !== undefined && !(cause instanceof Error))) return false;
  return cause === undefined || cause.message !== error.message || isOurWords(cause);
}

/** The frames behind the message, which a stack repeats. */
function framesOf({ stack = '', message }: Error): string[] {
  const at = stack.indexOf(message);
  if (at === -1) return [];
  const lines = stack.slice(at + message.length).split('\n');
  return lines.filter((line) => line.startsWith('    at ')).map((line) => line.trim());
}

/** pino makes the message of an error that is logged without words the message of the line. */
function withoutBorrowedMessage(this: Logger, args: unknown[], method: (...args: unknown[]) => void): void {
  method.apply(this, args.length === 1 && typeof args[0] === 'object' ? [args[0], ''] : args);
}
