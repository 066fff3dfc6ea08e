/** A gateway whose index is a secured Elasticsearch: the roles of deploy/, nothing that may do more. */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openElasticsearchSearch } from '../../extproc/index/elasticsearch/open.ts';
import type { SearchHit } from '../../extproc/index/port.ts';
import { elasticsearchCall } from './elasticsearch/call.ts';
import { startElasticsearch, type TestElasticsearch } from './elasticsearch.ts';
import { startTestGateway, type TestGateway } from './gateway.ts';
import { startTcpGate, type TcpGate } from './tcp-gate.ts';
import { everyHit } from './whole-index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const prefix = 'skilltape';

/** Roles of deploy/elasticsearch/roles.yml, each with one user of its name. */
const roleNames = ['skilltape_writer', 'skilltape_reader', 'skilltape_setup'] as const;
type Role = (typeof roleNames)[number];

export type ElasticsearchSystem = {
  readonly gateway: TestGateway;
  /** Between the processor and the cluster; shut at first. */
  readonly gate: TcpGate;
  /** A copy of the shipped policies, for a test to change before it starts the processor again. */
  readonly policies: string;
  /** The server, which starts beside everything else; its CA is in place then. */
  server(): Promise<TestElasticsearch>;
  /** Puts the right password into the file of this role; another one is there at first. */
  putPassword(role: Role): void;
  /** Files with user and password of this role, as flags of a command. */
  credentialFlags(role: Role): string[];
  /** As the administrator. */
  call(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }>;
  /** Everything that was stored so far, with the reader's credential. */
  everything(): Promise<Map<string, SearchHit>>;
  /** Documents in all indices. */
  count(): Promise<number>;
  stop(): Promise<void>;
};

/** @param more settings of the processor beside the index and the policies */
export async function startElasticsearchSystem(more: Record<string, unknown> = {}): Promise<ElasticsearchSystem> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-system-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string): string => join(directory, name);
  const policies = file('policies');
  cpSync(join(root, 'policies'), policies, { recursive: true });
  const password = randomBytes(16).toString('hex');
  const roles = readFileSync(join(root, 'deploy/elasticsearch/roles.yml'), 'utf8');
  const users = roleNames.map((name) => ({ name, password, roles: [name] }));
  const starting = startElasticsearch({ mode: 'secured', roles, users });
  starting.catch(() => {});
  started.defer(async () => (await starting).stop());
  const gate = await startTcpGate();
  started.defer(() => gate.close());
  const put = (name: string, text: string): void => writeFileSync(file(name), `${text}\n`, { mode: 0o600 });
  for (const role of roleNames) {
    put(`${role}.user`, role);
    put(`${role}.password`, 'another password');
  }
  const elasticsearch = {
    nodes: [`https://127.0.0.1:${gate.port}`],
    caFile: file('ca.pem'),
    usernameFile: file('skilltape_writer.user'),
    passwordFile: file('skilltape_writer.password'),
    readUsernameFile: file('skilltape_reader.user'),
    readPasswordFile: file('skilltape_reader.password'),
    numberOfReplicas: 0,
  };
  const settings = { index: { kind: 'elasticsearch', elasticsearch }, policies: { directory: policies }, ...more };
  const gateway = await startTestGateway({ settings });
  started.defer(() => gateway.stop());
  const server = async (): Promise<TestElasticsearch> => {
    const running = await starting;
    writeFileSync(elasticsearch.caFile, running.ca ?? '');
    return running;
  };
  const call = async (method: string, path: string, body?: unknown) => {
    const { url, ca, admin } = await starting;
    return elasticsearchCall({ url, ca, login: admin, method, path, body });
  };
  const layout = { prefix, numberOfReplicas: 0, refreshIntervalMs: 5_000, requestTimeoutMs: 20_000 };
  const credential = { usernameFile: elasticsearch.readUsernameFile, passwordFile: elasticsearch.readPasswordFile };
  let search: ReturnType<typeof openElasticsearchSearch> | undefined;
  started.defer(async () => search?.close());
  const all = started.move();
  return {
    ...{ gateway, gate, policies, server, call },
    putPassword: (role) => put(`${role}.password`, password),
    credentialFlags: (role) => ['--username-file', file(`${role}.user`), '--password-file', file(`${role}.password`)],
    async everything() {
      const { url } = await starting;
      await call('POST', `/${prefix}-*/_refresh`);
      search ??= openElasticsearchSearch({ ...layout, nodes: [url], caFile: elasticsearch.caFile, credential });
      return everyHit(search);
    },
    async count() {
      const { text } = await call('GET', `/${prefix}-*/_count`);
      return (JSON.parse(text) as { count: number }).count;
    },
    stop: () => all.disposeAsync(),
  };
}
