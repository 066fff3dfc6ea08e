import { compilePolicies } from '../../extproc/policy/compile.ts';
import { createPolicyEngine } from '../../extproc/policy/engine.ts';
import { accessVariants, recordDocument, requestDocument } from '../policy/documents.ts';
import { opaBinary, policiesDirectory } from '../policy/opa.ts';
import type { Torture } from './torture.ts';

const MiB = 1024 * 1024;
/** What the runtime itself takes and gives back between two looks. */
const residentGrowthMaxBytes = 32 * MiB;

/** Evaluations of the shipped policies in one instance, whose memory must not grow once it has seen every input. */
export const evaluations: Torture = {
  name: 'evaluations',
  description: 'evaluations of the shipped policies in flat memory; a round is one evaluation',
  roundsDefault: 1_000_000,
  async run({ rounds, progress }) {
    const engine = await createPolicyEngine(
      await compilePolicies({ opaBinary: opaBinary(), directory: policiesDirectory }),
      { remembers: false },
    );
    const evaluate = evaluationsOf(engine);
    const warmUp = Math.max(evaluate.length, Math.floor(rounds / 10));
    const at = (round: number): unknown => evaluate[round % evaluate.length]?.();
    for (let round = 0; round < warmUp; round += 1) at(round);
    const before = { wasm: engine.memoryBytes, resident: residentBytes() };
    const startMs = performance.now();
    for (let round = warmUp; round < rounds; round += 1) {
      at(round);
      if (round % 100_000 === 0) progress(`${round} evaluations, ${Math.round(residentBytes() / MiB)} MiB resident`);
    }
    const tookMs = performance.now() - startMs;
    const grown = { wasm: engine.memoryBytes - before.wasm, resident: residentBytes() - before.resident };
    const violations: string[] = [];
    if (grown.wasm > 0) violations.push(`the memory of the module grew by ${grown.wasm} bytes`);
    if (grown.resident > residentGrowthMaxBytes) violations.push(`the process grew by ${grown.resident} bytes`);
    const microseconds = Math.round((1_000 * tookMs) / Math.max(1, rounds - warmUp));
    return { counts: { rounds, microseconds, wasmBytes: engine.memoryBytes, grownBytes: grown.resident }, violations };
  },
};

function evaluationsOf(engine: Awaited<ReturnType<typeof createPolicyEngine>>): (() => unknown)[] {
  return accessVariants().flatMap((input) => {
    const [request, record] = [requestDocument({ ...input }), recordDocument({ ...input })];
    return [() => engine.access(input), () => engine.request(request), () => engine.record(record)];
  });
}

function residentBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
