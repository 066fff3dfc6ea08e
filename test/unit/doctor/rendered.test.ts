import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envoyFiles } from '../../../extproc/demo/compose/envoy-files.ts';
import { composePlaces } from '../../../extproc/demo/compose/places.ts';
import { examine } from '../../../extproc/doctor/examine.ts';
import { parseSource } from '../../../extproc/doctor/source.ts';
import type { ProcessorAddress } from '../../../extproc/envoy/plan.ts';
import { renderEnvoy } from '../../../extproc/envoy/render.ts';
import { connectionPlan, envoyPlan } from '../../builders/envoy-plan.ts';

function rendered(processors: readonly ProcessorAddress[], connections: readonly string[]): string {
  return renderEnvoy(envoyPlan({ processors, connections: connections.map((name) => connectionPlan(name)) }));
}

const traps = (text: string) => examine(parseSource(text, 'envoy.yaml')).map(({ id, found }) => `${id}: ${found}`);

test('what npm start renders has no trap: several connections, several workers', () => {
  const sockets = [{ socket: '/run/a.sock' }, { socket: '/run/b.sock' }];
  assert.deepEqual(traps(rendered(sockets.slice(0, 1), ['claude'])), []);
  assert.deepEqual(traps(rendered(sockets, ['claude', 'sandbox', 'research'])), []);
});

test('several identity providers, dialects, pinned headers and a shared credential are no trap', () => {
  const { identityProviders } = envoyPlan();
  const [idp] = identityProviders;
  assert.ok(idp);
  const pinnedHeaders = { 'anthropic-workspace-id': 'wrkspc_1' };
  const credential = { file: '/sds/claude_credential.yaml', header: 'authorization' as const };
  const connections = [
    connectionPlan('claude', { pinnedHeaders }),
    connectionPlan('research', { credential, routePrefix: '/a/b' }),
  ];
  const ci = { ...idp, name: 'ci', issuer: 'https://ci.example', jwksUri: 'https://ci.example/keys' };
  assert.deepEqual(traps(renderEnvoy(envoyPlan({ connections, identityProviders: [idp, ci] }))), []);
});

test('the release listener is no trap, of one connection or of several', () => {
  for (const names of [['claude'], ['claude', 'sandbox']]) {
    const connections = names.map((name) => connectionPlan(name));
    const release = { socket: '/run/release.sock', connections };
    assert.deepEqual(traps(renderEnvoy(envoyPlan({ connections, release }))), []);
  }
});

test('what is rendered for a processor over TCP has no trap', () => {
  const files = { certificateFile: '/c.pem', privateKeyFile: '/k.pem' };
  assert.deepEqual(
    traps(
      rendered(
        [{ tcp: { host: '127.0.0.1', port: 9, serverName: 'localhost', caFile: '/ca.pem', ...files } }],
        ['claude'],
      ),
    ),
    [],
  );
});

for (const realKey of [null, 'sk-ant-test']) {
  test(`what docker compose has rendered has no trap, with ${realKey === null ? 'the fake' : 'the real'} Claude`, () => {
    const text = envoyFiles(composePlaces, { realKey, fakeKey: 'fake' })['envoy/envoy.yaml'];
    assert.deepEqual(traps(String(text)), []);
  });
}
