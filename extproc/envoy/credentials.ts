import { dirname, parse } from 'node:path';
import type { ConnectionPlan } from './plan.ts';

/** An Envoy secret in a file. A file that is renamed to its place is taken up without a restart. */
export function secretSource(file: string): { name: string; sds_config: unknown } {
  return {
    name: parse(file).name,
    sds_config: {
      resource_api_version: 'V3',
      path_config_source: { path: file, watched_directory: { path: dirname(file) } },
    },
  };
}

export function credentialFilterName(connection: string): string {
  return `skilltape.credential.${connection}`;
}

export const credentialComment = [
  ' Behind ext_proc, so that the processor never sees a credential. One for each connection, and each is disabled but',
  ' on the route of its connection.',
].join('\n');

/**
 * Puts the credential of one connection in. The filter has no setting per route, so there is one for each connection,
 * and each is disabled but on the route that enables it: a route that forgets to has no credential.
 */
export function credentialFilter({ name, credential: { file, header } }: ConnectionPlan): unknown {
  return {
    name: credentialFilterName(name),
    disabled: true,
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector',
      overwrite: true,
      allow_request_without_credential: false,
      credential: {
        name: 'envoy.http.injected_credentials.generic',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic',
          header,
          ...(header === 'authorization' && { header_value_prefix: 'Bearer ' }),
          credential: secretSource(file),
        },
      },
    },
  };
}

/** What enables the filter on the route of its connection; an empty `config` says that and nothing more. */
export const enabledHere = { '@type': 'type.googleapis.com/envoy.config.route.v3.FilterConfig', config: {} };

export const pinnedHeadersName = 'skilltape.pinned_headers';

/** Before ext_proc, so that the record has what goes upstream. */
export const pinnedHeadersFilter = {
  name: pinnedHeadersName,
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation',
  },
};

/** What the filter does on one route. */
export function pinnedHeadersOf(pinnedHeaders: ConnectionPlan['pinnedHeaders']): unknown {
  return {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute',
    mutations: {
      request_mutations: Object.entries(pinnedHeaders).map(([key, value]) => ({
        append: { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
      })),
    },
  };
}
