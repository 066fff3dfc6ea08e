import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenOf } from '../../../extproc/workers/places.ts';

test('the first worker listens where the configuration says, the others beside it', () => {
  const sockets = [1, 2, 10].map((worker) => listenOf({ socket: '/run/skilltape/extproc.sock' }, worker).socket);
  assert.deepEqual(sockets, [
    '/run/skilltape/extproc.sock',
    '/run/skilltape/extproc-2.sock',
    '/run/skilltape/extproc-10.sock',
  ]);
  assert.equal(listenOf({ socket: '/run/a.b/plain' }, 2).socket, '/run/a.b/plain-2');
});

test('over TCP each worker has the next port and the same certificate', () => {
  const tls = { certificateFile: 'c', privateKeyFile: 'k', clientCaFile: 'ca' };
  const listen = { tcp: { address: '10.0.0.5', port: 9443, tls } };
  assert.equal(listenOf(listen, 1), listen);
  assert.deepEqual(listenOf(listen, 3), { tcp: { address: '10.0.0.5', port: 9445, tls } });
});
