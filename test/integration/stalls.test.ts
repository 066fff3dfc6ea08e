import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { envoyStat } from '../environment/envoy-stats.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { openSlowStream } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

const MiB = 1024 * 1024;

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.stop());

/** Small requests and large ones, each within all limits, that take long to read or to judge. */
const slowToJudge: { name: string; path: string; status: number; body: () => string | Buffer }[] = [
  {
    name: 'thousands of models in the roster of an agent',
    path: '/v1/agents',
    status: 400,
    body: () =>
      JSON.stringify({
        name: 'a',
        model: 'm',
        multiagent: Array.from({ length: 8_000 }, (_, at) => ({ model: `${at}` })),
      }),
  },
  {
    name: 'thousands of names of tools',
    path: '/v1/messages',
    status: 400,
    body: () =>
      JSON.stringify({
        model: 'm',
        messages: [],
        tools: Array.from({ length: 100_000 }, (_, at) => ({ name: `t${at}` })),
      }),
  },
  {
    name: 'blanks that no JSON ends',
    path: '/v1/messages',
    status: 400,
    body: () => Buffer.concat([Buffer.from('{"model":"m","x":'), Buffer.alloc(40 * MiB, ' ')]),
  },
  {
    name: 'quotes in one long text',
    path: '/v1/messages',
    status: 403,
    body: () =>
      Buffer.concat([Buffer.from('{"messages":[],"model":"'), Buffer.alloc(40_000, '\\"'), Buffer.from('"}')]),
  },
];

test("what one caller sends never takes so long to judge that Envoy ends everybody's streams", async () => {
  const authorization = `Bearer ${await gateway.token('bob')}`;
  const stream = await openSlowStream(gateway, 'the stream of somebody else', { authorization });
  let cut = false;
  void stream.over.then(() => {
    cut = true;
  });
  const caller = { authorization: `Bearer ${await gateway.token('alice')}` };
  for (const { name, path, status, body } of slowToJudge) {
    assert.equal((await gateway.post(body(), caller, path)).status, status, name);
    const before = stream.received().length;
    await waitUntil(`more of the stream after ${name}`, () => cut || stream.received().length > before);
    assert.equal(cut, false, `the stream was cut by ${name}`);
  }
  assert.equal(await envoyStat(gateway.envoy, 'cluster.skilltape.http2.keepalive_timeout'), 0);
  stream.abort();
});
