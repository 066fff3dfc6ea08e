import { setTimeout as pause } from 'node:timers/promises';
import { Agent, FormData, fetch, type Response } from 'undici';
import { SkilltapeError } from '../errors.ts';
import { readCertificates, readSecret } from '../secret-file.ts';

/**
 * @property url base URL of Kibana, without a slash at the end
 * @property space of Kibana; null: the default one
 * @property authorization value of that header
 * @property ca what signed Kibana's certificate, PEM; undefined: the system's authorities
 * @property waitMs how long a Kibana that is not there yet is waited for, asked again each `retryIntervalMs`
 */
export type KibanaTarget = {
  url: string;
  space: string | null;
  authorization: string;
  ca: string | undefined;
  waitMs: number;
  retryIntervalMs: number;
};

type Attempt =
  | { kind: 'imported'; count: number }
  | { kind: 'not_ready'; reason: string }
  | { kind: 'refused'; reason: string; remedy: string };

const requestTimeoutMs = 60_000;
const answerMaxBytes = 1024 * 1024;
/** Says Kibana, or what stands before it, while it starts. */
const starting: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const unreachable = /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|UND_ERR_.*)$/;

/** Throws SkilltapeError `config_invalid` for a file that cannot be used. */
export function authorizationOf(
  files: { apiKeyFile: string } | { usernameFile: string; passwordFile: string },
): string {
  if ('apiKeyFile' in files) return `ApiKey ${readSecret(files.apiKeyFile)}`;
  const login = `${readSecret(files.usernameFile)}:${readSecret(files.passwordFile)}`;
  return `Basic ${Buffer.from(login).toString('base64')}`;
}

export function trustOf(caFile: string | undefined): string | undefined {
  return caFile === undefined ? undefined : readCertificates(caFile);
}

/**
 * Puts the objects into Kibana, over those of the same id; returns how many. Throws SkilltapeError `usage` when Kibana
 * refuses them, `index_failed` when it did not get ready in time.
 */
export async function importIntoKibana(ndjson: string, target: KibanaTarget): Promise<number> {
  const dispatcher = new Agent({ connect: target.ca === undefined ? {} : { ca: target.ca } });
  const deadline = performance.now() + target.waitMs;
  try {
    for (;;) {
      const attempt = await send(ndjson, target, dispatcher);
      if (attempt.kind === 'imported') return attempt.count;
      const { reason } = attempt;
      if (attempt.kind === 'refused') throw new SkilltapeError('usage', reason, { remedy: attempt.remedy });
      if (performance.now() > deadline) {
        throw new SkilltapeError('index_failed', `Kibana did not get ready within ${target.waitMs} ms: ${reason}`, {
          remedy: 'look into its log; --wait gives it longer',
        });
      }
      await pause(target.retryIntervalMs);
    }
  } finally {
    await dispatcher.destroy();
  }
}

async function send(ndjson: string, target: KibanaTarget, dispatcher: Agent): Promise<Attempt> {
  const form = new FormData();
  form.append('file', new File([ndjson], 'skilltape.ndjson', { type: 'application/ndjson' }));
  const space = target.space === null ? '' : `/s/${target.space}`;
  try {
    const response = await fetch(`${target.url}${space}/api/saved_objects/_import?overwrite=true`, {
      method: 'POST',
      // Kibana takes no request that changes something without this header.
      headers: { 'kbn-xsrf': 'skilltape', authorization: target.authorization },
      body: form,
      // The credential is for this address only.
      redirect: 'manual',
      signal: AbortSignal.timeout(requestTimeoutMs),
      dispatcher,
    });
    return attemptOf(response.status, await answerOf(response));
  } catch (thrown) {
    return failureOf(thrown);
  }
}

/** What is longer than the limit says nothing that is needed here. */
async function answerOf(response: Response): Promise<unknown> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > answerMaxBytes) break;
  }
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function attemptOf(status: number, answer: unknown): Attempt {
  if (starting.has(status)) return { kind: 'not_ready', reason: `it answers with status ${status}` };
  const said = Object(answer) as { success?: unknown; successCount?: unknown; errors?: unknown; message?: unknown };
  if (status === 200 && said.success === true) return { kind: 'imported', count: Number(said.successCount) };
  if (status === 200 && said.success === false) {
    const reason = `Kibana does not take all objects: ${JSON.stringify(said.errors).slice(0, 1_000)}`;
    return { kind: 'refused', reason, remedy: 'it must have version 8.19 or newer' };
  }
  const words = typeof said.message === 'string' ? `: ${said.message.slice(0, 1_000)}` : '';
  return { kind: 'refused', reason: `Kibana answers with status ${status}${words}`, remedy: remedyFor(status) };
}

function remedyFor(status: number): string {
  if (status === 401) return 'check the credential';
  if (status === 403) return 'the credential needs the Kibana privilege "all" in this space (docs/kibana.md)';
  if (status >= 300 && status < 400) return 'give --url as Kibana itself is reached, with its server.basePath';
  return 'check --url and --space: is it Kibana that answers there?';
}

function failureOf(thrown: unknown): Attempt {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  const { code, name, message } = Object(cause) as { code?: unknown; name?: unknown; message?: unknown };
  const what = String(code ?? name);
  if (unreachable.test(what) || what === 'TimeoutError' || name === 'TimeoutError') {
    return { kind: 'not_ready', reason: `it cannot be reached (${what})` };
  }
  const reason = `Kibana cannot be talked to: ${String(message)}`;
  return {
    kind: 'refused',
    reason,
    remedy: 'for a certificate that is not trusted, name its authority with --ca-file',
  };
}
