import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { withWhatIf } from '../../../extproc/cli/whatif.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import type { WhatIf } from '../../../extproc/whatif/what-if.ts';
import { CommandRunner, newRun, type Run } from './looking-fixture.ts';

const step = { from: 'allow', to: 'deny' } as const;
const result: WhatIf = {
  ...{
    judged: 10,
    changed: 2,
    otherRules: 1,
    undecided: 0,
    unopened: 3,
    withoutFindings: 0,
    withoutTotals: 0,
    withoutExcerpt: 0,
  },
  byVerdict: [{ ...step, count: 2 }],
  byRule: [{ ...step, rule: 'request/model_denied', gained: 2, lost: 0 }],
  byPerson: [{ ...step, person: 'ada\u001b[2J', count: 2 }],
  changes: [{ ...step, exchangeId: 'e-1', person: 'ada', gained: ['request/model_denied'], lost: [] }],
};

async function run(given: WhatIf | SkilltapeError, ...args: string[]): Promise<Run & { asked: unknown[] }> {
  const told = newRun();
  const asked: unknown[] = [];
  const whatif = {
    async whatIf(...parts: unknown[]) {
      assert.deepEqual([told.looks.length, told.looks[0]?.what], [1, 'whatif'], 'recorded before it is read');
      asked.push(...parts.slice(0, 2));
      if (given instanceof SkilltapeError) throw given;
      return given;
    },
  };
  const make = (looking: Parameters<typeof withWhatIf>[1]) => withWhatIf(new Command('policy'), looking, whatif);
  await new CommandRunner('').run(make, ['whatif', ...args], told);
  return { ...told, asked };
}

test('it says how many verdicts would change, by rule and person, and which exchanges', async () => {
  const { out, looks, asked, exitCode } = await run(result, '--policies', 'candidate', '--from', '-7d', '--why', 'r');
  assert.match(out, /^10 requests judged again; 2 would have another verdict\.$/m);
  assert.match(out, /^3 are of persons who were erased\.$/m);
  assert.match(out, /^request\/model_denied {2}allow -> deny {2}2 {10}0$/m);
  assert.match(out, /^e-1 {7}allow -> deny {2}\+request\/model_denied$/m);
  assert.ok(!out.includes('\u001b'));
  assert.deepEqual([looks[0]?.subject, looks[0]?.why], ['policies: candidate\nfrom: -7d', 'r']);
  const fromMs = Date.parse('2026-01-13T12:00:00Z');
  assert.deepEqual(asked, [resolve('candidate'), { fromMs, toMs: Number.POSITIVE_INFINITY }]);
  assert.equal(exitCode, 0);
  assert.deepEqual(JSON.parse((await run(result, '--policies', 'x', '--json')).out).byRule, result.byRule);
});

test('faults of the policies are shown, nothing recorded and a wrong command line have statuses of their own', async () => {
  const faulty = await run(new SkilltapeError('policy_invalid', 'a.rego:1: x\nb.rego:2: y'), '--policies', 'x');
  assert.deepEqual([faulty.exitCode, faulty.error], [1, 'a.rego:1: x\nb.rego:2: y\n']);
  assert.equal((await run({ ...result, judged: 0 }, '--policies', 'x')).exitCode, 1);
  assert.equal((await run(result)).exitCode, 2);
  assert.equal((await run(result, '--policies', 'x', '--from', '-1d', '--to', '-2d')).exitCode, 2);
});
