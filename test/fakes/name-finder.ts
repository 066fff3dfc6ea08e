/** A finder of names over HTTP that knows the names it is given, and misbehaves when it is told to. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type NameFinderFault =
  | 'none'
  | 'status'
  | 'silent'
  | 'closed'
  | 'no_json'
  | 'other_shape'
  | 'made_up'
  | 'endless'
  | 'moved';

export type FakeNameFinder = {
  url: string;
  /** What was asked, question by question. */
  asked: string[][];
  fault: NameFinderFault;
  close(): Promise<void>;
};

/** `names` by their type, each answered where it stands in a text. */
export async function startFakeNameFinder(names: Readonly<Record<string, readonly string[]>>): Promise<FakeNameFinder> {
  const fake: FakeNameFinder = { url: '', asked: [], fault: 'none', close: async () => {} };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { texts } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { texts: string[] };
      fake.asked.push(texts);
      const found = Object.entries(names).flatMap(([type, values]) =>
        values.filter((value) => texts.some((text) => text.includes(value))).map((value) => ({ value, type })),
      );
      switch (fake.fault) {
        case 'none':
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ names: found }));
          return;
        case 'status':
          response.writeHead(503).end('{"names": []}');
          return;
        case 'silent':
          return;
        case 'closed':
          response.destroy();
          return;
        case 'no_json':
          response.end('<html>');
          return;
        case 'other_shape':
          response.end(JSON.stringify({ names: [{ value: 'Ada', type: 'WIZARD' }] }));
          return;
        case 'made_up':
          response.end(JSON.stringify({ names: [{ value: 'Nobody Of That Name', type: 'NAME' }] }));
          return;
        case 'endless':
          response.end(`{"names": [], "more": "${'x'.repeat(2 * 1024 * 1024)}"}`);
          return;
        case 'moved':
          response.writeHead(307, { location: fake.url }).end();
          return;
        default:
          fake.fault satisfies never;
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/names`;
  fake.close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return fake;
}
