/** A server on a socket of its own, with a real client of the gRPC library in the place of Envoy. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChannelCredentials, ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { StreamEnding } from '../../../extproc/exchange/broken-off.ts';
import type { EndReport } from '../../../extproc/exchange/end-report.ts';
import type { Action, Frame } from '../../../extproc/exchange/frame.ts';
import type { ExtProcServer } from '../../../extproc/wire/server.ts';
import { startServer } from '../../../extproc/wire/server.ts';
import type { StreamExchange } from '../../../extproc/wire/stream.ts';
import type { ProcessingRequest, ProcessingResponse } from './independent.ts';
import { processMethod } from './independent.ts';

export type Ended = { exchangeId: string | undefined; fault: Error | undefined };

export class FakeExchange implements StreamExchange {
  readonly id = 'exchange-1';
  readonly frames: Frame[] = [];
  readonly abandoned: [how: string, detail: string][] = [];
  onFrame: (frame: Frame) => Action | Promise<Action> = () => ({ kind: 'wait' });
  onAbandon: () => Promise<void> = async () => {};

  async accept(frame: Frame): Promise<Action> {
    this.frames.push(frame);
    return this.onFrame(frame);
  }

  stopWith: (last: Action) => void = () => {};
  readonly #stoppable = Promise.withResolvers<void>();

  /** Resolves when the stream hears of a stop. */
  get stoppable(): Promise<void> {
    return this.#stoppable.promise;
  }

  onStop(heed: (last: Action) => void): void {
    this.stopWith = heed;
    this.#stoppable.resolve();
  }

  undelivered = false;
  leftAfterFrames: number | null = null;

  left(): void {
    this.leftAfterFrames ??= this.frames.length;
  }

  async abandon(how: StreamEnding, detail: string, undelivered: boolean): Promise<void> {
    await this.onAbandon();
    this.undelivered = undelivered;
    this.abandoned.push([how, detail]);
  }
}

export class FakeReports {
  readonly taken: [exchangeId: string, report: EndReport][] = [];
  isClosed = false;

  take(exchangeId: string, report: EndReport): void {
    this.taken.push([exchangeId, report]);
  }

  close(): void {
    this.isClosed = true;
  }
}

export type WireRig = AsyncDisposable & {
  socket: string;
  server: ExtProcServer;
  exchange: FakeExchange;
  reports: FakeReports;
  routes: { connection: string; pathPrefix: string }[];
  client: Client;
  /** Opens a stream as Envoy does on a route of this connection. */
  call(connection?: string): Call;
  /** Resolves with the next stream that is over. */
  nextEnd(): Promise<Ended>;
};

export async function createWireRig(): Promise<WireRig> {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'skilltape-wire-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const socket = join(directory, 'extproc.sock');
  const exchange = new FakeExchange();
  const routes: WireRig['routes'] = [];
  const open = (route: WireRig['routes'][number]) => {
    routes.push(route);
    if (route.connection === 'unknown') throw new Error('no such connection \ud800');
    return exchange;
  };
  const waiting: ((ended: Ended) => void)[] = [];
  const reports = new FakeReports();
  const onEnd = (exchangeId: string | undefined, fault: Error | undefined) => waiting.shift()?.({ exchangeId, fault });
  const server = await startServer({ socket }, open, onEnd, reports);
  started.defer(() => server.drain(0));
  const client = clientOf(`unix:${socket}`, credentials.createInsecure());
  started.defer(() => client.close());
  const all = started.move();
  return {
    ...{ socket, server, exchange, routes, client, reports },
    call: (connection = 'claude') => openCall(client, connection),
    nextEnd: () => new Promise((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

export function clientOf(address: string, channelCredentials: ChannelCredentials): Client {
  return new Client(address, channelCredentials, {
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.ssl_target_name_override': 'localhost',
  });
}

/** One stream, seen from Envoy's side. */
export class Call {
  readonly replies: ProcessingResponse[] = [];
  readonly status: Promise<StatusObject>;
  readonly stream: ClientDuplexStream<ProcessingRequest, ProcessingResponse>;

  constructor(stream: ClientDuplexStream<ProcessingRequest, ProcessingResponse>) {
    this.stream = stream;
    this.status = new Promise((resolve) => stream.once('status', resolve));
    stream.on('error', () => {});
  }

  send(message: ProcessingRequest): void {
    this.stream.write(message);
  }

  /** Reads on until there are this many replies. */
  async repliesUntil(count: number): Promise<ProcessingResponse[]> {
    if (this.replies.length < count) {
      await new Promise<void>((resolve, reject) => {
        const take = (reply: ProcessingResponse) => {
          this.replies.push(reply);
          if (this.replies.length < count) return;
          this.stream.off('data', take);
          this.stream.pause();
          resolve();
        };
        this.stream.on('data', take);
        this.stream.resume();
        void this.status.then(({ details }) => reject(new Error(`ended with ${this.replies.length}: ${details}`)));
      });
    }
    return this.replies;
  }

  /** What Envoy does at the end of its request. */
  async halfClose(): Promise<StatusObject> {
    this.stream.end();
    this.stream.resume();
    return this.status;
  }
}

export function openCall(client: Client, connection: string): Call {
  const metadata = new Metadata();
  if (connection !== '') metadata.set('x-skilltape-connection', connection);
  metadata.set('x-skilltape-path-prefix', '/sandbox');
  const { path, requestSerialize, responseDeserialize } = processMethod;
  return new Call(client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata));
}
