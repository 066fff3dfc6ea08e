import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A stand-in for every upstream: it counts what arrives, by the value of one header. */
export type Arrivals = {
  readonly port: number;
  /** Requests that arrived with this mark. */
  of(mark: string): number;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Goes through every filter unchanged, as it is nobody's. */
export const markHeader = 'x-doctor-mark';

export async function startArrivals(): Promise<Arrivals> {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const mark = String(request.headers[markHeader]);
    counts.set(mark, (counts.get(mark) ?? 0) + 1);
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    of: (mark) => counts.get(mark) ?? 0,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
