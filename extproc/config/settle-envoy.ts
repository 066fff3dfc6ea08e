import { join, resolve } from 'node:path';
import type { WrittenConfig } from './schema.ts';

/** Paths and defaults of the sections of which `skilltape envoy render` is made. Without an `envoy` section nothing has a default from it. */
export function settleEnvoy(
  { connections, identityProviders, envoy }: WrittenConfig,
  directory: string,
): Pick<WrittenConfig, 'connections' | 'identityProviders' | 'envoy'> {
  const from = (file: string | undefined) => (file === undefined ? undefined : resolve(directory, file));
  const caFile = from(envoy?.caFile);
  const sdsDirectory = from(envoy?.sdsDirectory);
  const secret = (name: string) => (sdsDirectory === undefined ? undefined : join(sdsDirectory, `${name}.yaml`));
  const map = <T>(entries: Record<string, T>, settled: (name: string, entry: T) => T) =>
    withoutPrototype(Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, settled(name, entry)])));
  return {
    connections: map(connections, (name, { upstream, ...rest }) => ({
      ...rest,
      ...(upstream && {
        upstream: {
          ...upstream,
          serverName: upstream.serverName ?? upstream.host,
          ...present({ caFile: from(upstream.caFile) ?? caFile }),
        },
      }),
      ...present({
        credentialFile: from(rest.credentialFile) ?? secret(`${name}_credential`),
        routePrefix: rest.routePrefix ?? `/${name}`,
      }),
    })),
    identityProviders: map(identityProviders, (_, provider) => ({
      ...provider,
      ...present({ caFile: from(provider.caFile) ?? caFile }),
    })),
    ...(envoy && {
      envoy: {
        ...envoy,
        sdsDirectory: resolve(directory, envoy.sdsDirectory),
        caFile: resolve(directory, envoy.caFile),
        adminSocket: resolve(directory, envoy.adminSocket),
        accessLogFile: resolve(directory, envoy.accessLogFile),
        ...present({ certificateFile: from(envoy.certificateFile) ?? secret('gateway_certificate') }),
        ...(envoy.processor && { processor: settleProcessor(envoy.processor, directory) }),
      },
    }),
  };
}

type ProcessorPlace = NonNullable<NonNullable<WrittenConfig['envoy']>['processor']>;

function settleProcessor(place: ProcessorPlace, directory: string): ProcessorPlace {
  return {
    ...place,
    serverName: place.serverName ?? place.host,
    certificateFile: resolve(directory, place.certificateFile),
    privateKeyFile: resolve(directory, place.privateKeyFile),
    caFile: resolve(directory, place.caFile),
  };
}

/** Without the keys that have no value. */
function present<K extends string>(entries: Record<K, string | undefined>): Partial<Record<K, string>> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as Partial<
    Record<K, string>
  >;
}

function withoutPrototype<T>(entries: Record<string, T>): Record<string, T> {
  return Object.assign(Object.create(null), entries);
}
