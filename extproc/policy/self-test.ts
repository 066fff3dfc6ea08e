/** Runs the tests that stand beside the rules of a policy directory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CompileOptions } from './compile.ts';
import type { LayoutFault } from './layout.ts';
import { invalid, runOpa, writeTree } from './opa.ts';
import { digestOf, type PolicySources, testedListPath } from './sources.ts';

/** What passed its tests last, by a digest of all files that they are run with. */
export type PassedTests = { digest: string | null };

/**
 * Where there is no test there is nothing to fail, and what passed before is not tested again: an edit of a list that the
 * tests do not see comes in force sooner.
 * @throws SkilltapeError `policy_invalid` with file, line and name of each test that failed or cannot be read
 */
export async function testSources(
  sources: PolicySources,
  { opaBinary, directory }: CompileOptions,
  passed: PassedTests = { digest: null },
): Promise<void> {
  if (sources.tests.size === 0) return;
  const files = testedFiles(sources);
  const digest = digestOf(files);
  if (digest === passed.digest) return;
  const outputs = await Promise.all(testRuns(files).map((run) => outputOf(run, opaBinary)));
  const failed = outputs.filter((output) => output !== null);
  if (failed.length === 0) {
    passed.digest = digest;
    return;
  }
  const faults = failed.flatMap((output) => [...failedTests(output), ...unreadableTests(output)]);
  const distinct = [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
  throw invalid(directory, distinct.length > 0 ? distinct : [{ path: '', line: 0, reason: failed.join('\n') }]);
}

type TestRun = { files: ReadonlyMap<string, Buffer>; args: readonly string[] };

const rulePackage = /^package skilltape\.rules\./m;

/**
 * A decision looks at all packages of its rules, and OPA evaluates the tests among them each time: the tests of
 * decisions run without them, and those of rules beside, by their names. Each test runs, whatever its package.
 */
function testRuns(files: ReadonlyMap<string, Buffer>): TestRun[] {
  const isRuleTest = ([path, content]: readonly [string, Buffer]) =>
    path.endsWith('_test.rego') && rulePackage.test(content.toString('utf8'));
  const others = new Map([...files].filter((file) => !isRuleTest(file)));
  const needsThem = [...others.values()].some((content) => /\brules\b[\w.[\]"]*_test\b/.test(content.toString('utf8')));
  if (others.size === files.size || needsThem) return [{ files, args: [] }];
  return [
    { files: others, args: [] },
    { files, args: ['--run', '^data\\.skilltape\\.rules\\.'] },
  ];
}

/** What OPA says is wrong; null where all tests passed. */
async function outputOf({ files, args }: TestRun, opaBinary: string): Promise<string | null> {
  const staging = await mkdtemp(join(tmpdir(), 'skilltape-policy-test-'));
  try {
    await writeTree(join(staging, 'sources'), files);
    const result = await runOpa(opaBinary, ['test', '--bundle', '--format', 'json', ...args, '.'], staging);
    return result.ok ? null : result.output;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** The lists are those that the tests were written for; a list that has no such copy is taken as it is. */
function testedFiles({ compiled, tests }: PolicySources): Map<string, Buffer> {
  const files = new Map([...compiled, ...tests]);
  for (const [path, content] of tests) {
    const list = testedListPath.exec(path)?.[1];
    if (list !== undefined && compiled.has(`lists/${list}/data.json`)) files.set(`lists/${list}/data.json`, content);
  }
  return files;
}

type TestResult = { name?: unknown; fail?: unknown; error?: unknown; location?: { file?: unknown; row?: unknown } };

function failedTests(output: string): LayoutFault[] {
  let results: unknown;
  try {
    results = JSON.parse(output);
  } catch {
    return [];
  }
  if (!Array.isArray(results)) return [];
  return results.flatMap(({ name, fail, error, location }: TestResult) => {
    if (fail !== true && error === undefined) return [];
    const how = error === undefined ? 'fails' : 'ends with an error';
    const path = String(location?.file ?? '').replace(/^\/+/, '');
    return [{ path, line: Number(location?.row ?? 0), reason: `the test ${String(name)} ${how}` }];
  });
}

/** Before it runs any test, OPA says what it cannot read in lines of their own. */
function unreadableTests(output: string): LayoutFault[] {
  return [...output.matchAll(/(?:^|\s)(\S+\.(?:rego|json)):(\d+): (.+)$/gm)].map((found) => ({
    path: (found[1] ?? '').replace(/^\/+/, ''),
    line: Number(found[2]),
    reason: found[3] ?? '',
  }));
}
