import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Proof } from '../../extproc/doctor/live/prove.ts';
import { skilltape } from '../environment/command.ts';
import { startTestGateway, type TestGateway } from '../environment/gateway.ts';

/** `skilltape doctor --live`, beside a gateway that runs and must not notice. */
let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('skilltape-doctor-'));

async function live(
  change: (text: string) => string,
): Promise<{ status: number | null; outcomes: Record<string, string>; text: string }> {
  const file = join(gateway.directory, 'changed', 'envoy.yaml');
  const text = change(readFileSync(join(gateway.directory, 'envoy.yaml'), 'utf8'));
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  const { status, stdout, stderr } = await skilltape(['doctor', '--live', '--json', file]);
  assert.equal(stderr, '');
  const proofs = (JSON.parse(stdout) as { live: Proof[] }).live;
  return { status, outcomes: Object.fromEntries(proofs.map(({ name, outcome }) => [name, outcome])), text: stdout };
}

/** The filter of this name, up to the next one, is gone. */
const without = (name: string) => (text: string) => {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.trim() === `- name: ${name}`);
  const indent = (lines[at] ?? '').indexOf('-');
  const next = lines.findIndex((line, one) => one > at && line.startsWith(`${' '.repeat(indent)}- name:`));
  assert.ok(at > 0 && next > at, name);
  return [...lines.slice(0, at), ...lines.slice(next)].join('\n');
};

test('a running gateway is proven: every broken way to the processor refuses, and the processor answers', async () => {
  const seen = gateway.fake.requestCount();
  const before = leftovers();
  const { status, outcomes, text } = await live((text) => text);
  assert.deepEqual(new Set(Object.values(outcomes)), new Set(['proven']), text);
  assert.equal(Object.keys(outcomes).length, 7);
  assert.equal(status, 0, text);
  assert.equal(gateway.fake.requestCount(), seen);
  assert.deepEqual(leftovers(), before);
  assert.ok(!text.includes('sk-ant'));
});

test('without the lock behind it, a processor that ends its streams lets requests through, and doctor proves it', async () => {
  const { status, outcomes, text } = await live(without('skilltape.released'));
  assert.equal(status, 1);
  assert.equal(outcomes['stream-ended'], 'failed', text);
  assert.equal(outcomes['processor-down'], 'proven', text);
});

test('with failure_mode_allow and no lock, a processor that is down lets requests through, and doctor proves it', async () => {
  const { status, outcomes, text } = await live((text) =>
    without('skilltape.released')(text).replace('failure_mode_allow: false', 'failure_mode_allow: true'),
  );
  assert.equal(status, 1);
  for (const name of ['processor-down', 'cluster-missing', 'socket-unreadable'])
    assert.equal(outcomes[name], 'failed', text);
  assert.equal(outcomes['upstream-counts'], 'proven');
});

test('without keepalive and health check a stopped processor hangs requests, and doctor proves it', async () => {
  const { status, outcomes, text } = await live((text) =>
    text.replace(/^ *connection_keepalive: .*$/m, '').replace(/^ {6}health_checks:\n(?: {8}.*\n)+/m, ''),
  );
  assert.equal(status, 1);
  assert.equal(outcomes['processor-stopped'], 'failed', text);
});
