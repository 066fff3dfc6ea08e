import { chmodSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import type {
  Http2SecureServer,
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
  ServerOptions,
} from 'node:http2';
import { createSecureServer, createServer } from 'node:http2';
import type { ListenOptions as NodeListenOptions, Socket } from 'node:net';
import { SkilltapeError } from '../errors.ts';

export type ListenOptions =
  | { socket: string }
  | {
      tcp: {
        address: string;
        port: number;
        tls: { certificateFile: string; privateKeyFile: string; clientCaFile: string };
      };
    };

export type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export type Listener = {
  /** Takes no new connections and no new streams; resolves when the open streams have ended, and with them their connections. */
  close(): Promise<void>;
  /** Breaks every connection now, and with it its streams: to the peer that is an error. */
  destroy(): void;
};

/** What a stream may have on the way to us before we read it: what it costs in memory at most while the disk is slow. */
const streamWindowBytes = 256 * 1024;
/** Node reads a connection in any case, so this one only must not hold up streams that are read. */
const connectionWindowBytes = 16 * 1024 * 1024;
/** Envoy opens one for each exchange; its own limit (circuit breakers in envoy/envoy.yaml) is 8192. */
const concurrentStreamsMax = 16_384;
/** Beyond what Envoy can do: it may reset the stream of every exchange, which Node otherwise takes for an attack. */
const streamResetsMax = 1_000_000;
/** For one connection. Bodies have limits of their own; at this one Node would refuse streams. */
const sessionMaxMegabytes = 4_096;

const http2Options: ServerOptions = {
  settings: { initialWindowSize: streamWindowBytes, maxConcurrentStreams: concurrentStreamsMax },
  maxSessionMemory: sessionMaxMegabytes,
  streamResetBurst: streamResetsMax,
  streamResetRate: streamResetsMax,
};

/** Listens for HTTP/2; rejects when the address cannot be taken. A fault of one connection ends that one alone. */
export async function listenOn(listen: ListenOptions, onStream: OnStream): Promise<Listener> {
  const server = 'socket' in listen ? createServer(http2Options) : createSecureServer(mutualTls(listen.tcp.tls));
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  let isClosing = false;
  server.on('stream', onStream);
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.setLocalWindowSize(connectionWindowBytes);
    // Its handshake was under way when the others were told.
    if (isClosing) session.close();
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await bind(server, listen);
  return {
    async close() {
      isClosing = true;
      // Node says GOAWAY on each connection, and closes it behind its last stream.
      server.close();
      await Promise.all([...sessions].map((session) => new Promise((resolve) => session.once('close', resolve))));
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function bind(server: Http2Server | Http2SecureServer, listen: ListenOptions): Promise<void> {
  const isUnix = 'socket' in listen;
  const address = isUnix ? `unix:${listen.socket}` : `${listen.tcp.address}:${listen.tcp.port}`;
  const where: NodeListenOptions = isUnix
    ? { path: listen.socket }
    : { host: listen.tcp.address, port: listen.tcp.port };
  // A socket file that a killed process left behind cannot be bound again; the journal's lock keeps a living one out.
  if (isUnix && isSocket(listen.socket)) rmSync(listen.socket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new SkilltapeError('usage', `Cannot listen on ${address}: ${cause.message}`, { cause }));
    });
    server.listen(where, resolve);
  });
  // Envoy often runs as another user of the same group.
  if (isUnix) chmodSync(listen.socket, 0o660);
}

/** A mistyped path must not cost a file. */
function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

function mutualTls(tls: { certificateFile: string; privateKeyFile: string; clientCaFile: string }) {
  return {
    ...http2Options,
    cert: readFileSync(tls.certificateFile),
    key: readFileSync(tls.privateKeyFile),
    ca: readFileSync(tls.clientCaFile),
    requestCert: true,
    rejectUnauthorized: true,
  };
}
