/** Everything that a policy directory has to pass before it is put in force. */
import type { PolicyBundle } from './bundle.ts';
import { type CompileOptions, compileSources } from './compile.ts';
import { layoutFaults } from './layout.ts';
import { Rehearsals, type Rehearsed } from './rehearsal.ts';
import { type PassedTests, testSources } from './self-test.ts';
import { silentFaults } from './silent-faults.ts';
import { type PolicySources, readSources } from './sources.ts';

export type CheckedPolicies = { bundle: PolicyBundle; sources: PolicySources; rehearsed: Rehearsed };

/** `passedTests` is remembered from one check to the next, and `rehearsals` are closed by whoever gave them. */
export type CheckOptions = CompileOptions & {
  evaluationMaxMs: number;
  passedTests?: PassedTests;
  rehearsals?: Rehearsals;
};

/** What `checkSources` does, of a directory that is read once. */
export async function checkPolicies(options: CheckOptions): Promise<CheckedPolicies> {
  return checkSources(await readSources(options.directory), options);
}

/**
 * Compiles the policies, runs their own tests, and tries the module in a thread: with exchanges of every
 * form, with such that have to be denied, and with the largest documents within `evaluationMaxMs` of processor time each.
 * @throws SkilltapeError `policy_invalid` with file, line and reason, one fault a line; `tool_missing`
 */
export async function checkSources(sources: PolicySources, options: CheckOptions): Promise<CheckedPolicies> {
  // Refused with all its faults, without the time that tests and a thread take.
  const { compiled: files } = sources;
  if (layoutFaults(files).length > 0 || silentFaults(files).length > 0) await compileSources(sources, options);
  const rehearsals = options.rehearsals ?? new Rehearsals();
  rehearsals.prepare();
  try {
    const compiling = compileSources(sources, options);
    const [compiled, tested, rehearsed] = await Promise.allSettled([
      compiling,
      testSources(sources, options, options.passedTests),
      compiling.then((bundle) => rehearsals.run(bundle, options.evaluationMaxMs)),
    ]);
    // The first of them that failed says most: with file and line, and of what the others only stumble over.
    if (compiled.status === 'rejected') throw compiled.reason;
    if (tested.status === 'rejected') throw tested.reason;
    if (rehearsed.status === 'rejected') throw rehearsed.reason;
    return { bundle: compiled.value, sources, rehearsed: rehearsed.value };
  } finally {
    if (options.rehearsals === undefined) await rehearsals.close();
  }
}
