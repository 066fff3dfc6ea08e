/** Takes in a request body of any size: hashed as it comes, held whole only while it is small. */
import type { IncomingMessage } from 'node:http';
import { brotliDecompress, gunzip, type InputType, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import { type Arrival, ByteCounter } from './arrival.ts';
import { InvalidRequest } from './messages-request.ts';

/** Bodies above this are not held whole; prompts in them are read from their ends alone. */
const WHOLE_BODY_MAX_BYTES = 8 * 1024 * 1024;
/** Uploads and batches have no ends that would do. */
const WHOLE_UPLOAD_MAX_BYTES = 64 * 1024 * 1024;
const UPLOADS = /^\/v1\/(files|skills|messages\/batches)(\/|\?|$)/;
const ENDS_BYTES = 64 * 1024;
const DECODED_MAX_BYTES = 64 * 1024 * 1024;

/** `whole` is undefined for a large body, of which only the first and last 64 KiB are left. */
export type ReceivedBody = { readonly whole: Buffer | undefined; readonly ends: string; readonly bytes: number };

/** Reads to the end and notes count, hash and (if kept) bytes in the arrival. Rejects when the client goes away. */
export async function receiveBody(
  request: IncomingMessage,
  arrival: Arrival,
  keepBody: boolean,
): Promise<ReceivedBody> {
  const counter = new ByteCounter();
  const wholeMax = UPLOADS.test(arrival.path) ? WHOLE_UPLOAD_MAX_BYTES : WHOLE_BODY_MAX_BYTES;
  const heldMax = keepBody ? Number.POSITIVE_INFINITY : wholeMax;
  let held: Buffer[] = [];
  let head = Buffer.alloc(0);
  let tail = Buffer.alloc(0);
  for await (const chunk of request as AsyncIterable<Buffer>) {
    counter.add(chunk);
    arrival.bodyBytes = counter.bytes;
    if (counter.bytes <= heldMax) held.push(chunk);
    else held = [];
    if (head.length < ENDS_BYTES) head = Buffer.concat([head, chunk.subarray(0, ENDS_BYTES - head.length)]);
    tail = Buffer.concat([tail, chunk]).subarray(-ENDS_BYTES);
  }
  arrival.bodySha256 = counter.digest();
  const all = counter.bytes <= heldMax ? Buffer.concat(held) : undefined;
  if (keepBody) arrival.body = all;
  const whole = counter.bytes <= wholeMax ? all : undefined;
  return { whole, ends: `${head.toString('latin1')}\n${tail.toString('latin1')}`, bytes: counter.bytes };
}

/** Undoes the content-encoding, also several on top of each other. Throws {@link InvalidRequest}. */
export async function decode(body: Buffer, contentEncoding = 'identity'): Promise<Buffer> {
  let decoded = body;
  for (const coding of contentEncoding.toLowerCase().split(',').reverse())
    decoded = await decodeOne(decoded, coding.trim());
  return decoded;
}

async function decodeOne(body: Buffer, coding: string): Promise<Buffer> {
  switch (coding) {
    case '':
    case 'identity':
      return body;
    case 'gzip':
    case 'x-gzip':
      return inflateWith(gunzip, body);
    case 'deflate':
      // With a zlib header or bare, as servers take both.
      return inflateWith((body[0] ?? 0) % 16 === 8 ? inflate : inflateRaw, body);
    case 'br':
      return inflateWith(brotliDecompress, body);
    case 'zstd':
      return inflateWith(zstdDecompress, body);
    default:
      throw new InvalidRequest(`Unsupported content-encoding: ${coding}`);
  }
}

type Decompress = (
  body: InputType,
  options: { maxOutputLength: number },
  done: (error: Error | null, decoded: Buffer) => void,
) => void;

function inflateWith(decompress: Decompress, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    decompress(body, { maxOutputLength: DECODED_MAX_BYTES }, (error, decoded) => {
      if (error === null) resolve(decoded);
      else reject(new InvalidRequest(`The request body could not be decoded: ${error.message}`));
    });
  });
}
