/**
 * The master kept by a service for keys, in the form of HashiCorp Vault's Transit engine: it encrypts the file of the
 * private halves under a key of its own, and gives it back to whoever may ask. Writers never ask it.
 */
import { z } from 'zod';
import { SkilltapeError } from '../errors.ts';
import type { KeyFiles } from './files.ts';
import { checkOwnersAlone, invalid, jsonOf } from './key-file.ts';
import type { MasterWrap } from './wrapped-master.ts';

/**
 * @property address of the service, https but on this machine
 * @property mount, key where the key stands: `<address>/v1/<mount>/encrypt/<key>`
 * @property tokenFile with the token, read for each request; mode 600
 * @property timeoutMs longest time of one request
 */
export type TransitOptions = {
  address: string;
  mount: string;
  key: string;
  tokenFile: string;
  timeoutMs: number;
};

const answerMaxBytes = 65_536;
const tokenMaxBytes = 4_096;
const encrypted = z.object({ data: z.object({ ciphertext: z.string().min(1).max(answerMaxBytes) }) });
const decrypted = z.object({ data: z.object({ plaintext: z.base64() }) });

export function transitWrap(options: TransitOptions, files: KeyFiles): MasterWrap {
  const { address, mount, key } = options;
  const name = `${address}/v1/${mount}/…/${key}`;
  const ask = async <T>(verb: 'encrypt' | 'decrypt', body: object, schema: z.ZodType<T>): Promise<T> => {
    const url = `${address}/v1/${mount}/${verb}/${encodeURIComponent(key)}`;
    const answer = await answerOf(url, body, await tokenOf(options, files), options.timeoutMs);
    const read = schema.safeParse(jsonOf(answer));
    if (read.success) return read.data;
    throw failed(
      `the answer of ${url} cannot be used`,
      'See that it is the Transit engine of Vault, or one that speaks like it.',
    );
  };
  return {
    name,
    async wrap(plain) {
      const { data } = await ask('encrypt', { plaintext: Buffer.from(plain).toString('base64') }, encrypted);
      return data.ciphertext;
    },
    async unwrap(ciphertext) {
      const { data } = await ask('decrypt', { ciphertext }, decrypted);
      return Buffer.from(data.plaintext, 'base64');
    },
  };
}

async function tokenOf({ tokenFile }: TransitOptions, files: KeyFiles): Promise<string> {
  const found = await files.read(tokenFile, tokenMaxBytes);
  if (found === undefined)
    throw invalid(`there is no ${tokenFile}`, 'Put the token of the service for keys there, mode 600.');
  checkOwnersAlone(tokenFile, found.mode, 'the token');
  return found.bytes.toString('utf8').trim();
}

async function answerOf(url: string, body: object, token: string, timeoutMs: number): Promise<Uint8Array> {
  const told = new URL(url).host;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-vault-token': token },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw failed(`${told} refused with status ${response.status}`, remedyOf(response.status));
    }
    return await boundedBody(response, told);
  } catch (thrown) {
    if (thrown instanceof SkilltapeError) throw thrown;
    const isLate = thrown instanceof Error && thrown.name === 'TimeoutError';
    const why = isLate ? `did not answer within ${timeoutMs} ms` : 'cannot be reached';
    throw failed(
      `${told} ${why}`,
      'Look at keys.transit in skilltape.yaml, and whether the service runs and is unsealed.',
      thrown,
    );
  }
}

async function boundedBody(response: Response, told: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > answerMaxBytes)
      throw failed(`${told} answers with more than ${answerMaxBytes} bytes`, 'See what answers there.');
  }
  return Buffer.concat(chunks);
}

function remedyOf(status: number): string {
  if (status === 403) return 'Renew the token in keys.transit.tokenFile; it needs encrypt and decrypt of that key.';
  if (status === 404) return 'Compare keys.transit.mount and key with the service.';
  if (status === 400)
    return 'The key there is another one, or what it encrypted was changed: put the copy of master.wrapped from that time back.';
  return 'See the log of the service for keys.';
}

function failed(message: string, remedy: string, cause?: unknown): SkilltapeError {
  return new SkilltapeError('key_invalid', `the service for keys: ${message}`, { remedy, cause });
}
