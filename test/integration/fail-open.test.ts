import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { messagesBody } from '../builders/messages-body.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { httpsCall } from '../environment/https-call.ts';
import { openCall } from '../environment/raw-call.ts';
import { claudeError } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';
import { withoutRelease } from '../fakes/misbehaviour.ts';

const serveScript = fileURLToPath(new URL('../fakes/serve-misbehaving.ts', import.meta.url));

let gateway: TestGateway;
let headers: { authorization: string };
before(async () => {
  gateway = await startTestGateway({ serveScript });
  headers = { authorization: `Bearer ${await gateway.token()}` };
});
after(() => gateway.stop());

function behave(name: string): void {
  writeFileSync(join(gateway.directory, 'behaviour'), name);
}

/** The processor is there and releases what it gets, so that a refusal afterwards has its reason in the behaviour alone. */
async function standsHonestly(): Promise<void> {
  behave('honest');
  await waitUntil('an honest answer', async () => {
    // A processor that ends itself may do so a moment after its last word.
    const { exitCode, signalCode } = gateway.processor.process;
    if (exitCode !== null || signalCode !== null) await gateway.restartProcessor();
    return (await gateway.post(messagesBody('honest'), headers)).status === 200;
  });
}

type End = { status: number | null; over: 'ended' | 'cut' | 'open' };

/** Long enough for what goes wrong to have gone wrong; a request that hangs is not refused, but it is not upstream either. */
const hangsAfterMs = 2_000;

/** How a request ends, or that it still hangs. */
async function endOf(call: ReturnType<typeof openCall>): Promise<End> {
  const status = call.head.then(
    (head) => head.status,
    () => null,
  );
  let timer: NodeJS.Timeout | undefined;
  const open = new Promise<'open'>((resolve) => {
    timer = setTimeout(() => resolve('open'), hangsAfterMs);
  });
  const over = await Promise.race([call.over, open]);
  clearTimeout(timer);
  call.abort();
  return { status: await status, over };
}

const requests: { name: string; hasBody: boolean; send: () => ReturnType<typeof openCall> }[] = [
  {
    name: 'a request with a body',
    hasBody: true,
    send: () => {
      const call = openCall(gateway, { headers });
      call.end(messagesBody('x'.repeat(100_000)));
      return call;
    },
  },
  {
    name: 'a request without one',
    hasBody: false,
    send: () => {
      const call = openCall(gateway, { headers, path: '/v1/models', method: 'GET' });
      call.end();
      return call;
    },
  },
];

for (const name of Object.keys(withoutRelease)) {
  test(`${name}: nothing of a request reaches the upstream, and the caller is not told otherwise`, async () => {
    // What has no body never comes to the moment at which a body is met.
    const met = requests.filter(({ hasBody }) => hasBody || !name.endsWith('request_body'));
    for (const request of met) {
      await standsHonestly();
      behave(name);
      const upstreamRequests = gateway.fake.requestCount();
      const end = await endOf(request.send());
      // The honest request comes behind whatever Envoy still had to do.
      await standsHonestly();
      assert.equal(gateway.fake.requestCount(), upstreamRequests + 1, request.name);
      // Envoy makes a 200 without a body of it.
      const isRefused = end.status === null || end.status >= 400 || name === 'a local reply with status 0';
      assert.ok(isRefused, `${request.name}: ${JSON.stringify(end)}`);
    }
  });
}

test('what the lock behind the processor stops is an overload to the caller, in the form that its client reads', async () => {
  await standsHonestly();
  behave('a clean end at request_headers');
  const { status, headers: answered, body } = await gateway.post(messagesBody('unreleased'), headers);
  assert.equal(status, 503);
  assert.match(claudeError(body, answered.get('content-type'), ['api_error']), /could not record this request/);
});

for (const how of ['a clean end', 'an error', 'death']) {
  test(`half a release, then ${how}: what went upstream is never a whole request`, async () => {
    await standsHonestly();
    behave(`half a release, then ${how}`);
    const upstreamRequests = gateway.fake.requestCount();
    const call = openCall(gateway, { headers });
    call.end(messagesBody('y'.repeat(100_000)));
    const end = await endOf(call);
    assert.notEqual(end.status, 200);
    for (const arrival of gateway.fake.requests.slice(upstreamRequests)) assert.equal(arrival.bodySha256, undefined);
  });
}

test('a socket that is gone, or that Envoy may not open: nothing reaches the upstream', async () => {
  for (const spoil of [() => rmSync(gateway.processorSocket), () => chmodSync(gateway.processorSocket, 0)]) {
    await standsHonestly();
    // A connection that stands goes on without the file: only a new one needs it.
    gateway.processor.process.kill('SIGKILL');
    await gateway.processor.exited;
    spoil();
    const upstreamRequests = gateway.fake.requestCount();
    const { status } = await httpsCall(gateway, { headers: Object.entries(headers), body: messagesBody('no socket') });
    assert.equal(status, 503);
    assert.equal(gateway.fake.requestCount(), upstreamRequests);
  }
});
