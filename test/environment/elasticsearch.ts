import { randomBytes } from 'node:crypto';
import { resolveElasticsearch } from '../../extproc/tools/elasticsearch.ts';
import { elasticsearchCall } from './elasticsearch/call.ts';
import type { ElasticsearchUser, NodeFolder, Security } from './elasticsearch/folder.ts';
import { makeNodeFolder } from './elasticsearch/folder.ts';
import type { NodeProcess } from './elasticsearch/node-process.ts';
import { startNodeProcess } from './elasticsearch/node-process.ts';
import type { Reaper } from './elasticsearch/reaper.ts';
import { startReaper } from './elasticsearch/reaper.ts';
import { waitUntil } from './wait.ts';

const startTimeoutMs = 120_000;
const endTimeoutMs = 30_000;
const lastLines = 15;

/**
 * `plain` has neither TLS nor users, `secured` has both; `roles` is the text of roles.yml.
 * @property settings more lines of elasticsearch.yml
 */
export type ElasticsearchOptions = { readonly settings?: Readonly<Record<string, unknown>> } & (
  | { readonly mode: 'plain' }
  | ({ readonly mode: 'secured' } & Security)
);

export type TestElasticsearch = {
  readonly url: string;
  /** What a client must trust, PEM; undefined in plain mode. */
  readonly ca: string | undefined;
  /** May do everything; undefined in plain mode. */
  readonly admin: { readonly name: string; readonly password: string } | undefined;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when the server is gone. */
  kill(): Promise<void>;
  /** Ends the server in order, if it runs, and starts it with the same data on the same port. */
  restart(): Promise<void>;
  /** SIGSTOP: connections are taken by the system, and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** The server's log since its last start. */
  logs(): string;
};

/** A real Elasticsearch that answers; with `ELASTICSEARCH_URL`, in plain mode, the one that runs there. */
export async function startElasticsearch(options: ElasticsearchOptions): Promise<TestElasticsearch> {
  const tool = await resolveElasticsearch({ env: process.env });
  if (tool.kind === 'server') return namedServer(tool.url, options);
  const admin: ElasticsearchUser = {
    name: 'test-admin',
    password: randomBytes(16).toString('hex'),
    roles: ['superuser'],
  };
  const security = options.mode === 'secured' ? { roles: options.roles, users: [admin, ...options.users] } : undefined;
  const folder = await makeNodeFolder(tool.home, security, options.settings ?? {});
  const reaper = startReaper(folder.path);
  const login = security === undefined ? undefined : admin;
  try {
    const node = await startNode(folder, tool.javaHome, reaper, login);
    return controls(node, { folder, javaHome: tool.javaHome, reaper, login });
  } catch (error) {
    await reaper.finish();
    throw error;
  }
}

type RunningNode = { process: NodeProcess; url: string };
type Surroundings = {
  folder: NodeFolder;
  javaHome: string;
  reaper: Reaper;
  login: ElasticsearchUser | undefined;
};

function controls(first: RunningNode, { folder, javaHome, reaper, login }: Surroundings): TestElasticsearch {
  let node = first;
  return {
    url: first.url,
    ca: folder.ca,
    admin: login,
    async stop() {
      await end(node.process, 'SIGKILL');
      await reaper.finish();
    },
    kill: () => end(node.process, 'SIGKILL'),
    async restart() {
      // A frozen process does not see SIGTERM.
      node.process.signal('SIGCONT');
      await end(node.process, 'SIGTERM');
      folder.writeSettings(Number(new URL(first.url).port));
      node = await startNode(folder, javaHome, reaper, login);
    },
    freeze: () => node.process.signal('SIGSTOP'),
    thaw: () => node.process.signal('SIGCONT'),
    logs: () => node.process.output(),
  };
}

async function end(process: NodeProcess, signal: NodeJS.Signals): Promise<void> {
  process.signal(signal);
  await waitUntil(`the end of Elasticsearch by ${signal}`, () => process.hasEnded(), endTimeoutMs);
}

async function startNode(
  folder: NodeFolder,
  javaHome: string,
  reaper: Reaper,
  login: ElasticsearchUser | undefined,
): Promise<RunningNode> {
  const process = startNodeProcess(folder, javaHome);
  reaper.watch(process.group);
  void process.ended.then(() => reaper.watch(null));
  const scheme = folder.ca === undefined ? 'http' : 'https';
  const failed = (how: string): Error => {
    const lines = process.output().trim().split('\n');
    const telling = lines.filter((line) => !line.startsWith('\tat ')).slice(-lastLines);
    return new Error(`Elasticsearch ${how}:\n${telling.join('\n')}`);
  };
  const url = await waitUntil(
    'a healthy Elasticsearch',
    async () => {
      if (process.hasEnded()) throw failed('ended while it started');
      const port = /HttpServerTransport\] publish_address \{127\.0\.0\.1:(\d+)\}/.exec(process.output())?.[1];
      if (port === undefined) return undefined;
      const place = `${scheme}://127.0.0.1:${port}`;
      return (await isHealthy(place, folder.ca, login)) && place;
    },
    startTimeoutMs,
  ).catch(async (error: Error) => {
    process.signal('SIGKILL');
    throw error.message.startsWith('not within') ? failed('did not get healthy') : error;
  });
  return { process, url };
}

async function isHealthy(url: string, ca: string | undefined, login: ElasticsearchUser | undefined): Promise<boolean> {
  const answer = await elasticsearchCall({ url, ca, login, path: '/_cluster/health' }).catch(() => null);
  if (answer?.status !== 200) return false;
  return /"status":"(green|yellow)"/.test(answer.text);
}

async function namedServer(url: string, options: ElasticsearchOptions): Promise<TestElasticsearch> {
  const cannot = (what: string): never => {
    throw new Error(`${what} is not possible with the server that ELASTICSEARCH_URL names; unset it`);
  };
  if (options.mode === 'secured') cannot('a server with users');
  if (options.settings !== undefined) cannot('a server with settings of its own');
  if (!(await isHealthy(url, undefined, undefined))) {
    throw new Error('the server that ELASTICSEARCH_URL names does not say that it is healthy');
  }
  return {
    ...{ url, ca: undefined, admin: undefined },
    stop: async () => {},
    kill: async () => cannot('kill'),
    restart: async () => cannot('restart'),
    freeze: () => cannot('freeze'),
    thaw: () => cannot('thaw'),
    logs: () => cannot('reading the log'),
  };
}
