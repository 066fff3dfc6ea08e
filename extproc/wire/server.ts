import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { grpcStatus } from './grpc-status.ts';
import { GrpcStream } from './grpc-stream.ts';
import { answerHealthCheck, healthMessageMaxBytes } from './health.ts';
import type { Listener, ListenOptions } from './listen.ts';
import { listenOn } from './listen.ts';
import { NextTurn } from './next-turn.ts';
import type { ReportSink } from './report-stream.ts';
import { ReportStreams } from './report-stream.ts';
import type { OpenExchange, Route, StreamEnd } from './stream.ts';
import { serveStream } from './stream.ts';

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

/** Serves ext_proc and the health check of gRPC; rejects when the address cannot be taken. */
export async function startServer(
  listen: ListenOptions,
  open: OpenExchange,
  onStreamEnd: StreamEnd,
  reports: ReportSink,
): Promise<ExtProcServer> {
  let isServing = false;
  const streams = new OpenStreams();
  const nextTurn = new NextTurn();
  const process = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const call = new GrpcStream(stream, { messageMaxBytes });
    const isStopping = () => streams.areStopping;
    streams.add(nextTurn.come().then(() => serveStream(call, () => open(routeOf(headers)), onStreamEnd, isStopping)));
  };
  const check = (stream: ServerHttp2Stream) => {
    void answerHealthCheck(new GrpcStream(stream, { messageMaxBytes: healthMessageMaxBytes }), () => isServing);
  };
  const reporting = new ReportStreams(reports);
  const methods: Methods = new Map([
    ['/envoy.service.ext_proc.v3.ExternalProcessor/Process', process],
    ['/grpc.health.v1.Health/Check', check],
    ['/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs', (stream) => reporting.serve(stream)],
  ]);
  const listener = await listenOn(listen, (stream, headers) => dispatch(methods, stream, headers));
  return {
    setServing(serving) {
      isServing = serving;
    },
    drain: (drainMaxMs) => drain(listener, streams, reporting, drainMaxMs),
  };
}

type Methods = ReadonlyMap<string | undefined, (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void>;

/** What is no gRPC is told so by HTTP, and what is, by gRPC (PROTOCOL-HTTP2.md, Requests). */
function dispatch(methods: Methods, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  if (headers[':method'] !== 'POST') refuse(stream, 405);
  else if (!/^application\/grpc(?:$|[+;])/.test(headers['content-type'] ?? '')) refuse(stream, 415);
  else {
    const encoding = headers['grpc-encoding'] ?? 'identity';
    const method = methods.get(headers[':path']);
    if (method !== undefined && encoding === 'identity') method(stream, headers);
    else {
      const details = method === undefined ? `there is no method ${headers[':path']}` : `${encoding} is not decoded`;
      new GrpcStream(stream, { messageMaxBytes: 0 }).fail({ code: grpcStatus.unimplemented, details });
    }
  }
}

function refuse(stream: ServerHttp2Stream, httpStatus: number): void {
  stream.on('error', () => {});
  if (stream.closed || stream.destroyed) return;
  stream.respond({ ':status': httpStatus }, { endStream: true });
  // Whoever does not end his side would hold it open.
  setImmediate(() => stream.close());
}

/** Set by Envoy on its route; a caller's headers never become gRPC metadata. */
function routeOf(headers: IncomingHttpHeaders): Route {
  const text = (name: string) => String(headers[name] ?? '');
  return {
    connection: text('x-skilltape-connection'),
    pathPrefix: text('x-skilltape-path-prefix'),
    isRelease: text('x-skilltape-release-listener') !== '',
  };
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
  listener: Listener,
  streams: OpenStreams,
  reporting: ReportStreams,
  drainMaxMs: number,
): Promise<void> {
  void streams.ended().then(() => reporting.end());
  await atMost(drainMaxMs, listener.close());
  streams.areStopping = true;
  reporting.end();
  listener.destroy();
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
