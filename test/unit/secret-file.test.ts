import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SkilltapeError } from '../../extproc/errors.ts';
import { openElasticsearchIndex, openElasticsearchSearch } from '../../extproc/index/elasticsearch/open.ts';
import { readCertificates, readSecret } from '../../extproc/secret-file.ts';
import { temporaryDirectory } from '../builders/directory.ts';
import { documentOf } from '../builders/document.ts';

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

test('a file that cannot be used is told to who searches, and keeps documents until it is mended', async (t) => {
  const options = {
    ...{ nodes: ['http://127.0.0.1:1'], prefix: 'p', numberOfReplicas: 0 },
    ...{ refreshIntervalMs: 5_000, requestTimeoutMs: 1_000, caFile: undefined },
  };
  const readable = fileOf(t, 'key', 0o644);
  const search = openElasticsearchSearch({ ...options, credential: { apiKeyFile: readable } });
  const sink = await openElasticsearchIndex(
    { ...options, credential: { apiKeyFile: readable } },
    { keep: () => assert.fail('rejected') },
  );
  t.after(() => Promise.all([search.close(), sink.close()]));
  await assert.rejects(search.get('a'), { code: 'config_invalid', remedy: `chmod 600 ${readable}` });
  const reasonNow = async (): Promise<string> => {
    const [delivery] = await sink.deliver([documentOf()]);
    return delivery?.kind === 'retry' ? delivery.reason : assert.fail(delivery?.kind);
  };
  assert.match(await reasonNow(), /every user of this machine may read .*: chmod 600 /);
  chmodSync(readable, 0o600);
  assert.match(await reasonNow(), /cannot be reached/);
});

test('an authority must be there and be a certificate', (t) => {
  assert.match(
    refusal(() => readCertificates('/nowhere/ca.pem')),
    /cannot be read/,
  );
  assert.match(
    refusal(() => readCertificates(fileOf(t, 'no certificate'))),
    /holds no certificate/,
  );
});
