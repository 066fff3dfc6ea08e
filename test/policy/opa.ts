/** Runs the OPA that the tests use. */
import { execFile } from 'node:child_process';
import { accessSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The policies as they are shipped. */
export const policiesDirectory = fileURLToPath(new URL('../../policies', import.meta.url));

/** `OPA_BIN`, else `opa` on PATH, else the tool cache. */
export function opaBinary(): string {
  const named = process.env.OPA_BIN;
  if (named !== undefined && named !== '') return named;
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'skilltape/opa-1.22.2');
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), cache];
  const found = folders.map((folder) => join(folder, 'opa')).find(exists);
  if (found === undefined) throw new Error('OPA is missing: set OPA_BIN to its binary');
  return found;
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

export type OpaOutcome = { status: number; output: string };

/** Runs OPA with `input` on its standard input; `output` is both of its streams. */
export function runOpa(args: readonly string[], input = ''): Promise<OpaOutcome> {
  return new Promise((resolve, reject) => {
    const child = execFile(opaBinary(), args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, output: stdout });
      else if (typeof error.code === 'number') resolve({ status: error.code, output: stdout + stderr });
      else reject(error);
    });
    child.stdin?.end(input);
  });
}

/** What `opa eval` says of a query over a policy directory, by default the shipped one. */
export async function evaluate(query: string, input: unknown, directory = policiesDirectory): Promise<unknown> {
  const args = ['eval', '--bundle', directory, '--stdin-input', '--format', 'raw', query];
  const { status, output } = await runOpa(args, JSON.stringify(input));
  if (status !== 0) throw new Error(output);
  return JSON.parse(output);
}
