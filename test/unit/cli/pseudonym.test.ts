import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pseudonymCommand } from '../../../extproc/cli/pseudonym.ts';
import { keyedHashWith } from '../../../extproc/keyed-hash.ts';
import { pseudonymOf } from '../../../extproc/transcript/shown-person.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { CommandRunner } from './looking-fixture.ts';

const keyedHash = keyedHashWith(new Uint8Array(32).fill(3));
const issuer = 'https://idp.example';

function command(issuers: readonly string[]) {
  return (looking: Parameters<typeof pseudonymCommand>[0]) =>
    pseudonymCommand(looking, { keyedHash: () => keyedHash, issuers: () => issuers });
}

test('the pseudonym of a person is told, and the look is recorded with its reason', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const told = await runner.run(command([issuer]), ['u-1', '--why', 'a request of the works council']);
  assert.equal(told.out, `${pseudonymOf(keyedHash, { issuer, subject: 'u-1' })}\n`);
  assert.deepEqual(
    told.looks.map(({ what, why }) => [what, why]),
    [['pseudonym', 'a request of the works council']],
  );
  assert.match(told.looks[0]?.subject ?? '', /^subject: u-1/);
});

test('where several issuers are configured one has to be named, and nothing is told before', async (t) => {
  const runner = new CommandRunner(temporaryDirectory(t));
  const two = command([issuer, 'https://other.example']);
  const missing = await runner.run(two, ['u-1']);
  assert.match(missing.error, /--issuer is missing\nwrite one of https:\/\/idp\.example, https:\/\/other\.example/);
  assert.deepEqual([missing.out, missing.looks.length], ['', 0]);
  const unknown = await runner.run(two, ['u-1', '--issuer', 'https://third.example']);
  assert.match(unknown.error, /is not configured/);
});
