import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { messagesBody } from '../builders/messages-body.ts';
import { startTestGateway } from '../environment/gateway.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

test('the processor can be reached over TCP, by an Envoy with a certificate and by nobody else', async () => {
  const processorPort = await freePort();
  const gateway = await startTestGateway({ processorPort });
  try {
    const answer = await gateway.post(messagesBody('Over TCP'), { authorization: `Bearer ${await gateway.token()}` });
    assert.equal(answer.status, 200, answer.body.toString());
    assert.equal((await gateway.document(answer.exchangeId)).skilltape.outcome, 'complete');
    const stranger = connect({
      host: '127.0.0.1',
      port: processorPort,
      ca: gateway.authorityPem,
      ALPNProtocols: ['h2'],
    });
    // In TLS 1.3 the refusal of a client comes after its own handshake is done.
    const ended = await new Promise((resolve) => {
      stranger.on('error', resolve);
      stranger.on('close', () => resolve('closed'));
      stranger.resume();
    });
    assert.match(String(ended), /certificate required|closed|ECONNRESET/);
  } finally {
    await gateway.stop();
  }
});
