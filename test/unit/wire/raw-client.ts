/** A client of bare HTTP/2, for what a well-behaved gRPC client would not send. */
import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';

export const processPath = '/envoy.service.ext_proc.v3.ExternalProcessor/Process';

export type RawEnd = {
  /** Of the response; undefined when the stream was reset before one came. */
  headers: IncomingHttpHeaders | undefined;
  trailers: IncomingHttpHeaders | undefined;
  /** The code of the reset, 0 for none. */
  resetCode: number;
  body: Buffer;
};

export class RawClient implements AsyncDisposable {
  readonly session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
  }

  static async connect(socket: string, settings: { initialWindowSize?: number } = {}): Promise<RawClient> {
    const session = connect('http://localhost', { createConnection: () => connectSocket(socket), settings });
    session.on('error', () => {});
    await once(session, 'connect');
    return new RawClient(session);
  }

  /** Opens a stream as Envoy does; `headers` change or, by undefined, take out what it would say. */
  open(headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const usual = {
      ':method': 'POST',
      ':path': processPath,
      'content-type': 'application/grpc',
      te: 'trailers',
      'x-skilltape-connection': 'claude',
    };
    const stream = this.session.request({ ...usual, ...headers }, { endStream: false });
    stream.on('error', () => {});
    return stream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.destroy();
  }
}

/** Reads a stream to its end. */
export function endOf(stream: ClientHttp2Stream): Promise<RawEnd> {
  const chunks: Buffer[] = [];
  let headers: IncomingHttpHeaders | undefined;
  let trailers: IncomingHttpHeaders | undefined;
  stream.on('response', (given) => {
    headers = given;
  });
  stream.on('trailers', (given) => {
    trailers = given;
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    stream.on('close', () => {
      resolve({ headers, trailers, resetCode: stream.rstCode ?? 0, body: Buffer.concat(chunks) });
    });
  });
}

/** The gRPC status that an end has, wherever it stands. */
export function statusOf({ headers, trailers }: RawEnd): string | undefined {
  const status = trailers?.['grpc-status'] ?? headers?.['grpc-status'];
  return status === undefined ? undefined : String(status);
}

/** A gRPC message. */
export function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
