import { Client, errors } from '@elastic/elasticsearch';
import { readCertificates, readSecret } from '../../secret-file.ts';
import type { ElasticsearchOptions } from './options.ts';

export type ElasticsearchRequest = {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Parts that are not ours must be encoded. */
  path: string;
  query?: Record<string, string | number | boolean>;
  /** An object is sent as JSON; a text as it is, as lines of JSON. */
  body?: object | string;
};

/**
 * - `answer`: the server answered, with whatever status.
 * - `unreachable`: nothing usable came back; whether the request was executed is not known. `reason` holds no content.
 */
export type ElasticsearchAnswer =
  | { kind: 'answer'; status: number; body: unknown }
  | { kind: 'unreachable'; reason: string };

const otherNodesTriedMax = 3;

/** The one place that knows the client. Bodies of errors may quote documents: nothing here puts them into a message. */
export class Connection {
  readonly #options: ElasticsearchOptions;
  readonly #closing = new AbortController();
  /** Made with the first request and after a credential was refused: files that are wrong now may be right by then. */
  #client: Client | null = null;

  constructor(options: ElasticsearchOptions) {
    this.#options = options;
  }

  get prefix(): string {
    return this.#options.prefix;
  }

  /** Aborted when the connection is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Throws SkilltapeError `config_invalid` for files with a certificate or a credential that cannot be used. */
  async send({ method, path, query, body }: ElasticsearchRequest): Promise<ElasticsearchAnswer> {
    this.#client ??= clientOf(this.#options);
    try {
      const { statusCode, body: answered } = await this.#client.transport.request(
        {
          method,
          path,
          ...(query === undefined ? {} : { querystring: query }),
          ...(typeof body === 'string' ? { bulkBody: body } : body === undefined ? {} : { body }),
        },
        { meta: true, signal: this.#closing.signal },
      );
      return { kind: 'answer', status: statusCode ?? 0, body: answered };
    } catch (thrown) {
      if (!(thrown instanceof errors.ResponseError)) return { kind: 'unreachable', reason: unreachableReason(thrown) };
      const status = thrown.statusCode ?? 0;
      if (status === 401) await this.#forgetClient();
      return { kind: 'answer', status, body: thrown.body };
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#forgetClient();
  }

  /** The next request reads the credential again: it may have been replaced. */
  async #forgetClient(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.close();
  }
}

function clientOf(options: ElasticsearchOptions): Client {
  const { nodes, caFile, requestTimeoutMs } = options;
  return new Client({
    nodes: [...nodes],
    requestTimeout: requestTimeoutMs,
    // All requests may be repeated: what is written is create-only under ids of ours, or names the version it is about.
    maxRetries: Math.min(otherNodesTriedMax, nodes.length - 1),
    enableMetaHeader: false,
    ...authOf(options),
    ...(caFile === undefined ? {} : { tls: { ca: readCertificates(caFile) } }),
  });
}

function authOf({ credential }: ElasticsearchOptions): Pick<ConstructorParameters<typeof Client>[0], 'auth'> {
  if (credential === null) return {};
  if (credential.apiKeyFile !== undefined) return { auth: { apiKey: readSecret(credential.apiKeyFile) } };
  const { usernameFile, passwordFile } = credential;
  return { auth: { username: readSecret(usernameFile), password: readSecret(passwordFile) } };
}

function unreachableReason(thrown: unknown): string {
  if (thrown instanceof errors.TimeoutError) return 'Elasticsearch did not answer in time';
  if (thrown instanceof errors.RequestAbortedError) return 'the request to Elasticsearch was stopped';
  if (thrown instanceof errors.ProductNotSupportedError) return 'what answers is not Elasticsearch';
  if (thrown instanceof errors.ConnectionError) return `Elasticsearch cannot be reached: ${thrown.message}`;
  // A DeserializationError quotes what it could not read.
  return `the answer of Elasticsearch cannot be used (${thrown instanceof Error ? thrown.name : typeof thrown})`;
}
