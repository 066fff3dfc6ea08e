import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envoyFiles } from '../../../extproc/demo/compose/envoy-files.ts';
import { composePlaces } from '../../../extproc/demo/compose/places.ts';
import { examine } from '../../../extproc/doctor/examine.ts';
import { parseSource } from '../../../extproc/doctor/source.ts';
import { type ProcessorAddress, renderEnvoy } from '../../../extproc/envoy/render.ts';

const target = { host: '127.0.0.1', port: 9, serverName: 'localhost', caFile: '/ca.pem' };

function rendered(processors: readonly ProcessorAddress[], connections: readonly string[]): string {
  return renderEnvoy({
    listener: { address: '127.0.0.1', port: 0 },
    ...{ adminSocket: '/a.sock', accessLogFile: '/a.log', sdsDirectory: '/sds', processors },
    identityProvider: {
      ...target,
      port: 10,
      issuer: 'https://127.0.0.1:9',
      audience: 'x',
      jwksUri: 'https://127.0.0.1:9/jwks',
    },
    connections: connections.map((name) => ({ name, ...target })),
  });
}

const traps = (text: string) => examine(parseSource(text, 'envoy.yaml')).map(({ id, found }) => `${id}: ${found}`);

test('what npm start renders has no trap: several connections, several workers', () => {
  const sockets = [{ socket: '/run/a.sock' }, { socket: '/run/b.sock' }];
  assert.deepEqual(traps(rendered(sockets.slice(0, 1), ['claude'])), []);
  assert.deepEqual(traps(rendered(sockets, ['claude', 'sandbox', 'research'])), []);
});

test('what is rendered for a processor over TCP has no trap', () => {
  const files = { certificateFile: '/c.pem', privateKeyFile: '/k.pem' };
  assert.deepEqual(traps(rendered([{ tcp: { ...target, ...files } }], ['claude'])), []);
});

for (const realKey of [null, 'sk-ant-test']) {
  test(`what docker compose has rendered has no trap, with ${realKey === null ? 'the fake' : 'the real'} Claude`, () => {
    const text = envoyFiles(composePlaces, { realKey, fakeKey: 'fake' })['envoy/envoy.yaml'];
    assert.deepEqual(traps(String(text)), []);
  });
}
