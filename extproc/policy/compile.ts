/** Compiles a policy directory with OPA into a module that is evaluated in this process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { allFaults, checkStaged } from './all-faults.ts';
import { entrypointOf, type PolicyBundle, readBundle, readPlan, type Stage, stages } from './bundle.ts';
import { detectorsIn } from './detectors-list.ts';
import { findLook } from './find-looks.ts';
import { mayLookAtExcerpt, mayLookAtFindings, mayLookAtTotals } from './findings-use.ts';
import { layoutFaults } from './layout.ts';
import type { Look } from './look.ts';
import { invalid, runOpa, writeTree } from './opa.ts';
import type { Plan } from './plan.ts';
import { wordsIn } from './quiet-reasons.ts';
import { schemaFiles } from './schemas.ts';
import { silentFaults } from './silent-faults.ts';
import { type PolicySources, readSources, revisionOf } from './sources.ts';
import { timeZonesIn } from './time-zones.ts';

/**
 * Checks and compiles the policies of a directory. Tests are left out.
 * @throws SkilltapeError `policy_invalid` with file, line and reason; `tool_missing` when OPA cannot be run
 */
export async function compilePolicies(options: CompileOptions): Promise<PolicyBundle> {
  return compileSources(await readSources(options.directory), options);
}

/** `directory` is where the sources were read, to name it in faults. */
export type CompileOptions = { opaBinary: string; directory: string };

/** The same of sources that were read. */
export async function compileSources(
  sources: PolicySources,
  { opaBinary, directory }: CompileOptions,
): Promise<PolicyBundle> {
  // Whoever mends a fault is told of all others at once.
  const refuse = async (): Promise<never> => {
    throw invalid(directory, await allFaults(sources, opaBinary));
  };
  if (layoutFaults(sources.compiled).length > 0 || silentFaults(sources.compiled).length > 0) return refuse();
  const staging = await mkdtemp(join(tmpdir(), 'skilltape-policy-'));
  try {
    const capabilities = await stage(staging, sources);
    const [checked, built, planned] = await Promise.allSettled([
      checkStaged(sources.compiled, capabilities, { opaBinary, staging }),
      build('wasm', { opaBinary, staging, capabilities, directory }),
      build('plan', { opaBinary, staging, capabilities, directory }),
    ]);
    // It names file and line where a build only fails.
    if (checked.status === 'rejected') throw checked.reason;
    if (checked.value.length > 0) return await refuse();
    if (built.status === 'rejected') throw built.reason;
    if (planned.status === 'rejected') throw planned.reason;
    const looksAtFindings = mayLookAtFindings(sources.compiled);
    const { wasm, data } = await readBundle(built.value);
    const looks = await looksOf(await readPlan(planned.value), data);
    const looksAtTotals = mayLookAtTotals(sources.compiled);
    const made = { timeZones: timeZonesIn(data), detectors: detectorsIn(data) };
    const looksAtExcerpt = mayLookAtExcerpt(sources.compiled);
    const ownWords = looksAtExcerpt ? wordsIn([...sources.compiled.values()].join('\n')) : [];
    const looked = { looksAtFindings, looksAtTotals, looksAtExcerpt, ownWords, looks };
    return { wasm, data, revision: revisionOf(sources), ...looked, ...made };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Writes what was read into a private folder: OPA sees the bytes that were hashed, whatever the directory does. */
async function stage(staging: string, sources: PolicySources): Promise<string[]> {
  await writeTree(join(staging, 'sources'), sources.compiled);
  await writeTree(join(staging, 'schemas'), schemaFiles());
  if (sources.capabilities === null) return [];
  await writeFile(join(staging, 'capabilities.json'), sources.capabilities);
  return ['--capabilities', join(staging, 'capabilities.json')];
}

type BuildOptions = CompileOptions & { staging: string; capabilities: readonly string[] };

/** No `-O`: the optimiser of OPA 1.22 fails on the wasm target. */
async function build(target: 'wasm' | 'plan', options: BuildOptions): Promise<string> {
  const { opaBinary, staging, capabilities, directory } = options;
  const archive = join(staging, `${target}.tar.gz`);
  const entrypoints = stages.flatMap((stage) => ['--entrypoint', entrypointOf(stage)]);
  const args = ['build', '--bundle', '--target', target, '--prune-unused', ...capabilities, ...entrypoints];
  const result = await runOpa(opaBinary, [...args, '--output', archive, '.'], staging);
  if (!result.ok) throw invalid(directory, [{ path: '', line: 0, reason: result.output }]);
  return archive;
}

/** One stage at a time: whoever edits a policy while requests come keeps none of them waiting for all. */
async function looksOf(plan: Plan, data: object): Promise<PolicyBundle['looks']> {
  const lookOf = async (stage: Stage): Promise<Look> => {
    await setImmediate();
    return findLook(plan, entrypointOf(stage), data);
  };
  return {
    access: await lookOf('access'),
    request: await lookOf('request'),
    record: await lookOf('record'),
    // Is not remembered: no two questions of it are the same.
    console: 'whole',
  };
}
