import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { Busboy } from '@fastify/busboy';
import { authorizationOf, importIntoKibana, type KibanaTarget } from '../../../extproc/cli/kibana-import.ts';
import { SkilltapeError } from '../../../extproc/errors.ts';
import { temporaryDirectory } from '../../builders/directory.ts';
import { createAuthority } from '../../fakes/certificates.ts';

type Received = {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  field: string;
  fileName: string;
  file: string;
};
type Answer = { status: number; body: unknown };

const done: Answer = { status: 200, body: { success: true, successCount: 5, successResults: [], warnings: [] } };

/** A Kibana that answers in turn, and with the last answer from then on. */
async function startKibana(test: TestContext, answers: Answer[], tls?: { cert: string; key: string }) {
  const received: Received[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    received.push(await readForm(request));
    const { status, body } = answers.length > 1 ? (answers.shift() ?? done) : (answers[0] ?? done);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  test.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, received };
}

async function readForm(request: IncomingMessage): Promise<Received> {
  const { method = '', url = '', headers } = request;
  const form = Busboy({ headers: headers as { 'content-type': string } });
  const found = { field: '', fileName: '', file: '' };
  const files: Promise<void>[] = [];
  form.on('file', (field, stream, fileName) => {
    files.push(readText(stream).then((file) => void Object.assign(found, { field, fileName, file })));
  });
  request.pipe(form);
  await once(form, 'finish');
  await Promise.all(files);
  return { method, url, headers, ...found };
}

function targetOf(url: string, more: Partial<KibanaTarget> = {}): KibanaTarget {
  return { url, space: null, authorization: 'ApiKey a2V5', ca: undefined, waitMs: 20_000, retryIntervalMs: 1, ...more };
}

function isFault(code: string, about: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SkilltapeError);
    assert.equal(error.code, code);
    assert.match(error.message, about);
    assert.notEqual(error.remedy ?? '', '');
    return true;
  };
}

test('the objects go to Kibana as one uploaded file, over those that are there', async (t) => {
  const { url, received } = await startKibana(t, [done]);
  assert.equal(await importIntoKibana('{"id":"ä"}\n', targetOf(url)), 5);
  const [request, ...more] = received;
  assert.equal(more.length, 0);
  assert.equal(request?.method, 'POST');
  assert.equal(request?.url, '/api/saved_objects/_import?overwrite=true');
  assert.equal(request?.headers['kbn-xsrf'], 'skilltape');
  assert.equal(request?.headers.authorization, 'ApiKey a2V5');
  assert.deepEqual([request?.field, request?.file], ['file', '{"id":"ä"}\n']);
  assert.match(request?.fileName ?? '', /\.ndjson$/);
});

test('a space has its own address', async (t) => {
  const { url, received } = await startKibana(t, [done]);
  await importIntoKibana('{}\n', targetOf(`${url}/base`, { space: 'audit' }));
  assert.equal(received[0]?.url, '/base/s/audit/api/saved_objects/_import?overwrite=true');
});

test('a Kibana that is starting is waited for', async (t) => {
  const starting = { status: 503, body: { message: 'Kibana server is not ready yet' } };
  const { url, received } = await startKibana(t, [starting, done]);
  assert.equal(await importIntoKibana('{}\n', targetOf(url)), 5);
  assert.equal(received.length, 2);
});

test('a Kibana that does not get ready ends the waiting with its last answer', async (t) => {
  const { url } = await startKibana(t, [{ status: 503, body: {} }]);
  await assert.rejects(importIntoKibana('{}\n', targetOf(url, { waitMs: 0 })), isFault('index_failed', /status 503/));
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const gone = targetOf(`http://127.0.0.1:${port}`, { waitMs: 0 });
  await assert.rejects(importIntoKibana('{}\n', gone), isFault('index_failed', /cannot be reached/));
});

test('what Kibana refuses is told at once, with its words', async (t) => {
  const refusals: [Answer, RegExp][] = [
    [{ status: 401, body: { message: 'unable to authenticate' } }, /401: unable to authenticate/],
    [{ status: 403, body: { message: 'Unable to bulk_create dashboard' } }, /403: Unable to bulk_create dashboard/],
    [{ status: 302, body: {} }, /302/],
    [
      { status: 200, body: { success: false, errors: [{ id: 'x', error: { type: 'missing_references' } }] } },
      /missing_references/,
    ],
    [{ status: 200, body: 'a page of something else' }, /status 200/],
  ];
  for (const [answer, about] of refusals) {
    const { url, received } = await startKibana(t, [answer]);
    await assert.rejects(importIntoKibana('{}\n', targetOf(url)), isFault('usage', about));
    assert.equal(received.length, 1);
  }
});

test('Kibana must show a certificate of the authority that is named', async (t) => {
  const authority = await createAuthority('test authority');
  const { certificatePem, privateKeyPem } = await authority.issue({ commonName: 'kibana', ipAddresses: ['127.0.0.1'] });
  const { url, received } = await startKibana(t, [done], { cert: certificatePem, key: privateKeyPem });
  await assert.rejects(importIntoKibana('{}\n', targetOf(url)), isFault('usage', /cannot be talked to/));
  assert.equal(received.length, 0);
  assert.equal(await importIntoKibana('{}\n', targetOf(url, { ca: authority.certificatePem })), 5);
});

test('a credential is read from files that other users of the machine may not read', (t) => {
  const file = (name: string, content: string, mode = 0o600): string => {
    const path = join(directory, name);
    writeFileSync(path, content, { mode });
    return path;
  };
  const directory = temporaryDirectory(t);
  const usernameFile = file('user', 'import\n');
  assert.equal(authorizationOf({ apiKeyFile: file('key', 'a2V5\n') }), 'ApiKey a2V5');
  const basic = authorizationOf({ usernameFile, passwordFile: file('password', 'secret') });
  assert.equal(basic, `Basic ${Buffer.from('import:secret').toString('base64')}`);
  assert.throws(
    () => authorizationOf({ apiKeyFile: file('open', 'a2V5', 0o644) }),
    isFault('config_invalid', /may read/),
  );
});
