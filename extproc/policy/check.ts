/** Everything that a policy directory has to pass before it is put in force. */
import type { PolicyBundle } from './bundle.ts';
import { type CompileOptions, compileSources } from './compile.ts';
import { type Rehearsed, startRehearsal } from './rehearsal.ts';
import { testSources } from './self-test.ts';
import { type PolicySources, readSources } from './sources.ts';

export type CheckedPolicies = { bundle: PolicyBundle; sources: PolicySources; rehearsed: Rehearsed };

export type CheckOptions = CompileOptions & { evaluationMaxMs: number };

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
  const rehearsal = startRehearsal();
  try {
    const trying = compileSources(sources, options).then(async (bundle) => {
      return { bundle, sources, rehearsed: await rehearsal.run(bundle, options.evaluationMaxMs) };
    });
    const [tried, tested] = await Promise.allSettled([trying, testSources(sources, options)]);
    // Tests of what cannot be compiled fail as well, and say less.
    if (tried.status === 'rejected') throw tried.reason;
    if (tested.status === 'rejected') throw tested.reason;
    return tried.value;
  } finally {
    await rehearsal.close();
  }
}
