import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SkilltapeError } from '../errors.ts';
import { sharedWhileUnderWay } from './shared.ts';

/** What is served: plain data and text, asked for once a request. */
export type OperationsSource = {
  ready(): Promise<{ ready: boolean }> | { ready: boolean };
  /** The exposition in Prometheus' text format. */
  metrics(): Promise<string>;
};

export type OperationsServer = { address: string; port: number; close(): Promise<void> };

/** Nobody is asked who they are here, so whoever reaches it can take no more than this (inv. 10). */
const connectionsMax = 16;
const headersMaxBytes = 8 * 1024;
const requestTimeoutMs = 5_000;
const idleTimeoutMs = 10_000;

/**
 * `/healthz` (this process answers), `/readyz` (whether it should be given traffic, and why not) and `/metrics`. A
 * connection has one request: that keeps slow ones few and ends all of them with the server.
 *
 * @param listen port 0 lets the system choose
 * @throws SkilltapeError `usage` when the address cannot be taken
 */
export async function startOperationsServer(
  listen: { address: string; port: number },
  source: OperationsSource,
): Promise<OperationsServer> {
  const options = {
    maxHeaderSize: headersMaxBytes,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: 1_000,
  };
  const metrics = sharedWhileUnderWay(source.metrics);
  const server = createServer(options, (request, response) => {
    answer(request, response, { ...source, metrics }).catch(() => respond(response, 500, 'text/plain', 'failed\n'));
  });
  server.maxConnections = connectionsMax;
  server.setTimeout(idleTimeoutMs);
  const { address, port } = await bound(server, listen);
  return {
    address,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bound(server: Server, listen: { address: string; port: number }): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new SkilltapeError(
          'usage',
          `Cannot serve health and metrics on ${listen.address}:${listen.port}: ${error.message}`,
          {
            cause: error,
            remedy:
              'Give each processor of this machine an operations.port of its own, or set operations.enabled to false.',
          },
        ),
      ),
    );
    server.listen({ host: listen.address, port: listen.port }, resolve);
  });
  return server.address() as AddressInfo;
}

async function answer(request: IncomingMessage, response: ServerResponse, source: OperationsSource): Promise<void> {
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== '/healthz' && path !== '/readyz' && path !== '/metrics') {
    return respond(response, 404, 'text/plain', 'There is /healthz, /readyz and /metrics.\n');
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return respond(response, 405, 'text/plain', 'GET or HEAD only.\n');
  }
  switch (path) {
    case '/healthz':
      return respond(response, 200, 'text/plain', 'ok\n');
    case '/readyz': {
      const report = await source.ready();
      return respond(response, report.ready ? 200 : 503, 'application/json', `${JSON.stringify(report)}\n`);
    }
    case '/metrics':
      return respond(response, 200, 'text/plain; version=0.0.4; charset=utf-8', await source.metrics());
    default:
      path satisfies never;
  }
}

/** For HEAD node keeps the body back. */
function respond(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) return;
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' };
  response.writeHead(status, { ...headers, connection: 'close', 'x-content-type-options': 'nosniff' });
  response.end(body);
}
