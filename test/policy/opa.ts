/** Runs the OPA that the tests use. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { resolveTool } from '../../extproc/tools/resolve.ts';

/** The policies as they are shipped. */
export const policiesDirectory = fileURLToPath(new URL('../../policies', import.meta.url));

const opa = await resolveTool('opa', { env: process.env });

export function opaBinary(): string {
  return opa.path;
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
