/** The recorded answers in test/fixtures/answers, by name and unchanged to the byte. */
import { readdir, readFile } from 'node:fs/promises';
import { cutBody, type Reply } from './reply.ts';

const DIRECTORY = new URL('../../fixtures/answers/', import.meta.url);

/**
 * The answer of that name, for example `d_stream_thinking` or `j_error_529` (whose number is the status); undefined if
 * there is none. An event stream keeps its line ends, comments and odd lines, and is cut after its empty lines.
 */
export async function fixtureReply(name: string): Promise<Reply | undefined> {
  const files = await readdir(DIRECTORY);
  const file = files.find((candidate) => candidate === `${name}.sse` || candidate === `${name}.json`);
  if (file === undefined) return undefined;
  const bytes = await readFile(new URL(file, DIRECTORY));
  if (file.endsWith('.sse')) {
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
      pieces: cutAfterEmptyLines(bytes),
    };
  }
  const status = Number(/^j_error_([0-9]{3})$/.exec(name)?.[1] ?? 200);
  return { status, headers: { 'content-type': 'application/json' }, pieces: cutBody(bytes) };
}

function cutAfterEmptyLines(bytes: Buffer): Buffer[] {
  const pieces = bytes.toString('latin1').split(/(?<=\n\r?\n)/);
  return pieces.map((piece) => Buffer.from(piece, 'latin1'));
}
