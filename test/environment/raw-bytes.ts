/** Bytes on a TLS connection that no HTTP client would send. */
import { once } from 'node:events';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import type { Reached } from './https-call.ts';

export type RawConnection = {
  /** Writes these, in one write each. */
  write(...pieces: readonly (string | Uint8Array)[]): void;
  /** Sends TLS' and TCP's end, and goes on reading. */
  halfClose(): void;
  received(): Buffer;
  /** Resolves when the peer closed the connection, or has said nothing for a while: a longer one before its first word. */
  quiet(): Promise<void>;
  destroy(): void;
};

const silenceMs = 150;
const firstWordMs = 500;

export async function connectRaw(gateway: Reached, protocol: 'http/1.1' | 'h2'): Promise<RawConnection> {
  const { port } = new URL(gateway.url);
  // The types do not know `allowHalfOpen`.
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    ...{ host: '127.0.0.1', port: Number(port), servername: 'localhost', ca: gateway.authorityPem },
    ALPNProtocols: [protocol],
    allowHalfOpen: true,
  };
  const socket: TLSSocket = connect(options);
  await once(socket, 'secureConnect');
  const parts: Buffer[] = [];
  let closed = false;
  let heardAt = performance.now();
  socket.on('data', (part: Buffer) => {
    parts.push(part);
    heardAt = performance.now();
  });
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      closed = true;
    });
  }
  return {
    write: (...pieces) => {
      heardAt = performance.now();
      for (const piece of pieces) if (!socket.destroyed) socket.write(piece);
    },
    halfClose: () => void socket.end(),
    received: () => Buffer.concat(parts),
    async quiet() {
      const isQuiet = () => performance.now() - heardAt > (parts.length > 0 ? silenceMs : firstWordMs);
      while (!closed && !isQuiet()) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    destroy: () => void socket.destroy(),
  };
}

/** A literal header field, never indexed, neither name nor value compressed: RFC 7541, 6.2.3. */
function field([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([Buffer.from([0x10]), text(name), text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length: number[] = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

const END_STREAM = 1;
const END_HEADERS = 4;

/** One HTTP/2 frame: RFC 9113, 4.1. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** The client's preface with empty settings. */
export const http2Preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]);

export function headersFrame(
  stream: number,
  fields: readonly (readonly [string, string])[],
  endStream: boolean,
): Buffer {
  return frame(1, END_HEADERS | (endStream ? END_STREAM : 0), stream, Buffer.concat(fields.map(field)));
}

export function dataFrame(stream: number, body: string | Uint8Array, endStream: boolean): Buffer {
  return frame(0, endStream ? END_STREAM : 0, stream, Buffer.from(body));
}
