/** A service for keys that speaks as Vault's Transit engine does, with a key of its own, and fails as it is told. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * - `forgetful`: what it encrypts it does not give back. `lying`: it gives back something else.
 * - `silent`: takes a request and never answers. `endless`: an answer without an end.
 */
export type TransitMood = 'well' | 'forgetful' | 'lying' | 'silent' | 'endless' | 'nonsense' | 'sealed' | 'moved';

export type FakeTransit = {
  address: string;
  token: string;
  mood: TransitMood;
  /** `encrypt` and `decrypt`, in the order in which they came. */
  asked: string[];
  close(): Promise<void>;
};

export async function startFakeTransit(): Promise<FakeTransit> {
  const key = randomBytes(32);
  const server = createServer(async (request, response) => {
    const [, verb = ''] = /^\/v1\/transit\/(encrypt|decrypt)\/skilltape$/.exec(request.url ?? '') ?? [];
    const body = JSON.parse(await text(request)) as Record<string, string>;
    fake.asked.push(verb);
    const isAllowed = request.headers['x-vault-token'] === fake.token;
    if (!isAllowed) answer(response, 403, { errors: ['permission denied'] });
    else if (verb === '') answer(response, 404, { errors: [] });
    else reply(response, verb, body);
  });
  const reply = (response: ServerResponse, verb: string, body: Record<string, string>): void => {
    switch (fake.mood) {
      case 'silent':
        break;
      case 'sealed':
        answer(response, 503, { errors: ['Vault is sealed'] });
        break;
      case 'nonsense':
        answer(response, 200, { data: {} });
        break;
      case 'moved':
        response.writeHead(307, { location: 'http://127.0.0.1:9/elsewhere' }).end();
        break;
      case 'endless':
        response.writeHead(200);
        for (let count = 0; count < 100 && !response.destroyed; count += 1) response.write('x'.repeat(65_536));
        break;
      default:
        if (verb === 'encrypt')
          answer(response, 200, { data: { ciphertext: `vault:v1:${sealed(body.plaintext ?? '')}` } });
        else opened(response, (body.ciphertext ?? '').slice('vault:v1:'.length));
    }
  };
  const sealed = (plaintext: string): string => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    const content = Buffer.concat([cipher.update(Buffer.from(plaintext, 'base64')), cipher.final()]);
    return Buffer.concat([nonce, content, cipher.getAuthTag()]).toString('base64');
  };
  const opened = (response: ServerResponse, ciphertext: string): void => {
    try {
      if (fake.mood === 'forgetful') throw new Error('another key');
      const bytes = Buffer.from(ciphertext, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(-16));
      const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
      if (fake.mood === 'lying') plain[plain.length - 10] = (plain[plain.length - 10] ?? 0) ^ 1;
      answer(response, 200, { data: { plaintext: plain.toString('base64') } });
    } catch {
      answer(response, 400, { errors: ['cipher: message authentication failed'] });
    }
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fake: FakeTransit = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'hvs.token',
    mood: 'well',
    asked: [],
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return fake;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
