import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SkilltapeError } from '../../../../extproc/errors.ts';
import { Connection } from '../../../../extproc/index/elasticsearch/connection.ts';
import { readSecret } from '../../../../extproc/index/elasticsearch/secret.ts';
import { temporaryDirectory } from '../../../builders/directory.ts';

function fileOf(t: TestContext, text: string, mode = 0o600): string {
  const file = join(temporaryDirectory(t), 'secret');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    assert.ok(thrown instanceof SkilltapeError && thrown.code === 'config_invalid', String(thrown));
    return thrown.message;
  }
  return assert.fail('it was taken');
}

test('a secret is one line, and its group may read it', (t) => {
  assert.equal(readSecret(fileOf(t, 'a+b/c==\n')), 'a+b/c==');
  assert.equal(readSecret(fileOf(t, 'pass word', 0o640)), 'pass word');
});

test('a secret that others may read, or that is none, is refused without being shown', (t) => {
  assert.match(
    refusal(() => readSecret(fileOf(t, 'hunter2', 0o644))),
    /every user of this machine may read/,
  );
  for (const text of ['', '\n', 'hunter2\nhunter3', 'hunter2\u0000', 'hünter2', 'hunter2'.repeat(2_000)])
    assert.doesNotMatch(
      refusal(() => readSecret(fileOf(t, text))),
      /h.nter/,
    );
  assert.match(
    refusal(() => readSecret('/nowhere/secret')),
    /cannot be read/,
  );
});

test('files that cannot be used are told when the connection is made', (t) => {
  const options = {
    ...{ nodes: ['https://127.0.0.1:1'], prefix: 'p', numberOfReplicas: 0 },
    ...{ refreshIntervalMs: 5_000, requestTimeoutMs: 1_000, credential: null },
  };
  const open = (caFile: string) => () => new Connection({ ...options, caFile });
  assert.match(refusal(open('/nowhere/ca.pem')), /cannot be read/);
  assert.match(refusal(open(fileOf(t, 'no certificate'))), /holds no certificate/);
});
