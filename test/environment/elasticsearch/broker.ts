import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestElasticsearch } from '../elasticsearch.ts';
import { startElasticsearch } from '../elasticsearch.ts';

/** The variable that holds the broker's URL for the test files of a run. */
export const brokerVariable = 'TEST_ELASTICSEARCH_BROKER';

export type Broker = { readonly url: string; close(): Promise<void> };

/** Tells test files, which are processes of their own, where the one plain server of the run is; the first call starts it. */
export async function openBroker(start = () => startElasticsearch({ mode: 'plain' })): Promise<Broker> {
  let started: Promise<TestElasticsearch> | undefined;
  const tell = async (response: ServerResponse): Promise<void> => {
    try {
      started ??= start();
      response.end((await started).url);
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    }
  };
  const server = createServer((_, response) => void tell(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await started?.then(
        (elasticsearch) => elasticsearch.stop(),
        () => {},
      );
    },
  };
}
