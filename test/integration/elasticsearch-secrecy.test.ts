import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { sightings } from '../environment/byte-scan.ts';
import { skilltape } from '../environment/command.ts';
import { elasticsearchCall } from '../environment/elasticsearch/call.ts';
import type { TestGateway } from '../environment/gateway.ts';
import { startTestGateway } from '../environment/gateway.ts';
import { lookingCommands, PlantedTraffic } from '../environment/planted-traffic.ts';
import { type SharedElasticsearch, sharedElasticsearch } from '../environment/shared-elasticsearch.ts';
import { waitUntil } from '../environment/wait.ts';

let server: SharedElasticsearch;
let gateway: TestGateway;
let traffic: PlantedTraffic;
const prefix = `secrecy${randomBytes(4).toString('hex')}`;
before(async () => {
  server = await sharedElasticsearch();
  const elasticsearch = { nodes: [server.url], prefix, numberOfReplicas: 0, refreshIntervalMs: 1_000 };
  gateway = await startTestGateway({
    settings: { index: { kind: 'elasticsearch', elasticsearch }, masking: { exchangeBudgetMs: 2 } },
  });
  traffic = new PlantedTraffic(gateway, await gateway.token('alice'), await gateway.token('bob'));
});
after(async () => {
  await gateway?.stop();
  for (const name of await indexNames())
    await elasticsearchCall({ url: server.url, method: 'DELETE', path: `/${name}` });
  await elasticsearchCall({ url: server.url, method: 'DELETE', path: `/_index_template/${prefix}` });
  await server?.stop();
});

async function indexNames(): Promise<string[]> {
  const { text } = await elasticsearchCall({ url: server.url, path: `/_cat/indices/${prefix}-*?format=json&h=index` });
  return (JSON.parse(text) as { index: string }[]).map(({ index }) => index);
}

/** What the cluster stores: the documents and the mapping. */
async function stored(): Promise<Map<string, Buffer>> {
  const asked = async (path: string, body?: unknown) => {
    const { text } = await elasticsearchCall({ url: server.url, method: 'POST', path: `/${prefix}-*/${path}`, body });
    return Buffer.from(text);
  };
  const mapping = await elasticsearchCall({ url: server.url, path: `/${prefix}-*/_mapping` });
  return new Map([
    ['the documents', await asked('_search', { size: 1_000, query: { match_all: {} } })],
    ['the mapping', Buffer.from(mapping.text)],
  ]);
}

function leaksIn(haystacks: ReadonlyMap<string, Buffer>): string[] {
  return Object.entries(traffic.planted).flatMap(([name, value]) =>
    sightings(value, haystacks).map(({ form, place }) => `${name}: ${form} in ${place}`),
  );
}

test('no planted secret is in a document of the cluster, is found in it, or is shown by a command', async () => {
  await traffic.sendEverything();
  await traffic.answerWithSecrets();
  await traffic.sendMore();
  const ids = new Set(traffic.exchanges);
  await waitUntil(
    'all exchanges in the cluster',
    async () => {
      await elasticsearchCall({ url: server.url, method: 'POST', path: `/${prefix}-*/_refresh` });
      const documents = (await stored()).get('the documents')?.toString() ?? '';
      return [...ids].every((id) => documents.includes(id));
    },
    60_000,
  );
  assert.deepEqual(leaksIn(await stored()), []);
  for (const [place, secret] of Object.entries(traffic.planted)) {
    const query = { multi_match: { query: secret, fields: ['gen_ai.*', 'skilltape.*', 'url.*', 'user_agent.*'] } };
    const { text } = await elasticsearchCall({
      ...{ url: server.url, method: 'POST', path: `/${prefix}-*/_count` },
      body: { query: { ...query, multi_match: { ...query.multi_match, operator: 'and', lenient: true } } },
    });
    assert.equal((JSON.parse(text) as { count: number }).count, 0, place);
  }
  const shown = new Map<string, Buffer>();
  for (const command of [...lookingCommands, ['show', traffic.exchanges[0] ?? ''], ['search', '--json', '--noise']]) {
    const { stdout, stderr } = await skilltape(['--config', gateway.configFile, ...command]);
    assert.notEqual(stdout + stderr, '');
    shown.set(`skilltape ${command.join(' ')}`, Buffer.from(stdout + stderr));
  }
  assert.deepEqual(leaksIn(shown), []);
  assert.match(shown.get('skilltape search --masking-failed --noise')?.toString() ?? '', /session/);
});
