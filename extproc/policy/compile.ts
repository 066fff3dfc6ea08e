/** Compiles a policy directory with OPA into a module that is evaluated in this process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allFaults, checkStaged } from './all-faults.ts';
import { entrypointOf, type PolicyBundle, readBundle, stages } from './bundle.ts';
import { detectorsIn } from './detectors-list.ts';
import { mayLookAtExcerpt, mayLookAtFindings, mayLookAtTotals } from './findings-use.ts';
import { layoutFaults } from './layout.ts';
import { invalid, runOpa, writeTree } from './opa.ts';
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
    const [checked, built] = await Promise.allSettled([
      checkStaged(sources.compiled, capabilities, { opaBinary, staging }),
      build(opaBinary, staging, capabilities, directory),
    ]);
    // It names file and line where a build only fails.
    if (checked.status === 'rejected') throw checked.reason;
    if (checked.value.length > 0) return await refuse();
    if (built.status === 'rejected') throw built.reason;
    const archive = built.value;
    const looksAtFindings = mayLookAtFindings(sources.compiled);
    const { wasm, data } = await readBundle(archive);
    const looksAtTotals = mayLookAtTotals(sources.compiled);
    const made = { timeZones: timeZonesIn(data), detectors: detectorsIn(data) };
    const looksAtExcerpt = mayLookAtExcerpt(sources.compiled);
    const ownWords = looksAtExcerpt ? wordsIn([...sources.compiled.values()].join('\n')) : [];
    const looks = { looksAtFindings, looksAtTotals, looksAtExcerpt, ownWords };
    return { wasm, data, revision: revisionOf(sources), ...looks, ...made };
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

/** No `-O`: the optimiser of OPA 1.22 fails on the wasm target. */
async function build(opaBinary: string, staging: string, capabilities: string[], directory: string): Promise<string> {
  const archive = join(staging, 'bundle.tar.gz');
  const entrypoints = stages.flatMap((stage) => ['--entrypoint', entrypointOf(stage)]);
  const args = ['build', '--bundle', '--target', 'wasm', '--prune-unused', ...capabilities, ...entrypoints];
  const result = await runOpa(opaBinary, [...args, '--output', archive, '.'], staging);
  if (!result.ok) throw invalid(directory, [{ path: '', line: 0, reason: result.output }]);
  return archive;
}
