import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SkilltapeError } from '../errors.ts';

/** A listener of this machine to which the browser comes back with the result of a login (RFC 8252 section 7.3). */
export type Loopback = {
  readonly redirectUri: string;
  /** The address that the browser came to, with this state in it; what comes with another one is not listened to. */
  redirected(state: string): Promise<URL>;
  close(): Promise<void>;
};

const path = '/callback';
const page = (title: string, words: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><p>${words}</p></html>\n`;
/** The address has the code in it: it is for nobody else, and nowhere kept. */
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'",
};

/** @param waitMaxMs how long a person may take */
export async function openLoopback(waitMaxMs: number): Promise<Loopback> {
  let expected: { state: string; resolve: (url: URL) => void } | undefined;
  const server = createServer((request, response) =>
    answer(request, response, (url) => {
      if (expected === undefined || url.searchParams.get('state') !== expected.state) return false;
      expected.resolve(url);
      expected = undefined;
      return true;
    }),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  let timer: NodeJS.Timeout | undefined;
  return {
    redirectUri,
    redirected: (state) =>
      new Promise((resolve, reject) => {
        expected = { state, resolve };
        timer = setTimeout(() => {
          const remedy = 'start again; with --device you can log in on another machine';
          reject(new SkilltapeError('usage', `nobody logged in within ${waitMaxMs / 1000} s`, { remedy }));
        }, waitMaxMs);
      }),
    async close() {
      clearTimeout(timer);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };

  function answer(request: IncomingMessage, response: ServerResponse, take: (url: URL) => boolean): void {
    const url = URL.parse(request.url ?? '', redirectUri);
    if (request.method !== 'GET' || url === null || url.pathname !== path || !take(url)) {
      response.writeHead(404, headers).end(page('Not found', 'This is not the login that is waited for.'));
      return;
    }
    const failed = url.searchParams.has('error');
    const [title, words] = failed
      ? ['Sign in failed', 'The terminal says why.']
      : ['Signed in', 'You may close this page and go back to the terminal.'];
    response.writeHead(200, headers).end(page(title, words));
  }
}
