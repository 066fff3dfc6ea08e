import { randomBytes } from 'node:crypto';
import { brokerVariable } from './elasticsearch/broker.ts';
import { elasticsearchCall } from './elasticsearch/call.ts';
import { startElasticsearch } from './elasticsearch.ts';

export type SharedElasticsearch = {
  readonly url: string;
  /** For this caller alone: the names of its indices, aliases and templates begin with it. */
  readonly prefix: string;
  /** Removes indices and templates of the prefix; ends the server where it is this caller's own. */
  stop(): Promise<void>;
};

/**
 * A plain server that other test files use too: the one of the test run, or, for a test file that is run by itself, one
 * of its own. For tests that neither change the settings of the cluster nor end it.
 */
export async function sharedElasticsearch(): Promise<SharedElasticsearch> {
  const prefix = `test-${randomBytes(6).toString('hex')}-`;
  const broker = process.env[brokerVariable];
  if (broker === undefined || broker === '') {
    const { url, stop } = await startElasticsearch({ mode: 'plain' });
    return { url, prefix, stop: () => removeAll(url, prefix).finally(stop) };
  }
  const answer = await fetch(broker);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`the test run has no Elasticsearch: ${text}`);
  return { url: text, prefix, stop: () => removeAll(text, prefix) };
}

async function removeAll(url: string, prefix: string): Promise<void> {
  const call = async (method: string, path: string): Promise<string> => {
    const { status, text } = await elasticsearchCall({ url, method, path });
    if (status !== 200 && status !== 404) throw new Error(`${method} ${path}: ${status} ${text}`);
    return text;
  };
  const listed = await call('GET', `/_cat/indices/${prefix}*?format=json&h=index&expand_wildcards=all`);
  // By name: a server that was given by its URL may refuse to delete by pattern.
  for (const { index } of JSON.parse(listed) as { index: string }[]) await call('DELETE', `/${index}`);
  await call('DELETE', `/_index_template/${prefix}*`);
  await call('DELETE', `/_component_template/${prefix}*`);
}
