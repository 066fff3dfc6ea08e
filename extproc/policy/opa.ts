/** Runs OPA's command line over files in a private folder, and reads what it says is wrong with them. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import type { LayoutFault } from './layout.ts';

const opaTimeoutMs = 60_000;
const opaOutputMaxBytes = 1024 * 1024;

export type OpaResult = { ok: true } | { ok: false; output: string };

/**
 * Runs it in the folder `sources` of `staging`, which is the only place it can write to.
 * @throws SkilltapeError `tool_missing` when OPA cannot be run
 */
export function runOpa(opaBinary: string, args: readonly string[], staging: string): Promise<OpaResult> {
  const options = {
    cwd: join(staging, 'sources'),
    // Its collector runs half as often: a fifth of its time, for some megabytes while it runs.
    env: { HOME: staging, TMPDIR: staging, GOGC: '200' },
    timeout: opaTimeoutMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: opaOutputMaxBytes,
  };
  return new Promise((resolve, reject) => {
    execFile(opaBinary, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ ok: true });
      if (typeof error.code === 'number') return resolve({ ok: false, output: (stderr || stdout).trim() });
      const why = error.killed === true ? `gave no answer within ${opaTimeoutMs} ms` : 'cannot be run';
      reject(new SkilltapeError('tool_missing', `${opaBinary} ${why}`, { cause: error }));
    });
  });
}

export async function writeTree(folder: string, files: ReadonlyMap<string, Buffer | string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

const faultsSaidMax = 100;
const reasonMaxChars = 2_000;

/** Faults of files below `directory`, one a line, as `file:line: reason`. */
export function invalid(directory: string, faults: readonly LayoutFault[]): SkilltapeError {
  const lines = faults.slice(0, faultsSaidMax).map(({ path, line, reason }) => {
    const place = path === '' ? directory : `${join(directory, path)}:${line}`;
    return `${place}: ${reason.slice(0, reasonMaxChars)}`;
  });
  if (faults.length > faultsSaidMax) lines.push(`${directory}: and ${faults.length - faultsSaidMax} faults more`);
  return new SkilltapeError('policy_invalid', lines.join('\n'));
}
