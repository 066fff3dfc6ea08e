import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import type { OperationsServer } from '../../../extproc/operations/http.ts';
import { startOperationsServer } from '../../../extproc/operations/http.ts';

const address = '127.0.0.1';
let server: OperationsServer;
let isReady = true;
let rendered = 0;
let rendering = Promise.resolve('skilltape_ready 1\n');

before(async () => {
  server = await startOperationsServer(
    { address, port: 0 },
    {
      ready: () => ({ ready: isReady, conditions: [] }),
      metrics() {
        rendered += 1;
        return rendering;
      },
    },
  );
});
after(() => server.close());

type Answer = { status: number | undefined; headers: Record<string, unknown>; body: string };

function ask(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: address, port: server.port, path, method, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    call.on('error', reject).end();
  });
}

/** What comes back for these bytes until the server ends the connection. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: address, port: server.port }, () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    socket.on('error', () => {}).on('close', () => resolve(text));
  });
}

test('a process that answers is healthy, whether it is ready or not', async () => {
  isReady = false;
  assert.deepEqual([(await ask('/healthz')).status, (await ask('/readyz')).status], [200, 503]);
  isReady = true;
  assert.deepEqual([(await ask('/healthz')).status, (await ask('/readyz')).status], [200, 200]);
});

test('readiness comes as JSON with its conditions, and is kept by nobody', async () => {
  const { body, headers } = await ask('/readyz?verbose');
  assert.deepEqual(JSON.parse(body), { ready: true, conditions: [] });
  assert.deepEqual([headers['content-type'], headers['cache-control']], ['application/json', 'no-store']);
});

test('the figures come in the format that Prometheus reads', async () => {
  const { body, headers } = await ask('/metrics');
  assert.equal(body, 'skilltape_ready 1\n');
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
});

test('there is nothing else, and nothing that is asked for is said back', async () => {
  for (const path of ['/', '/metrics/', '//metrics', '/READYZ', '/..%2fhealthz', '/<script>']) {
    const { status, body } = await ask(path);
    assert.equal(status, 404, path);
    assert.equal(body, 'There is /healthz, /readyz and /metrics.\n');
  }
});

test('it is for reading only, and HEAD gives what GET gives without a body', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers } = await ask('/metrics', method);
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method);
  }
  const [head, get] = [await ask('/healthz', 'HEAD'), await ask('/healthz')];
  assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', get.headers['content-length']]);
});

test('headers that are too large, and bytes that are no HTTP, are refused', async () => {
  assert.match(await raw(`GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(9_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
  assert.match(await raw('\x16\x03\x01 hello\r\n\r\n'), /^HTTP\/1\.1 400/);
});

test('a connection has one request: a second one behind it is not answered', async () => {
  const get = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
  assert.equal((await raw(get + get)).match(/HTTP\/1\.1/g)?.length, 1);
});

test('many who want the figures at once cost no more than one', async () => {
  const held = Promise.withResolvers<string>();
  rendering = held.promise;
  rendered = 0;
  const asked = Array.from({ length: 8 }, () => ask('/metrics'));
  while (rendered === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await ask('/healthz')).status, 200, 'and nobody waits for them');
  held.resolve('x 1\n');
  assert.ok((await Promise.all(asked)).every(({ body }) => body === 'x 1\n'));
  assert.equal(rendered, 1);
  await ask('/metrics');
  assert.equal(rendered, 2, 'and the next one is told what is so then');
  rendering = Promise.resolve('skilltape_ready 1\n');
});

test('more connections than it takes are refused, and it answers again when they are gone', async () => {
  const sockets = await Promise.all(
    Array.from({ length: 16 }, () => {
      return new Promise<ReturnType<typeof connect>>((resolve) => {
        const socket = connect({ host: address, port: server.port }, () => resolve(socket));
        socket.on('error', () => {});
      });
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  await assert.rejects(ask('/healthz'));
  for (const socket of sockets) socket.destroy();
  let status: number | undefined;
  while (status === undefined)
    status = await ask('/healthz').then(
      (answer) => answer.status,
      () => undefined,
    );
  assert.equal(status, 200);
});

test('a figure that cannot be read is an error without its words', async () => {
  rendering = Promise.reject(new Error('secret'));
  rendering.catch(() => {});
  const { status, body } = await ask('/metrics');
  assert.deepEqual([status, body], [500, 'failed\n']);
  rendering = Promise.resolve('');
});

test('a taken port is a clear error with a way out', async () => {
  await assert.rejects(
    startOperationsServer({ address, port: server.port }, { ready: () => ({ ready: true }), metrics: async () => '' }),
    (error: Error & { code?: string; remedy?: string }) => {
      assert.equal(error.code, 'usage');
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${server.port}.*EADDRINUSE`));
      assert.match(error.remedy ?? '', /operations\.port/);
      return true;
    },
  );
});

test('it ends although somebody holds a connection', async () => {
  const other = await startOperationsServer(
    { address, port: 0 },
    { ready: () => ({ ready: true }), metrics: async () => '' },
  );
  const socket = connect({ host: address, port: other.port });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('connect', resolve));
  await other.close();
  await closed;
});
