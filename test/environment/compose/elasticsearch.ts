import { chownSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { resolveElasticsearch } from '../../../extproc/tools/elasticsearch.ts';
import { elasticsearchCall } from '../elasticsearch/call.ts';
import { makeNodeFolder, type NodeFolder } from '../elasticsearch/folder.ts';
import { startNodeProcess } from '../elasticsearch/node-process.ts';
import { startReaper } from '../elasticsearch/reaper.ts';
import { waitUntil } from '../wait.ts';

const startTimeoutMs = 120_000;
const listening = /HttpServerTransport\] publish_address \{127\.0\.0\.1:(\d+)\}/;

export type ComposeElasticsearch = { readonly url: string; stop(): Promise<void> };

/**
 * A server with the settings of the service `elasticsearch` and the files that `setup` made for it, but for places and
 * ports. `root` is where `setup` put them, `ca` what signed the server's certificate, PEM.
 */
export async function startComposeElasticsearch(root: string, ca: string): Promise<ComposeElasticsearch> {
  const { ELASTICSEARCH_URL: _named, ...env } = process.env;
  const tool = await resolveElasticsearch({ env });
  if (tool.kind === 'server') throw new Error('a server of its own is needed');
  const file = new URL('../../../deploy/compose/elasticsearch.yml', import.meta.url);
  const { 'network.host': _address, ...settings } = parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const folder = await makeNodeFolder(tool.home, undefined, settings);
  copyInto(folder, join(root, 'elasticsearch'));
  const reaper = startReaper(folder.path);
  const node = startNodeProcess(folder, tool.javaHome);
  reaper.watch(node.group);
  const stop = async (): Promise<void> => {
    node.signal('SIGKILL');
    await node.ended;
    reaper.watch(null);
    await reaper.finish();
  };
  const isUp = async (): Promise<string | undefined> => {
    if (node.hasEnded()) throw new Error(`Elasticsearch ended:\n${node.output().slice(-2_000)}`);
    const port = listening.exec(node.output())?.[1];
    if (port === undefined) return undefined;
    const url = `https://127.0.0.1:${port}`;
    // As its health check asks.
    const answer = await elasticsearchCall({ url, path: '/', ca }).catch(() => null);
    return answer?.text.includes('security_exception') ? url : undefined;
  };
  try {
    return { url: await waitUntil('Elasticsearch with what setup made', isUp, startTimeoutMs), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the command of the service copies. */
function copyInto({ configuration, account }: NodeFolder, from: string): void {
  const certificates = join(configuration, 'certs');
  mkdirSync(certificates);
  const targets = [certificates];
  for (const name of ['http.crt', 'http.key']) targets.push(copy(join(from, name), join(certificates, name)));
  for (const name of ['users', 'users_roles', 'roles.yml', 'service_tokens']) {
    targets.push(copy(join(from, name), join(configuration, name)));
  }
  if (account !== undefined) for (const path of targets) chownSync(path, account.uid, account.gid);
}

function copy(from: string, to: string): string {
  cpSync(from, to);
  return to;
}
