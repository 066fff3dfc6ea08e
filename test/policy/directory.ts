/** Policy directories made for one test. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { SkilltapeError } from '../../extproc/errors.ts';
import type { PolicyBundle } from '../../extproc/policy/bundle.ts';
import { compilePolicies } from '../../extproc/policy/compile.ts';
import { createPolicyEngine, type PolicyEngine } from '../../extproc/policy/engine.ts';
import { opaBinary, policiesDirectory } from './opa.ts';

/** Writes files, by path inside it, into a new directory that is removed after the test. */
export function policyDirectory(t: TestContext, files: Record<string, string | Uint8Array>): string {
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-test-policy-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

/** The least that compiles: each decision is a package with the body given, by default one that allows and keeps. */
export function bareFiles(
  bodies: { access?: string; request?: string; record?: string; console?: string } = {},
): Record<string, string> {
  const allow = 'decision := {"verdict": "allow", "reasons": []}';
  const keep = 'decision := {"keep": "full", "retention_class": "standard", "reasons": []}';
  const limits = '{"values_per_operator_per_hour": 20, "values_per_person_per_hour": 20}';
  const show = `decision := {"verdict": "allow", "reasons": [], "limits": ${limits}}`;
  return {
    'access/access.rego': `package skilltape.access\n\n${bodies.access ?? allow}\n`,
    'request/request.rego': `package skilltape.request\n\n${bodies.request ?? allow}\n`,
    'record/record.rego': `package skilltape.record\n\n${bodies.record ?? keep}\n`,
    'console/console.rego': `package skilltape.console\n\n${bodies.console ?? show}\n`,
  };
}

/** An engine for such files, with the failures that it reported. */
export async function engineOf(
  t: TestContext,
  files: Record<string, string>,
): Promise<{ engine: PolicyEngine; failures: SkilltapeError[] }> {
  const bundle = await compilePolicies({ opaBinary: opaBinary(), directory: policyDirectory(t, files) });
  const failures: SkilltapeError[] = [];
  return { engine: await createPolicyEngine(bundle, { onFailure: (error) => failures.push(error) }), failures };
}

/** The shipped policies with other lists, by their names. What rules look at depends on the lists: they are compiled anew. */
export async function bundleWithLists(t: TestContext, lists: Readonly<Record<string, object>>): Promise<PolicyBundle> {
  const directory = policyDirectory(t, {});
  cpSync(policiesDirectory, directory, { recursive: true });
  for (const [name, list] of Object.entries(lists)) {
    writeFileSync(join(directory, 'lists', name, 'data.json'), JSON.stringify(list));
  }
  return compilePolicies({ opaBinary: opaBinary(), directory });
}
