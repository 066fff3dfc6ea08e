import type { BodyForm } from '../claude/body-form.ts';
import { bodyFormOf } from '../claude/body-form.ts';
import { dialectOf } from '../claude/dialect.ts';
import type { Endpoint } from '../claude/endpoint.ts';
import { endpointOf } from '../claude/endpoint.ts';
import { mediaTypeOf } from '../claude/media-type.ts';
import { idsNamedByTarget, type OwnedId } from '../claude/owned-ids.ts';
import type { ReadCodings } from '../encoding/codings.ts';
import { readCodings } from '../encoding/codings.ts';
import type { AccessInput } from '../policy/input.ts';
import { filtersLists } from './filtered-list.ts';
import type { FrameOf } from './frame.ts';
import type { HeaderList } from './headers.ts';
import { headerValue, joinedValue, splitTarget } from './headers.ts';
import type { Authentication } from './identity.ts';
import { authenticationOf } from './identity.ts';
import type { Connection } from './ports.ts';
import { tagsOf } from './tags.ts';
import { wallClocks } from './wall-clock.ts';

/** What the headers of a request say, read once. */
export type RequestFacts = {
  method: string;
  path: string;
  query: Record<string, string>;
  endpoint: Endpoint;
  /** Its answer shows the caller only what is the caller's. */
  listFiltered: boolean;
  /** What path and query name of the things in Claude's workspace. */
  named: readonly OwnedId[];
  bodyForm: BodyForm;
  headers: HeaderList;
  authentication: Authentication;
  sourceAddress: string;
  envoyRequestId: string;
  contentType: string;
  contentEncoding: string;
  codings: ReadCodings;
};

/** `pathPrefix` is the route's own (`/sandbox`), which Envoy takes off on the way up. */
export function requestFacts(
  frame: FrameOf<'request_headers'>,
  connection: Connection,
  pathPrefix: string,
): RequestFacts {
  const target = headerValue(frame.headers, ':path') ?? '';
  const { path: wholePath, query } = splitTarget(target);
  const path = wholePath.startsWith(`${pathPrefix}/`) ? wholePath.slice(pathPrefix.length) : wholePath;
  const method = headerValue(frame.headers, ':method') ?? '';
  const endpoint = endpointOf(method, path);
  const listFiltered = filtersLists(connection, endpoint);
  // The upstream would go by all of repeated headers.
  const contentType = joinedValue(frame.headers, 'content-type');
  const contentEncoding = joinedValue(frame.headers, 'content-encoding');
  return {
    method,
    path,
    query,
    endpoint,
    listFiltered,
    named: idsNamedByTarget(endpoint.kind, path, target.slice(wholePath.length), listFiltered),
    bodyForm: bodyFormOf(endpoint, method, mediaTypeOf(contentType)),
    headers: frame.headers,
    authentication: authenticationOf({ ...frame, query }, connection.identityProviders),
    sourceAddress: withoutPort(String(frame.attributes['source.address'] ?? '')),
    envoyRequestId: headerValue(frame.headers, 'x-request-id') ?? '',
    contentType,
    contentEncoding: contentEncoding.toLowerCase() || 'identity',
    codings: readCodings(contentEncoding, 'refused'),
  };
}

function withoutPort(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** The policy input document of `access`: everything known before the body. `timeZones` are those that policy asks for. */
export function accessInput(
  facts: RequestFacts,
  connection: Connection,
  timeMs: number,
  timeZones: readonly string[] = [],
): AccessInput {
  const { authentication } = facts;
  const length = Number(headerValue(facts.headers, 'content-length') ?? Number.NaN);
  const dialect = dialectOf((name) => joinedValue(facts.headers, name), facts.query.beta === 'true' ? 'beta=true' : '');
  return {
    version: 1,
    connection: {
      name: connection.name,
      issuers: connection.identityProviders.map(({ issuer }) => issuer),
      recording: connection.recording,
      data: connection.policyData,
    },
    identity:
      authentication.kind === 'verified'
        ? { ...authentication.identity, kind: authentication.identity.kind ?? 'person' }
        : null,
    authentication:
      authentication.kind === 'verified'
        ? { failure: null, detail: '' }
        : { failure: authentication.failure, detail: authentication.detail },
    request: {
      method: facts.method,
      path: facts.path,
      endpoint: facts.endpoint.name,
      endpoint_kind: facts.endpoint.kind,
      endpoint_treatment: facts.endpoint.treatment,
      body_form: facts.bodyForm,
      list_filtered: facts.listFiltered,
      content_type: facts.contentType,
      content_encoding: facts.contentEncoding,
      content_length: Number.isSafeInteger(length) && length >= 0 ? length : null,
      betas: dialect.betas,
      anthropic_version: dialect.version,
      tags: tagsOf(facts.headers),
    },
    source: { address: facts.sourceAddress },
    time: new Date(timeMs).toISOString(),
    clock: wallClocks(timeMs, timeZones),
    owners: [],
    grants: [],
  };
}
