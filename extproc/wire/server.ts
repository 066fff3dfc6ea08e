import { chmodSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { SkilltapeError } from '../errors.ts';
import { accessLogService, type ReportSink, ReportStreams } from './report-stream.ts';
import { externalProcessorService } from './service.ts';
import type { OpenExchange, ProcessCall, StreamEnd } from './stream.ts';
import { serveStream } from './stream.ts';

export type ListenOptions =
  | { socket: string }
  | {
      tcp: {
        address: string;
        port: number;
        tls: { certificateFile: string; privateKeyFile: string; clientCaFile: string };
      };
    };

export type ExtProcServer = {
  /** What Envoy's health check is told; a new server says NOT_SERVING until it is set ready. */
  setServing(serving: boolean): void;
  /**
   * Takes no new streams, waits for the open ones at most `drainMaxMs`, then ends them with an error. Resolves when
   * each exchange has been told of its end, or a second later when one is stuck at the disk.
   */
  drain(drainMaxMs: number): Promise<void>;
};

/** One message is at most one read of Envoy (`per_connection_buffer_limit_bytes`); the journal's frame limit is near. */
const messageMaxBytes = 16 * 1024 * 1024;
/** For exchanges that a drain cut, to record their ends. */
const recordEndsMaxMs = 1_000;

/** Binds the gRPC server; rejects when the address cannot be taken. */
export async function startServer(
  listen: ListenOptions,
  open: OpenExchange,
  onStreamEnd: StreamEnd,
  reports: ReportSink,
): Promise<ExtProcServer> {
  const server = new Server({
    'grpc.max_receive_message_length': messageMaxBytes,
    'grpc.max_send_message_length': messageMaxBytes,
    // channelz stays on: without it the library has no list of its sessions, and forceShutdown ends none of them.
  });
  const health = new HealthImplementation({ '': 'NOT_SERVING' });
  health.addToServer(server);
  const streams = new OpenStreams();
  server.addService(externalProcessorService, {
    Process: (call: ProcessCall) => streams.add(serveStream(call, open, onStreamEnd, () => streams.areStopping)),
  });
  const reporting = new ReportStreams(reports);
  server.addService(accessLogService, { StreamAccessLogs: reporting.serve.bind(reporting) });
  await bind(server, listen);
  return {
    setServing: (serving) => health.setStatus('', serving ? 'SERVING' : 'NOT_SERVING'),
    drain: (drainMaxMs) => drain(server, streams, reporting, drainMaxMs),
  };
}

async function bind(server: Server, listen: ListenOptions): Promise<void> {
  const [address, credentials] =
    'socket' in listen
      ? [`unix:${listen.socket}`, ServerCredentials.createInsecure()]
      : [`${listen.tcp.address}:${listen.tcp.port}`, mutualTls(listen.tcp.tls)];
  // A socket file that a killed process left behind cannot be bound again; the journal's lock keeps a living one out.
  if ('socket' in listen && isSocket(listen.socket)) rmSync(listen.socket);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, credentials, (error) => {
      if (error === null) resolve();
      else reject(new SkilltapeError('usage', `Cannot listen on ${address}: ${error.message}`, { cause: error }));
    });
  });
  // Envoy often runs as another user of the same group.
  if ('socket' in listen) chmodSync(listen.socket, 0o660);
}

/** A mistyped path must not cost a file. */
function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

function mutualTls(tls: { certificateFile: string; privateKeyFile: string; clientCaFile: string }): ServerCredentials {
  const pair = { cert_chain: readFileSync(tls.certificateFile), private_key: readFileSync(tls.privateKeyFile) };
  return ServerCredentials.createSsl(readFileSync(tls.clientCaFile), [pair], true);
}

/** The streams whose exchanges have not been told of their end yet. */
class OpenStreams {
  areStopping = false;
  readonly #open = new Set<Promise<void>>();

  add(stream: Promise<void>): void {
    this.#open.add(stream);
    void stream.finally(() => this.#open.delete(stream));
  }

  async ended(): Promise<void> {
    await Promise.all(this.#open);
  }
}

/** Envoy's reports are taken as long as an exchange is open; their streams would stay open for ever. */
async function drain(
  server: Server,
  streams: OpenStreams,
  reporting: ReportStreams,
  drainMaxMs: number,
): Promise<void> {
  const shutDown = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  void streams.ended().then(() => reporting.end());
  await atMost(drainMaxMs, shutDown);
  streams.areStopping = true;
  reporting.end();
  server.forceShutdown();
  await atMost(recordEndsMaxMs, streams.ended());
}

async function atMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
