import { createWriteStream } from 'node:fs';
import { get as getHttp, Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { get as getHttps, Agent as HttpsAgent } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { FetchContext } from './fetch.ts';

const silenceTimeoutMs = 60_000;

/** Downloads a file, by way of the proxy that the environment names. @throws Error for any answer but 200 */
export async function download(url: string, target: string, context: FetchContext, doing: string): Promise<void> {
  const started = performance.now();
  const { everyMs, beat } = context.heartbeat(doing);
  const beats = setInterval(() => beat(performance.now() - started), everyMs);
  try {
    const answer = await get(url, context.env);
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new Error(`${url} was answered with status ${answer.statusCode}`);
    }
    // A connection that is cut ends with an error here: Node knows the length that was announced.
    await pipeline(answer, createWriteStream(target));
  } finally {
    clearInterval(beats);
  }
}

function get(url: string, env: NodeJS.ProcessEnv): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:')
      ? getHttps(url, { agent: new HttpsAgent({ proxyEnv: env }) }, resolve)
      : getHttp(url, { agent: new HttpAgent({ proxyEnv: env }) }, resolve);
    request.setTimeout(silenceTimeoutMs, () => request.destroy(new Error(`${url} was silent for a minute`)));
    request.once('error', reject);
  });
}
