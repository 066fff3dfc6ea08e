import { dirname, join } from 'node:path';
import { SkilltapeError } from '../extproc/errors.ts';
import { runChild } from '../extproc/tools/child.ts';
import { resolveTool } from '../extproc/tools/resolve.ts';

/** Checks everything that can be checked without running it: types, style, and the policies with their own tests. */
const root = dirname(import.meta.dirname);
const bin = join(root, 'node_modules', '.bin');
const stepTimeoutMs = 5 * 60_000;

type Step = { name: string; command: string; args: readonly string[]; mustSay?: RegExp };

function steps(opa: string): Step[] {
  return [
    { name: 'tsc', command: join(bin, 'tsc'), args: ['--noEmit'] },
    {
      name: 'biome check',
      command: join(bin, 'biome'),
      args: ['check', '--error-on-warnings', '--config-path=.biome.json'],
    },
    { name: 'opa fmt', command: opa, args: ['fmt', '--fail', '--list', 'policies'] },
    {
      name: 'opa check',
      command: opa,
      args: ['check', '--strict', '--bundle', '--schema', 'policies/schemas', 'policies'],
    },
    // Without a single test opa ends well and says nothing.
    { name: 'opa test', command: opa, args: ['test', 'policies'], mustSay: /^PASS: \d+\/\d+$/m },
  ];
}

async function check(step: Step): Promise<boolean> {
  const started = performance.now();
  const result = await runChild(step.command, step.args, { env: process.env, timeoutMs: stepTimeoutMs, cwd: root });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const output =
    result.kind === 'ended' ? result.output.trimEnd() : result.kind === 'broken' ? result.why : 'not found';
  const ended = result.kind === 'ended' && result.status === 0;
  const passed = ended && (step.mustSay?.test(output) ?? true);
  process.stdout.write(`${passed ? 'ok    ' : 'FAULT '} ${step.name} (${seconds} s)\n`);
  if (!passed) process.stdout.write(`${output === '' ? 'it found nothing to do' : output}\n\n`);
  return passed;
}

try {
  const opa = await resolveTool('opa', { env: process.env });
  let faults = 0;
  for (const step of steps(opa.path)) {
    if (!(await check(step))) faults += 1;
  }
  process.exitCode = faults === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof SkilltapeError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
