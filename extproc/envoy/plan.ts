import type { Config } from '../config/config.ts';
import { SkilltapeError } from '../errors.ts';
import { listenOf } from '../workers/places.ts';

/** A server reached over TLS, verified by name. */
export type TlsTarget = { host: string; port: number; serverName: string; caFile: string };

/** Where Envoy reaches skilltape: a unix socket, or over TCP with a certificate of its own (mutual TLS). */
export type ProcessorAddress =
  | { socket: string }
  | { tcp: TlsTarget & { certificateFile: string; privateKeyFile: string } };

/** Whose tokens `jwt_authn` verifies. */
export type ProviderPlan = {
  name: string;
  issuer: string;
  audiences: readonly string[];
  jwksUri: string;
  jwksCacheMs: number;
  caFile: string;
};

/** One upstream with its route and its credential. */
export type ConnectionPlan = {
  name: string;
  upstream: TlsTarget;
  /** `/`, or a path without a slash at its end, which is taken off on the way up. */
  routePrefix: string;
  credential: { file: string; header: 'x-api-key' | 'authorization' };
  /** Headers that are set whatever the caller sends. */
  pinnedHeaders: Readonly<Record<string, string>>;
};

/** All that differs between two rendered configurations. */
export type EnvoyPlan = {
  listener: { address: string; port: number };
  adminSocket: string;
  accessLogFile: string;
  /** An Envoy secret (SDS); the secret in it has the file's name. */
  certificateFile: string;
  /** One for each worker. */
  processors: readonly ProcessorAddress[];
  identityProviders: readonly ProviderPlan[];
  connections: readonly ConnectionPlan[];
  /** The listener for requests that were held while their answer had begun; absent where no connection has such. */
  release?: { socket: string; connections: readonly ConnectionPlan[] };
};

/**
 * The plan of a configuration, which has been found to be whole (`checkConnections`).
 * @throws SkilltapeError `config_invalid` where it has no `envoy` section
 */
export function envoyPlanOf(config: Config): EnvoyPlan {
  const { envoy } = config;
  if (envoy === undefined) {
    throw new SkilltapeError(
      'config_invalid',
      'the configuration has no envoy section, so there is nothing to render',
      {
        remedy: 'add `envoy: {}` and the `upstream` of each connection, as in deploy/skilltape.yaml',
      },
    );
  }
  const connections = Object.entries(config.connections).map(([name, one]) => connectionOf(name, one));
  const streaming = connections.filter(({ name }) => config.connections[name]?.streamHolds === true);
  return {
    listener: envoy.listen,
    adminSocket: envoy.adminSocket,
    accessLogFile: envoy.accessLogFile,
    certificateFile: given(envoy.certificateFile),
    processors: processorsOf(config),
    identityProviders: Object.entries(config.identityProviders).map(([name, provider]) => ({
      ...{ name, issuer: provider.issuer, audiences: provider.audiences, jwksCacheMs: provider.jwksCacheMs },
      jwksUri: given(provider.jwksUri),
      caFile: given(provider.caFile),
    })),
    connections,
    ...(streaming.length > 0 && {
      release: { socket: given(config.approvals.streamed.releaseSocket), connections: streaming },
    }),
  };
}

function connectionOf(name: string, connection: Config['connections'][string]): ConnectionPlan {
  const { host, port, serverName, caFile } = given(connection.upstream);
  const pinned = {
    'anthropic-workspace-id': connection.workspaceId,
    'anthropic-user-profile-id': connection.userProfileId,
  };
  return {
    name,
    upstream: { host, port, serverName: given(serverName), caFile: given(caFile) },
    routePrefix: given(connection.routePrefix),
    credential: {
      file: given(connection.credentialFile),
      header: connection.dialect === '2026-10-21' ? 'authorization' : 'x-api-key',
    },
    pinnedHeaders: Object.fromEntries(
      Object.entries(pinned).filter((pair): pair is [string, string] => pair[1] !== undefined),
    ),
  };
}

function processorsOf({ listen, workers, envoy }: Config): ProcessorAddress[] {
  return Array.from({ length: workers }, (_, at) => {
    const place = listenOf(listen, at + 1);
    if (place.tcp === undefined) return { socket: place.socket };
    const { host, serverName, caFile, certificateFile, privateKeyFile } = given(envoy?.processor);
    const target = { host, port: place.tcp.port, serverName: given(serverName), caFile };
    return { tcp: { ...target, certificateFile, privateKeyFile } };
  });
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the configuration was not settled');
  return value;
}
