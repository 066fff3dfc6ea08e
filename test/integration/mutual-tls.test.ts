import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { messagesBody } from '../builders/messages-body.ts';
import { startTestGateway } from '../environment/gateway.ts';

/** A port that is free together with the next one, where the second worker listens. */
async function freePorts(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const next = createServer().listen(address.port + 1, '127.0.0.1');
  const isFree = await Promise.race([once(next, 'listening').then(() => true), once(next, 'error').then(() => false)]);
  for (const each of isFree ? [server, next] : [server]) await new Promise((resolve) => each.close(resolve));
  return isFree ? address.port : freePorts();
}

const refused = /certificate required|closed|ECONNRESET/;

/** How a connection without a certificate ends. */
async function refusalOfStranger({ authorityPem }: { authorityPem: string }, port: number): Promise<string> {
  const stranger = connect({ host: '127.0.0.1', port, ca: authorityPem, ALPNProtocols: ['h2'] });
  // In TLS 1.3 the refusal of a client comes after its own handshake is done.
  const ended = await new Promise((resolve) => {
    stranger.on('error', resolve);
    stranger.on('close', () => resolve('closed'));
    stranger.resume();
  });
  return String(ended);
}

test('the workers can be reached over TCP, each at its port, by an Envoy with a certificate and by nobody else', async () => {
  const processorPort = await freePorts();
  const gateway = await startTestGateway({ processorPort, workers: 2 });
  try {
    const answer = await gateway.post(messagesBody('Over TCP'), { authorization: `Bearer ${await gateway.token()}` });
    assert.equal(answer.status, 200, answer.body.toString());
    assert.equal((await gateway.document(answer.exchangeId)).skilltape.outcome, 'complete');
    for (const port of [processorPort, processorPort + 1])
      assert.match(await refusalOfStranger(gateway, port), refused);
  } finally {
    await gateway.stop();
  }
});
