import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { mappingVersion } from '../../extproc/index/elasticsearch/mapping.ts';
import type { ExchangeDocument } from '../../extproc/transcript/document.ts';
import { messagesBody } from '../builders/messages-body.ts';
import { type CommandResult, skilltape } from '../environment/command.ts';
import { type ElasticsearchSystem, startElasticsearchSystem } from '../environment/elasticsearch-system.ts';
import { openSlowStream } from '../environment/traffic.ts';
import { waitUntil } from '../environment/wait.ts';

/** The whole system with Elasticsearch, from its first start without a cluster on. The tests build on each other. */

let system: ElasticsearchSystem;
/** Every exchange that was answered. */
const sent: string[] = [];
before(async () => {
  system = await startElasticsearchSystem();
});
after(() => system?.stop());

type Ask = { as?: string; path?: string; more?: Record<string, unknown> };

async function ask(text: string, { as = 'alice', path = '/v1/messages', more = {} }: Ask = {}) {
  const headers = { authorization: `Bearer ${await system.gateway.token(as)}` };
  const answer = await system.gateway.post(messagesBody(text, more), headers, path);
  assert.equal(answer.status, 200, answer.body.toString());
  sent.push(answer.exchangeId);
  return { ...answer, session: answer.headers.get('x-skilltape-session') ?? '' };
}

async function askMany(count: number, text: string): Promise<void> {
  const left = Array.from({ length: count }, (_, number) => `${text} ${number}`);
  const caller = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) await ask(next);
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
}

const run = (...args: string[]): Promise<CommandResult> => skilltape(['--config', system.gateway.configFile, ...args]);

function linesOf<T>(stdout: string): T[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

/** What the processor said of the index since its start. */
function said(): string[] {
  const lines = readFileSync(system.gateway.processor.logFile, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => String(JSON.parse(line).reason ?? ''));
}

const isSaid = (words: RegExp, from = 0): Promise<true> =>
  waitUntil(`${words} in the log`, () =>
    said()
      .slice(from)
      .some((reason) => words.test(reason)),
  );

/** Waits for all that was answered; nothing else may be there, and nothing twice. */
async function everythingIsThere(): Promise<void> {
  const hits = await waitUntil(
    `${sent.length} exchanges in the index`,
    async () => {
      const found = await system.everything();
      if (sent.every((id) => found.has(id))) return found;
      // Asking is work for the server, which shares the processors of this machine.
      await pause(100);
      return undefined;
    },
    60_000,
  );
  assert.deepEqual([...hits.keys()].toSorted(), sent.toSorted());
  assert.equal(await system.count(), sent.length, 'an exchange stands in two indices');
}

async function documentOf(id: string): Promise<ExchangeDocument> {
  const { status, stdout, stderr } = await run('show', id, '--json');
  assert.equal(status, 0, stderr);
  return linesOf<ExchangeDocument>(stdout)[0] ?? assert.fail();
}

async function startProcessorAgain(): Promise<void> {
  await system.gateway.restartProcessor();
  await waitUntil('a processor that answers', async () => {
    const headers = { authorization: `Bearer ${await system.gateway.token()}` };
    const answer = await system.gateway.post(messagesBody('is it back?'), headers);
    if (answer.status === 200) sent.push(answer.exchangeId);
    return answer.status === 200;
  });
}

test('without a cluster exchanges go on; the log says one after the other what is missing, and then all are there', async () => {
  await askMany(40, 'Which rivers meet in Passau?');
  await isSaid(/cannot be read|cannot be reached/);
  const { url } = await system.server();
  await isSaid(/Elasticsearch cannot be reached/);
  system.gate.open(Number(new URL(url).port));
  await isSaid(/does not accept the credential .*: put a valid one into its file/);
  for (const role of ['skilltape_writer', 'skilltape_reader', 'skilltape_setup'] as const) system.putPassword(role);
  await isSaid(/the index template skilltape is not there: run `skilltape index setup`/);

  const early = await run('index', 'check');
  assert.equal(early.status, 1);
  assert.match(early.stdout, /^shipping: the index template skilltape is not there.*\nsearching: ready\n$/);
  assert.match(
    (await run('index', 'setup')).stderr,
    /does not allow it.*\nuse a credential that has .*manage_index_templ/s,
  );
  const setup = await run('index', 'setup', '--json', ...system.credentialFlags('skilltape_setup'));
  assert.deepEqual(JSON.parse(setup.stdout), {
    ...{ kind: 'elasticsearch', template: 'skilltape' },
    version: mappingVersion,
  });
  assert.deepEqual(await run('index', 'check'), {
    status: 0,
    stdout: 'shipping: ready\nsearching: ready\n',
    stderr: '',
  });
  await everythingIsThere();
});

test('search, show and usage answer from the cluster with a credential that may only read', async () => {
  const first = await ask('Who planted the hornbeam hedge?', { more: { metadata: { user_id: 'hedge' } } });
  const header = { as: 'bob', path: '/sandbox/v1/messages' };
  const second = await ask('Hedge of hornbeam, by bob', header);
  await everythingIsThere();
  const found = await run('search', '--json', '"hornbeam hedge"', '--user', 'ALICE@example.com', '--from', '-1h');
  assert.deepEqual(
    linesOf<ExchangeDocument>(found.stdout).map(({ event }) => event.id),
    [first.exchangeId],
  );
  const page = await run('search', 'hornbeam', '--connection', 'sandbox');
  assert.match(page.stdout, /Bob Brown {2}sandbox[\s\S]*Hedge of hornbeam, by bob/);
  assert.match((await run('show', first.exchangeId)).stdout, /Who planted the hornbeam hedge\?/);
  const tree = await run('show', '--session', second.session);
  assert.deepEqual([tree.status, tree.stdout.includes(second.exchangeId)], [0, true]);
  const usage = await run('usage', '--by', 'user', '--json');
  const rows = linesOf<{ group: { user: string }; exchanges: number }>(usage.stdout);
  assert.deepEqual(
    rows.map(({ group, exchanges }) => [group.user, exchanges]),
    [
      ['alice@example.com', 41],
      ['bob@example.com', 1],
    ],
  );
});

test('a cluster that is killed while it is shipped to, and a processor that is restarted meanwhile: all is there, links too', async () => {
  const server = await system.server();
  const made = await ask('[fake: answer code_execution] Draw the curve');
  await askMany(60, 'before the kill');
  await everythingIsThere();
  const asking = askMany(60, 'while it dies');
  await server.kill();
  await asking;
  await isSaid(/Elasticsearch cannot be reached/);
  const restarting = server.restart();
  await startProcessorAgain();
  const answer = JSON.parse(made.body.toString()) as { container: { id: string } };
  const fileId = /"file_id":"(file_[^"]+)"/.exec(made.body.toString())?.[1] ?? assert.fail('no file');
  const next = await ask('And another one', { more: { container: answer.container.id } });
  assert.equal(next.session, made.session);
  const headers = { authorization: `Bearer ${await system.gateway.token()}`, 'anthropic-version': '2023-06-01' };
  const download = (await system.gateway.fetch(`${system.gateway.url}/v1/files/${fileId}/content`, {
    headers,
  })) as Response;
  await download.arrayBuffer();
  const downloadId = download.headers.get('x-skilltape-exchange') ?? assert.fail('no exchange');
  sent.push(downloadId);
  await restarting;
  await everythingIsThere();
  const { skilltape } = await documentOf(downloadId);
  assert.deepEqual(skilltape.link, [{ event_id: made.exchangeId, via: 'file' }]);
});

/** Puts the exchanges of the connection `sandbox` into a class, by a rule of the policy. */
function classOfSandbox(retentionClass: string): void {
  const folder = join(system.policies, 'rules/record/sandbox_class');
  mkdirSync(folder, { recursive: true });
  const rule = `# METADATA
# title: A class of its own for what is tried out
# scope: package
# schemas:
#   - input: schema.record.input
package skilltape.rules.record.sandbox_class

findings contains {"retention_class": "${retentionClass}", "message": "What is tried out."} if {
	input.connection.name == "sandbox"
}
`;
  writeFileSync(join(folder, 'sandbox_class.rego'), rule);
  const classes = { default: 'standard', classes: ['brief', 'trial', 'standard'], rules: [] };
  writeFileSync(join(system.policies, 'lists/retention/data.json'), JSON.stringify(classes));
}

const trialIndex = (): string => `skilltape-trial-${new Date().toISOString().slice(0, 10).replaceAll('-', '.')}`;

test('what the cluster refuses for its content is listed, and delivered again when that is mended', async () => {
  classOfSandbox('trial');
  await startProcessorAgain();
  const broken = trialIndex();
  const model = { type: 'date', ignore_malformed: false };
  const mappings = { properties: { gen_ai: { properties: { request: { properties: { model } } } } } };
  assert.equal((await system.call('PUT', `/${broken}`, { mappings })).status, 200);
  const refused = await ask('A poplar that the cluster refuses', { path: '/sandbox/v1/messages' });
  await isSaid(/document_parsing_exception in gen_ai\.request\.model/);
  const listed = await run('rejects', 'list');
  assert.match(
    listed.stdout,
    new RegExp(`^${refused.exchangeId}  .*document_parsing_exception in gen_ai\\.request\\.model\n$`),
  );
  const again = await run('rejects', 'retry');
  assert.deepEqual([again.status, again.stdout], [3, '0 taken, 1 refused again\n']);
  assert.equal((await system.call('DELETE', `/${broken}`)).status, 200);
  assert.equal((await run('rejects', 'retry')).stdout, '1 taken, 0 refused again\n');
  assert.equal((await run('rejects', 'list')).status, 1);
  await everythingIsThere();
  const { skilltape } = await documentOf(refused.exchangeId);
  assert.equal(skilltape.retention_class, 'trial');
});

test('a policy that gives another class after a crash puts no exchange into a second index', async () => {
  const headers = { authorization: `Bearer ${await system.gateway.token()}` };
  // As long as it is open, the cursor stays before it, and what comes after it is shipped again.
  const stream = await openSlowStream(system.gateway, 'an answer that goes on', headers);
  sent.push((await stream.head).headers['x-skilltape-exchange'] as string);
  const open = sent.pop() ?? '';
  const first = await ask('tried before the crash', { path: '/sandbox/v1/messages' });
  await everythingIsThere();
  system.gateway.processor.process.kill('SIGKILL');
  await system.gateway.processor.exited;
  await stream.over;
  sent.push(open);
  classOfSandbox('brief');
  await startProcessorAgain();
  const second = await ask('tried after the crash', { path: '/sandbox/v1/messages' });
  await everythingIsThere();
  const classes = [first, second].map(
    async ({ exchangeId }) => (await documentOf(exchangeId)).skilltape.retention_class,
  );
  assert.deepEqual(await Promise.all(classes), ['trial', 'brief']);
});
