import assert from 'node:assert/strict';
import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseDocument, stringify } from 'yaml';
import { routesIn } from '../builders/envoy-plan.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { filesUnder } from '../environment/byte-scan.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway, upstreamKey } from '../environment/gateway.ts';
import { pairs } from '../environment/https-call.ts';
import { findInJournal } from '../environment/journal-view.ts';
import { waitUntil } from '../environment/wait.ts';
import { createAuthority } from '../fakes/certificates.ts';
import { FORGERIES } from '../fakes/identity-provider/sign.ts';
import { type IdentityProvider, startIdentityProvider } from '../fakes/identity-provider.ts';

const shippedPolicies = fileURLToPath(new URL('../../policies', import.meta.url));
const workload = { subject: 'repo:tape:main', name: 'tape', email: '', groups: ['prod'] };
const buildsKey = 'sk-ant-api03-builds-0123456789abcdefghijklmnopqrstuvwxyz';

/** Closed to callers without what the connection's own data asks for; what nothing but data can say is a rule of no more. */
const rule = `# METADATA
# title: A connection may be closed by its data
# scope: package
# schemas:
#   - input: schema.access.input
package skilltape.rules.access.closed

findings contains {"effect": "deny", "message": input.connection.data.closed.because} if {
	not input.identity.kind in input.connection.data.closed.but_for
}
`;

let gateway: TestGateway;
let ci: IdentityProvider;
let gone: IdentityProvider;
let person: string;
let build: string;

before(async () => {
  const authority = await createAuthority('another authority');
  const tls = await authority.issue({ commonName: 'ci', ipAddresses: ['127.0.0.1'] });
  const listen = { host: '127.0.0.1', port: 0 };
  ci = await startIdentityProvider({ listen, tls, users: [workload], audience: 'builds' });
  gone = await startIdentityProvider({ listen, tls, users: [workload], audience: 'builds' });
  await gone.close();
  const provider = ({ issuer, jwksUri }: IdentityProvider) => ({
    ...{ issuer, jwksUri, kind: 'workload', audiences: ['builds', 'other'], caFile: 'ci-ca.pem' },
    claims: { name: 'repository', groups: 'deployment.environments' },
  });
  gateway = await startTestGateway({
    keepBodies: true,
    settings: {
      policies: { directory: 'policies' },
      identityProviders: { ci: provider(ci), gone: provider(gone) },
      connections: {
        claude: { identityProviders: ['idp'] },
        sandbox: {
          ...{ identityProviders: ['idp', 'ci'], recording: 'metadata', limits: { requestBodyMaxBytes: 2_000 } },
          ...{ workspaceId: 'wrkspc_pinned', userProfileId: 'profile-1' },
        },
        builds: {
          ...{ identityProviders: ['ci', 'gone'], routePrefix: '/team/builds', dialect: '2026-10-21' },
          credentialFile: 'sds/builds.yaml',
        },
        closed: {
          identityProviders: ['idp', 'ci'],
          policyData: { closed: { because: 'Builds only, says the data.', but_for: ['workload'] } },
        },
      },
    },
    prepare(directory) {
      cpSync(shippedPolicies, join(directory, 'policies'), { recursive: true });
      mkdirSync(join(directory, 'policies/rules/access/closed'));
      writeFileSync(join(directory, 'policies/rules/access/closed/closed.rego'), rule);
      writeFileSync(join(directory, 'ci-ca.pem'), authority.certificatePem);
      mkdirSync(join(directory, 'sds'), { mode: 0o700 });
      writeCredential(directory, buildsKey);
    },
    changeEnvoyConfig: withBareRoute,
  });
  person = await gateway.token();
  build = await buildToken();
});
after(async () => {
  await gateway?.stop();
  await ci?.close();
});

function buildToken(): Promise<string> {
  const claims = { repository: 'org/tape', deployment: { environments: ['prod', 'eu'] } };
  return ci.token(workload.subject, { claims });
}

function writeCredential(directory: string, key: string): void {
  const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
  const secret = { '@type': type, name: 'builds', generic_secret: { secret: { inline_string: key } } };
  writeFileSync(join(directory, 'sds/builds.new'), stringify({ resources: [secret] }), { mode: 0o600 });
  renameSync(join(directory, 'sds/builds.new'), join(directory, 'sds/builds.yaml'));
}

/** A route as somebody may write it by hand: past ext_proc and past the lock. */
function withBareRoute(text: string): string {
  const document = parseDocument(text, { merge: false });
  const off = { '@type': 'type.googleapis.com/envoy.config.route.v3.FilterConfig', disabled: true };
  const routes = routesIn(document);
  const bare = document.createNode({
    ...{ name: 'bare', match: { prefix: '/bare/' }, route: { cluster: 'upstream_builds', prefix_rewrite: '/' } },
    typed_per_filter_config: { 'envoy.filters.http.ext_proc': off, 'skilltape.released': off },
  });
  routes.items.unshift(bare);
  return document.toString({ lineWidth: 0 });
}

function ask(path: string, token: string, more: Record<string, string> = {}, prompt = 'Hello') {
  return gateway.post(messagesBody(prompt), { authorization: `Bearer ${token}`, ...more }, path);
}

/** The headers of the last request that arrived. */
function arrived(): Record<string, string> {
  return Object.fromEntries(pairs(gateway.fake.requests.at(-1)?.headers ?? []));
}

test('people and workloads are told apart, each with the claims of their provider', async () => {
  const ofPerson = await gateway.document((await ask('/sandbox/v1/messages', person)).exchangeId);
  assert.equal(ofPerson.user?.id, 'alice');
  const prompt = 'built by a workload';
  const ofBuild = await gateway.document((await ask('/sandbox/v1/messages', build, {}, prompt)).exchangeId);
  assert.equal(ofBuild.user?.id, workload.subject);
  const entry = await findInJournal(gateway.dataDirectory, prompt);
  const started = entry?.records.find((record) => record.kind === 'started');
  assert.ok(started?.kind === 'started');
  assert.deepEqual(started.started.identity, {
    ...{ issuer: ci.issuer, subject: workload.subject, kind: 'workload', name: 'org/tape', email: '' },
    groups: ['prod', 'eu'],
  });
});

test('a token counts on the connections of its provider alone, and its header does not matter', async () => {
  const before = gateway.fake.requestCount();
  for (const [path, token] of [
    ['/v1/messages', build],
    ['/team/builds/v1/messages', person],
  ] as const) {
    for (const headers of [{ authorization: `Bearer ${token}` }, { 'x-api-key': token }]) {
      const answer = await gateway.post(messagesBody('Hello'), headers, path);
      assert.equal(answer.status, 401, `${path} ${answer.body}`);
      assert.match(answer.body.toString(), /another issuer/);
      assert.equal((await gateway.document(answer.exchangeId)).skilltape.outcome, 'denied');
    }
  }
  assert.equal(gateway.fake.requestCount(), before);
});

test('forged tokens of either provider are refused where both count', async () => {
  const before = gateway.fake.requestCount();
  for (const kind of FORGERIES) {
    for (const [provider, subject] of [
      [gateway.identityProvider, 'alice'],
      [ci, workload.subject],
    ] as const) {
      const answer = await ask('/sandbox/v1/messages', await provider.forge({ kind, subject }));
      assert.equal(answer.status, 401, `${kind} ${answer.body}`);
      assert.match(answer.body.toString(), /The token was refused/);
      const { skilltape, user } = await gateway.document(answer.exchangeId);
      assert.deepEqual([skilltape.outcome, user], ['denied', null], kind);
    }
  }
  assert.equal((await ask('/sandbox/v1/messages', 'garbage')).status, 401);
  const audience = await ci.token(workload.subject, { audience: 'skilltape' });
  assert.equal((await ask('/sandbox/v1/messages', audience)).status, 401, "another provider's audience");
  assert.equal(gateway.fake.requestCount(), before);
});

test('tokens of two providers at once are two credentials', async () => {
  const before = gateway.fake.requestCount();
  const answer = await ask('/sandbox/v1/messages', person, { 'x-api-key': build });
  assert.equal(answer.status, 401);
  assert.match(answer.body.toString(), /`authorization` and `x-api-key`/);
  assert.equal(gateway.fake.requestCount(), before);
});

test('more than one token in the value of a header is two credentials, in whichever way they stand there', async () => {
  const bob = await gateway.token('bob');
  const values = [
    ...[`Bearer ${person} bearer ${bob}`, `bearer ${bob} Bearer ${person}`, `bearer ${bob};Bearer ${person}`],
    ...[`bearer ${build} Bearer ${person}`, `Bearer ${bob} ${person}`, `Basic eDp5 Bearer ${person}`],
    ...[`bearer Bearer ${person}`, `Bearer Bearer ${person}`, `Bearer x\tBearer ${person}`, `Bearer ${bob},${person}`],
  ];
  const before = gateway.fake.requestCount();
  for (const authorization of values) {
    for (const key of [{}, { 'x-api-key': person }]) {
      const answer = await gateway.post(messagesBody('Hello'), { authorization, ...key }, '/sandbox/v1/messages');
      assert.equal(answer.status, 401, `${authorization.slice(0, 20)} ${answer.body}`);
      assert.match(answer.body.toString(), /`authorization` and `x-api-key`/);
      assert.equal((await gateway.document(answer.exchangeId)).user, null);
    }
  }
  const twice = await gateway.post(messagesBody('Hello'), { 'x-api-key': `${bob} ${person}` }, '/sandbox/v1/messages');
  assert.equal(twice.status, 401);
  assert.equal(gateway.fake.requestCount(), before);
  // One blank or several (RFC 9110, section 11.4).
  assert.equal((await ask('/sandbox/v1/messages', `  ${person}`)).status, 200);
});

test('while the keys of a provider cannot be fetched its tokens are refused, and the others go on', async () => {
  const before = gateway.fake.requestCount();
  const token = await gone.token(workload.subject, { audience: 'builds' });
  const answer = await ask('/team/builds/v1/messages', token);
  assert.equal(answer.status, 401, answer.body.toString());
  assert.match(answer.body.toString(), /The token was refused \(Jwks remote fetch is failed\)/);
  assert.equal((await gateway.document(answer.exchangeId)).skilltape.outcome, 'denied');
  assert.equal(gateway.fake.requestCount(), before);
});

test('each connection has its own credential in the header of its dialect, and the next request has a new one', async () => {
  await ask('/team/builds/v1/messages', build);
  assert.deepEqual([arrived().authorization, arrived()['x-api-key']], [`Bearer ${buildsKey}`, undefined]);
  await ask('/sandbox/v1/messages', build);
  assert.deepEqual([arrived().authorization, arrived()['x-api-key']], [undefined, upstreamKey]);
  writeCredential(gateway.directory, upstreamKey);
  await waitUntil('the new credential at the upstream', async () => {
    return (await ask('/team/builds/v1/messages', build)).status === 200;
  });
  assert.equal(arrived().authorization, `Bearer ${upstreamKey}`);
});

test('a credential is in no file but its own', () => {
  const holders = [...filesUnder(gateway.directory, /(?!)/)].filter(([, bytes]) =>
    [buildsKey, upstreamKey].some((key) => bytes.includes(key)),
  );
  assert.deepEqual(holders.map(([file]) => file).toSorted(), ['sds/builds.yaml', 'sds/claude_credential.yaml']);
});

test('a route that passes skilltape by has no credential, even one to the same upstream', async () => {
  await ask('/bare/v1/messages', build);
  const { authorization, 'x-api-key': key } = arrived();
  assert.deepEqual([authorization, key], [undefined, undefined]);
});

test('workspace and profile are those of the connection, and the record says so', async () => {
  const own = { 'anthropic-workspace-id': 'wrkspc_other', 'anthropic-user-profile-id': 'other' };
  const { status } = await ask('/sandbox/v1/messages', person, own, 'pinned here');
  assert.equal(status, 200);
  const { 'anthropic-workspace-id': workspace, 'anthropic-user-profile-id': profile } = arrived();
  assert.deepEqual([workspace, profile], ['wrkspc_pinned', 'profile-1']);
  const entry = await findInJournal(gateway.dataDirectory, 'pinned here');
  const started = entry?.records.find((record) => record.kind === 'started');
  assert.ok(started?.kind === 'started');
  assert.deepEqual(
    started.started.headers.filter(([name]) => name.startsWith('anthropic-w')),
    [['anthropic-workspace-id', 'wrkspc_pinned']],
  );
  await ask('/v1/messages', person, own);
  assert.equal(arrived()['anthropic-workspace-id'], 'wrkspc_other', 'not pinned on this one');
});

test('a connection keeps metadata only, has a limit of its own, and is judged by its own data', async () => {
  const kept = await gateway.document((await ask('/sandbox/v1/messages', person, {}, 'unreadable')).exchangeId);
  assert.doesNotMatch(JSON.stringify(kept), /unreadable/);
  const large = 'x'.repeat(2_500);
  assert.equal((await ask('/sandbox/v1/messages', person, {}, large)).status, 413);
  assert.equal((await ask('/v1/messages', person, {}, large)).status, 200);
  const closed = await ask('/closed/v1/messages', person);
  assert.equal(closed.status, 403);
  assert.match(closed.body.toString(), /Builds only, says the data\./);
  assert.equal((await ask('/closed/v1/messages', build)).status, 200);
});
