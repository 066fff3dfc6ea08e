import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { type ChildResult, lastWords, runChild } from '../../../extproc/tools/child.ts';
import type { PeerName } from './options.ts';
import type { Span } from './quality.ts';

/** What a tool found in each of some documents, and the CPU that it took, of all its threads. */
export type Analysis = { cpuSeconds: number; spans: readonly Span[][] };

/** A tool that can be asked in this run. */
export type Peer = { name: PeerName; version: string; analyse(texts: readonly string[]): Promise<Analysis> };

/** `missing`: what is not there, and how to get it, as one sentence. */
export type PeerState = { kind: 'ready'; peer: Peer } | { kind: 'missing'; name: PeerName; why: string };

const analysisTimeoutMs = 10 * 60_000;

/** Has a program read documents from one file and write what it found to another; what it wrote is given as parsed. */
export async function runAnalysis(
  command: string,
  args: readonly string[],
  texts: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'skilltape-bench-mask-'));
  try {
    const [documents, result] = [join(folder, 'documents.jsonl'), join(folder, 'result.json')];
    await writeFile(documents, texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
    const ended = await runChild(command, [...args, documents, result], { env, timeoutMs: analysisTimeoutMs });
    const why = failure(ended);
    if (why !== undefined) throw new SkilltapeError('tool_missing', `${command} failed: ${why}`);
    return JSON.parse(await readFile(result, 'utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Why a child did not do what it was to do; undefined when it did. */
export function failure(result: ChildResult): string | undefined {
  switch (result.kind) {
    case 'ended':
      return result.status === 0 ? undefined : lastWords(result.output);
    case 'absent':
      return 'there is no such command on PATH';
    case 'broken':
      return result.why;
    default:
      return result satisfies never;
  }
}
